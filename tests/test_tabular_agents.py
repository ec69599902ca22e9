"""Agents with tables against exact answers, and what they refuse."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.agents import (
    Dyna,
    EpsilonGreedy,
    ModelBased,
    PrioritisedSweeping,
    QLearning,
    Sarsa,
    Softmax,
    StateActionSuccessor,
    Successor,
    Uniform,
    greedy,
    policy_chain,
    policy_values,
    successor_matrix,
    value_iteration,
)
from neurula.agents.tables import check_settings
from neurula.environments import (
    BlindCliffwalk,
    CartPole,
    GridWorld,
    KeyDoor,
    corridor,
    maze,
    open_field,
    transitions,
)

DISCOUNT = 0.9
ROOM = GridWorld("S..\n.#.\n..G")
WINDY = GridWorld("S..\n.#.\n..G", slip=0.3)


def live(agent, world, steps, key=0):
    """The state of an agent after a compiled life."""
    state = eqx.filter_jit(lambda k: nl.act(agent, world, steps=steps, key=k).agent_state)
    return state(jax.random.key(key))


def optimum(world):
    return np.asarray(value_iteration(transitions(world), DISCOUNT))


def going(world):
    """Where episodes go on: values of what is done after the end mean nothing."""
    return ~np.asarray(world.terminal)


def test_value_iteration_counts_steps_to_the_goal():
    q = np.asarray(value_iteration(transitions(corridor(4)), DISCOUNT))
    np.testing.assert_allclose(q[:4, 1], DISCOUNT ** np.array([3, 2, 1, 0]), rtol=1e-5)
    np.testing.assert_allclose(q[:4, 3], DISCOUNT ** np.array([4, 4, 3, 2]), rtol=1e-5)


def test_successors_of_a_ring_are_a_geometric_series():
    ring = jnp.roll(jnp.eye(4), 1, axis=1)
    expected = DISCOUNT ** np.arange(4) / (1 - DISCOUNT**4)
    np.testing.assert_allclose(successor_matrix(ring, DISCOUNT)[0], expected, rtol=1e-5)


def test_q_learning_finds_the_optimum_while_wandering():
    state = live(QLearning(1.0, DISCOUNT, Uniform()), ROOM, 4000)
    np.testing.assert_allclose(state.q[going(ROOM)], optimum(ROOM)[going(ROOM)], atol=1e-3)
    agent = QLearning(1.0, DISCOUNT, Uniform(), decay=0.7)  # with chance, steps must fall
    state = live(agent, WINDY, 60_000)
    np.testing.assert_allclose(state.q[going(WINDY)], optimum(WINDY)[going(WINDY)], atol=0.03)


def test_dyna_finds_the_optimum_in_fewer_steps():
    dyna = live(Dyna(0.2, DISCOUNT, Uniform(), planning=50), ROOM, 300)
    np.testing.assert_allclose(dyna.values.q[going(ROOM)], optimum(ROOM)[going(ROOM)], atol=1e-3)
    assert int(dyna.values.visits.sum()) == 300 * 51
    assert int(dyna.memory.known) == 7 * 4  # all pairs outside the goal
    alone = live(QLearning(0.2, DISCOUNT, Uniform()), ROOM, 300)
    assert np.abs(alone.q - dyna.values.q)[going(ROOM)].max() > 0.1


def test_a_learned_model_gives_the_same_values():
    state = live(ModelBased(DISCOUNT, Uniform(), sweeps=3), ROOM, 1000)
    np.testing.assert_allclose(state.q[going(ROOM)], optimum(ROOM)[going(ROOM)], atol=1e-3)
    state = live(ModelBased(DISCOUNT, Uniform(), sweeps=1), WINDY, 30_000)
    np.testing.assert_allclose(state.q[going(WINDY)], optimum(WINDY)[going(WINDY)], atol=0.03)
    seen = state.counts / jnp.maximum(state.counts.sum(2, keepdims=True), 1.0)
    np.testing.assert_allclose(seen, transitions(WINDY).probability, atol=0.06)


@pytest.mark.parametrize("expected", [False, True])
def test_sarsa_values_what_it_does(expected):
    world = transitions(WINDY)
    uniform = jnp.full(world.reward.shape, 0.25)
    values = policy_values(world, uniform, DISCOUNT)
    exact = np.asarray(world.reward + DISCOUNT * world.probability @ values)
    agent = Sarsa(1.0, DISCOUNT, Uniform(), decay=0.7, expected=expected)
    q = live(agent, WINDY, 60_000).values.q
    np.testing.assert_allclose(q[going(WINDY)], exact[going(WINDY)], atol=0.05)


def test_the_map_tends_to_the_inverse():
    room, discount = open_field(3), 0.8
    chain = policy_chain(transitions(room), jnp.full((9, 4), 0.25))
    exact = np.asarray(successor_matrix(chain, discount))
    agent = Successor(1.0, discount, Uniform(), decay=0.75)
    found = live(agent, room, 300_000).successor
    assert np.abs(found - exact).max() < 0.02 * exact.max()
    np.testing.assert_allclose(found.sum(1), 1 / (1 - discount), rtol=0.01)


def test_maps_count_the_present_and_stop_at_the_end():
    world = transitions(WINDY)
    uniform = jnp.full(world.reward.shape, 0.25)
    exact = successor_matrix(policy_chain(world, uniform), DISCOUNT)
    fresh = Successor().init(WINDY, key=jax.random.key(0)).successor
    np.testing.assert_array_equal(fresh, np.eye(8))  # t = 0: one is where one is
    state = live(Successor(1.0, DISCOUNT, Uniform(), decay=0.7), WINDY, 60_000)
    np.testing.assert_allclose(state.successor, exact, atol=0.2)
    np.testing.assert_array_equal(state.successor[7], np.eye(8)[7])  # the goal
    np.testing.assert_allclose(state.weight, np.eye(8)[7], atol=1e-3)
    state = live(StateActionSuccessor(0.02, DISCOUNT, Uniform()), WINDY, 60_000)
    ahead = np.einsum("sat,tu->sau", world.probability, exact)
    now = np.eye(8)[:, None]
    found = np.asarray(state.successor)[going(WINDY)]
    np.testing.assert_allclose(found, (now + DISCOUNT * ahead)[going(WINDY)], atol=0.4)
    values = jax.vmap(lambda s: StateActionSuccessor().values(state, s))(jnp.arange(7))
    q = world.reward + DISCOUNT * world.probability @ policy_values(world, uniform, DISCOUNT)
    assert values.shape == (7, 4)
    wrong = np.abs(values * 0.95 / DISCOUNT - q[:7])  # `values` above divided by 0.95
    assert wrong.max() < 0.06


@pytest.mark.parametrize("agent", [Successor(discount=DISCOUNT), StateActionSuccessor(replays=5)])
def test_maps_find_the_goal(agent):
    state = live(agent, ROOM, 3000)
    look = lambda k: nl.evaluate(agent, ROOM, state, episodes=5, limit=5, key=k)  # noqa: E731
    assert eqx.filter_jit(look)(jax.random.key(1)).tolist() == [1.0] * 5


@pytest.mark.slow
def test_sweeps_in_order_need_fewer_changes():
    """The direction of figure 8.4 of Sutton & Barto: changes until the path is optimal."""

    def needed(agent, updates):
        watch = lambda state: {"q": values(state), "updates": updates(state)}  # noqa: E731
        values = lambda state: state.q if hasattr(state, "q") else state.values.q  # noqa: E731
        run = lambda k: nl.act(agent, maze(), steps=6000, probe=watch, probes=200, key=k).curves  # noqa: E731
        curves = eqx.filter_jit(jax.vmap(run))(jax.random.split(jax.random.key(0), 5))
        return [
            next((int(n) for q, n in zip(qs, ns, strict=True) if shortest(q) == 14), np.inf)
            for qs, ns in zip(*map(np.asarray, (curves["q"], curves["updates"])), strict=True)
        ]

    def shortest(q):
        state, world = maze().state_at(2, 0), np.asarray(maze().neighbours)
        for step in range(15):
            if maze_terminal[state]:
                return step
            state = world[state, q[state].argmax()] if q[state].any() else state
        return None

    maze_terminal = np.asarray(maze().terminal)
    dyna = needed(Dyna(0.5, planning=5), lambda state: state.values.visits.sum())
    sweeping = needed(PrioritisedSweeping(0.5, planning=5), lambda state: state.updates)
    assert np.median(sweeping) < np.median(dyna) / 2, (sweeping, dyna)


def test_choices():
    values = jnp.array([1.0, 3.0, 3.0, 0.0])
    np.testing.assert_allclose(greedy(values), [0, 0.5, 0.5, 0])
    found = EpsilonGreedy(0.2).probabilities(values)
    np.testing.assert_allclose(found, [0.05, 0.45, 0.45, 0.05], rtol=1e-6)
    soft = Softmax(2.0).probabilities(values)
    np.testing.assert_allclose(jnp.log(soft[1] / soft[0]), 1.0, rtol=1e-5)
    np.testing.assert_allclose(Uniform().probabilities(values), 0.25)


@pytest.mark.parametrize(
    "agent",
    [QLearning, Sarsa, Dyna, PrioritisedSweeping, ModelBased, Successor, StateActionSuccessor],
)
def test_worlds_that_cannot_be_counted_are_refused(agent, key):
    with pytest.raises(ValueError, match=r"two Discrete spaces, but CartPole has observations Box"):
        agent().init(CartPole(), key=key)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.0"):
        agent(discount=1.0)
    agent().init(KeyDoor(), key=key)


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="imagine -1 steps"):
        Dyna(planning=-1)
    with pytest.raises(ValueError, match="planning=0"):
        PrioritisedSweeping(planning=0)
    with pytest.raises(ValueError, match="sweeps=0"):
        ModelBased(sweeps=0)
    with pytest.raises(ValueError, match="replay -1 steps"):
        StateActionSuccessor(replays=-1)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda k: QLearning(rate=2.0), ValueError, r"from 0 to 1, got rate=2.0: values would run"),
        (lambda k: Sarsa(rate=float("nan")), ValueError, r"from 0 to 1, got rate=nan"),
        (lambda k: Successor(reward_rate=-1.0), ValueError, r"got reward_rate=-1.0"),
        (lambda k: EpsilonGreedy(2.0), ValueError, r"from 0 to 1, got epsilon=2.0"),
        (lambda k: Softmax(0.0), ValueError, r"A temperature is above 0, got 0.0"),
        (lambda k: successor_matrix(jnp.eye(2), 1.5), ValueError, r"between 0 and 1, got 1.5"),
        (
            lambda k: value_iteration(transitions(corridor(2)), 2.0),
            ValueError,
            r"between 0 and 1, got 2.0",
        ),
        (
            lambda k: Successor().init(BlindCliffwalk(10**7), key=k),
            MemoryError,
            r"The 10,000,001 x 10,000,001 numbers of Successor need .* GiB are free",
        ),
        (
            lambda k: ModelBased().init(BlindCliffwalk(10**7), key=k),
            MemoryError,
            r"10,000,001 x 2 x 10,000,001 numbers of ModelBased need",
        ),
    ],
)
def test_numbers_with_which_values_would_run_away(make, error, says, key):
    with pytest.raises(error, match=says):
        make(key)


def test_an_exploration_is_no_number():
    odd = SimpleNamespace(discount=0.9, exploration=0.1)
    with pytest.raises(TypeError, match=r"explores by an AbstractExploration, got 0.1"):
        check_settings(odd)
