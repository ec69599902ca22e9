"""The problem of example 6.7, against the figure of the book and a plain loop."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.behaviour import Discrete
from neurula.claims import DualDqn
from neurula.claims.maximisation_bias import lefts


def shares(key, **settings):
    run = eqx.filter_jit(lambda k: lefts(runs=2000, episodes=300, key=k, **settings))
    return np.asarray(run(key))


@pytest.fixture(scope="module")
def wrong():
    key = jax.random.key(0)
    kinds = {
        "single": {"double": False, "renew": 1},
        "double": {"double": True, "renew": None},
        "sham": {"double": True, "renew": 1},
    }
    return {name: shares(key, **kind) for name, kind in kinds.items()}


def plain(rng, episodes):
    """Q-learning on the problem, written down once more."""
    q, went = {"A": np.zeros(2), "B": np.zeros(10)}, []

    def choose(values):
        if rng.random() < 0.1:
            return rng.integers(len(values))
        return rng.choice(np.flatnonzero(values == values.max()))

    for _ in range(episodes):
        left = choose(q["A"])
        went.append(left)
        q["A"][left] += 0.1 * ((q["B"].max() if left else 0) - q["A"][left])
        if left:
            b = choose(q["B"])
            q["B"][b] += 0.1 * (rng.normal(-0.1, 1) - q["B"][b])
    return went


def test_single_estimation_is_that_of_a_plain_loop_and_of_the_book(wrong):
    rng = np.random.default_rng(0)
    loop = np.mean([plain(rng, 100) for _ in range(500)], 0)
    smooth = lambda x: x[:100].reshape(10, 10).mean(1)  # noqa: E731
    np.testing.assert_allclose(smooth(wrong["single"]), smooth(loop), atol=0.06)
    assert wrong["single"][:5].mean() == pytest.approx(0.5, abs=0.15)  # nobody knows at first
    assert 0.7 < smooth(wrong["single"]).max() < 0.95  # figure 6.5: most go left for a while


def test_double_estimation_is_misled_less_and_a_copy_at_once_changes_nothing(wrong):
    assert np.array_equal(wrong["sham"], wrong["single"])
    assert wrong["double"].mean() < wrong["single"].mean() - 0.15
    assert wrong["double"][-50:].mean() < 0.15  # figure 6.5: near the 5 % of random choices


class Oracle(eqx.Module):
    """Knows the column of the ball, and promises what it is told to promise."""

    actions: Discrete = Discrete(3)
    promise: float = 0.5

    def values(self, state, seen):
        ball, paddle = jnp.argmax(seen[:-1].sum(0)), jnp.argmax(seen[-1])
        best = jnp.sign(ball - paddle) + 1
        return jnp.where(jnp.arange(3) == best, self.promise, self.promise - 1)


def test_an_exam_compares_promise_and_return(key):
    claim = DualDqn(games=20)
    predicted, got, largest = claim.exam(Oracle(), None, key=key)
    np.testing.assert_allclose(predicted, 0.5, rtol=1e-6)
    np.testing.assert_allclose(got, np.mean(0.99 ** np.arange(9)), rtol=1e-5)
    np.testing.assert_allclose(largest, 0.5, rtol=1e-6)
