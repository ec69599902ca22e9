"""Actor and critic, against returns by hand and a world whose best policy is known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from bandit import Bandit

import neurula as nl
from neurula.agents import A2C
from neurula.agents.a2c import returns
from neurula.agents.brains import Perceptron
from neurula.behaviour import Transition
from neurula.environments import Catch


def test_returns_by_hand():
    rewards = jnp.array([1.0, 2.0, 3.0, 4.0, 5.0])
    ends = jnp.array([False, True, False, False, False])  # terminated
    cuts = jnp.array([False, False, False, True, False])  # truncated
    ahead = jnp.array([10.0, 20.0, 30.0, 40.0, 50.0])
    seen = jnp.zeros((5, 1))
    lived = Transition(seen, jnp.zeros(5, jnp.int32), rewards, seen, ends, cuts)
    found = returns(lived, ahead, 0.5)
    fourth = 4 + 0.5 * 40
    assert found.tolist() == [1 + 0.5 * 2, 2, 3 + 0.5 * fourth, fourth, 5 + 0.5 * 50]


def test_with_entropy_the_policy_is_the_softmax_of_what_actions_pay(key):
    """max_pi E[r] + c H(pi) is solved by pi = softmax(r / c)."""
    rate = optax.exponential_decay(0.03, 400, 0.5)
    agent = A2C(Perceptron(()), optax.adam(rate), entropy=0.5)
    live = lambda k: nl.act(agent, Bandit(), steps=16_000, key=k).agent_state  # noqa: E731
    state = eqx.filter_jit(live)(key)
    policy = agent.policy(state, jnp.int32(0))
    np.testing.assert_allclose(policy, jax.nn.softmax(jnp.array([0.0, 2.0, 1.0])), atol=0.05)
    assert agent.act(state, jnp.int32(0), explore=False, key=key)[1] == 1


@pytest.mark.slow
def test_it_learns_to_catch():
    agent = A2C(optimiser=optax.adam(2e-3), horizon=9)

    def one(key):
        state = nl.act(agent, Catch(), steps=80_000, key=key).agent_state
        return nl.evaluate(agent, Catch(), state, key=key).mean()

    found = eqx.filter_jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 4))
    assert np.median(found) > 0.8


def test_refusals():
    with pytest.raises(ValueError, match="every `horizon` steps, from 1, got 0"):
        A2C(horizon=0)
