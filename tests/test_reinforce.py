"""REINFORCE against the gradient of expected reward, returns by hand, and a bandit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from bandit import PAY, Bandit

import neurula as nl
from neurula.agents import Reinforce
from neurula.agents.brains import Perceptron
from neurula.behaviour import Transition

AGENT = Reinforce(Perceptron(()), optax.sgd(1.0), discount=0.5, baseline_rate=0.25)
START = AGENT.init(Bandit(), key=jax.random.key(1))


def lived(seen, action, reward, *, ended):
    seen, no = jnp.int32(seen), jnp.zeros((), bool)
    done = jnp.int32(action), jnp.float32(reward)
    return Transition(seen, *done, seen, jnp.asarray(ended), no)


@eqx.filter_jit
def learned(state, transition):
    return AGENT.learn(state, transition, key=jax.random.key(0))


def weights(state):
    brain = state.actor
    bias = brain.populations["output"].neuron.bias
    return np.concatenate([np.asarray(brain.projections[0].weight), np.asarray(bias)[:, None]], 1)


@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_on_a_bandit_the_mean_change_is_the_gradient_of_expected_pay(baseline):
    """d sum_a pi_a r_a / d z_j = pi_j (r_j - sum_a pi_a r_a), whatever the baseline."""
    state = eqx.tree_at(lambda s: s.baseline, START, jnp.float32(baseline))
    policy = np.asarray(AGENT.policy(state, jnp.int32(0)))
    after = [learned(state, lived(0, a, PAY[a], ended=True)) for a in range(3)]
    change = sum(p * (weights(s) - weights(state)) for p, s in zip(policy, after, strict=True))
    slope = policy * (np.asarray(PAY) - policy @ np.asarray(PAY))
    expected = slope[:, None] * np.array([1.0, 0.0, 1.0])  # things seen: this, the other; the bias
    np.testing.assert_allclose(change, expected, atol=1e-5)


def test_an_episode_by_hand():
    """Rewards 1, 0, 4 at a discount of 1/2: returns 2, 2, 4; nothing moves before the end."""
    state = eqx.tree_at(lambda s: s.baseline, START, jnp.float32(0.5))
    history, now = [(0, 2, 1.0), (1, 0, 0.0), (0, 1, 4.0)], state
    for step, (seen, action, reward) in enumerate(history):
        np.testing.assert_array_equal(weights(now), weights(state))
        now = learned(now, lived(seen, action, reward, ended=step == 2))
    expected = np.zeros((3, 3))
    for (seen, action, _), gain in zip(history, [2.0, 2.0, 4.0], strict=True):
        surprise = np.eye(3)[action] - np.asarray(AGENT.policy(state, jnp.int32(seen)))
        expected += (gain - 0.5) * surprise[:, None] * np.append(np.eye(2)[seen], 1.0)
    np.testing.assert_allclose(weights(now) - weights(state), expected, atol=1e-5)
    np.testing.assert_allclose(now.baseline, 0.5 + 0.25 * ((2 + 2 + 4) / 3 - 0.5), rtol=1e-5)
    assert now.episode.steps == 0
    assert all(np.all(x == 0) for x in jax.tree.leaves(now.episode))


def test_it_finds_the_arm_that_pays_most(key):
    agent = Reinforce(Perceptron(()), optax.sgd(0.3))
    live = lambda k: nl.act(agent, Bandit(), steps=1000, key=k).agent_state  # noqa: E731
    state = eqx.filter_jit(live)(key)
    assert agent.policy(state, jnp.int32(0))[1] > 0.9
    assert agent.act(state, jnp.int32(0), explore=False, key=key)[1] == 1
