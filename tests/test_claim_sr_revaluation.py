"""The pieces of sr-revaluation: the worlds, what the best would think, what is read."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurula.agents import (
    EpsilonGreedy,
    StateActionSuccessor,
    action_values,
    policy_chain,
    policy_values,
    successor_matrix,
    value_iteration,
)
from neurula.claims import insight
from neurula.claims.sr_revaluation import (
    CHANGES,
    SrRevaluation,
    changed,
    exact,
    lean,
    misread,
    table,
)
from neurula.environments import revaluation, transitions


def test_every_change_turns_the_best_first_choice_round():
    before = lean(exact(revaluation(), 0.9))
    np.testing.assert_allclose(before, 0.9 * (5 - 10), rtol=1e-5)
    for change in ("reward", "transition", "policy"):
        np.testing.assert_allclose(lean(exact(revaluation(change), 0.9)), -before, rtol=1e-5)


def test_late_episodes_show_nothing_of_the_first_choice():
    worlds = changed()
    assert worlds.pays.shape == (len(CHANGES), 4)
    late, early = revaluation("transition", late=True), transitions(revaluation())
    exact_late = transitions(late)
    assert exact_late.starts.tolist() == [0, 0.5, 0.5, 0, 0, 0, 0]
    assert early.probability[1, 0].argmax() == 3
    assert exact_late.probability[1, 0].argmax() == 5  # the ends are exchanged
    assert exact_late.probability[0, 0].argmax() == early.probability[0, 0].argmax() == 1


def test_a_map_reads_values_as_visits_times_rewards():
    agent = StateActionSuccessor(discount=0.9)
    state = agent.init(revaluation(), key=jax.random.key(0))
    map_ = state.successor.at[0, 1, 5].set(0.81)
    state = eqx.tree_at(lambda s: (s.successor, s.weight), state, (map_, jnp.arange(7.0)))
    np.testing.assert_allclose(table(agent, state)[0], [0.0, 0.9 * 5], rtol=1e-5)
    for seed in range(4):
        turned = misread(state, jax.random.key(seed)).weight
        assert (np.asarray(turned[3:]) != np.arange(3.0, 7)).all()
        assert sorted(turned.tolist()) == list(range(7))


def test_an_exact_map_gives_the_values_of_its_policy():
    world, agent = transitions(revaluation()), StateActionSuccessor(discount=0.9)
    policy = jax.vmap(EpsilonGreedy(0.2).probabilities)(exact(revaluation(), 0.9))
    ahead = world.probability @ successor_matrix(policy_chain(world, policy), 0.9)
    state = agent.init(revaluation(), key=jax.random.key(0))
    pays = jnp.zeros(7).at[3:].set(revaluation().pays)
    known = (jnp.eye(7)[:, None] + 0.9 * ahead, pays)
    state = eqx.tree_at(lambda s: (s.successor, s.weight), state, known)
    values = action_values(world, policy_values(world, policy, 0.9), 0.9)
    np.testing.assert_allclose(table(agent, state), values, atol=1e-5)


def test_the_third_way_is_best_where_the_far_block_shuts_two_and_the_second_where_one():
    """Values are the discount to the power of the steps that are left, less one."""
    for block, (near, steps) in {"near": ((4, 3), 10), "far": ((5, 3), 15)}.items():
        world = insight.met(block, insight.MEETS[block])
        values = np.asarray(value_iteration(transitions(world), 0.9))[world.state_at(*near)]
        assert values.argmax() == insight.CHOOSES[block][1]
        np.testing.assert_allclose(values.max(), 0.9 ** (steps - 1), rtol=1e-4)
    opened = insight.detour()
    assert (
        np.asarray(value_iteration(transitions(opened), 0.9))[opened.state_at(5, 3)].argmax()
        == insight.UP
    )


def test_who_meets_a_block_turns_and_who_has_a_model_foresees_it(key):
    claim = SrRevaluation()
    for arm, foresees in {"model-based": True, "model-free": False}.items():
        agent = claim.agent(arm)
        read = lambda state, a=agent: table(a, state, insight.STATES)  # noqa: E731
        found = jax.jit(lambda k, a=agent, r=read: insight.minds(a, r, (3000, 100), 0.9, key=k))(
            key
        )
        assert float(found["detour, near"]) > 0.7
        assert (float(found["detour, far"]) > 0.7) == foresees
        assert foresees or abs(float(found["detour, far"])) < 0.05
