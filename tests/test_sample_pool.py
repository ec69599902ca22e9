"""A pool keeps states, begins anew with the worst and hurts the best."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from neurula.contracts import AbstractBlock
from neurula.sample_pool import learn_from_pool, unit_length

KEY = jax.random.key(0)


class Drift(AbstractBlock):
    """A number that grows by a learned amount at every step, from 0 on."""

    amount: jax.Array

    @property
    def inputs(self):
        return {}

    @property
    def outputs(self):
        return {"output": 1}

    def init(self, *, key=None):
        del key
        return jnp.zeros(1)

    def step(self, state, inputs):
        return state + self.amount, state


def taught(rate=0.0, **settings):
    settings = {"updates": 1, "steps": 3, "batch": 4, "pool": 4, "key": KEY} | settings
    error = lambda state: (state[0] - 10) ** 2  # noqa: E731
    learn = eqx.filter_jit(lambda b: learn_from_pool(b, error, optax.sgd(rate), **settings))
    return learn(Drift(jnp.ones(1)))


def test_lives_go_on_in_the_pool():
    """Without learning, each life adds 3: the worst, here the youngest, begins again."""
    assert sorted(np.ravel(taught(updates=1).pool)) == [3, 3, 3, 3]
    assert sorted(np.ravel(taught(updates=2).pool)) == [3, 6, 6, 6]
    third = taught(updates=3)
    assert sorted(np.ravel(third.pool)) == [3, 9, 9, 9]
    np.testing.assert_allclose(third.curve, [49, (49 + 3 * 16) / 4, (49 + 3 * 1) / 4])


def test_without_a_pool_all_lives_begin_at_rest():
    np.testing.assert_allclose(taught(pool=0, updates=3).curve, [49, 49, 49])


def test_the_best_are_damaged():
    damage = lambda state, key: state + 100  # noqa: E731
    found = taught(updates=2, damage=damage, damaged=1).pool
    assert sorted(np.ravel(found)) == [3, 6, 6, 106]  # 103 of the first update was the worst
    assert (np.ravel(taught(updates=1, damage=damage, damaged=2).pool) > 100).sum() == 2


def test_it_climbs_down_the_error_through_the_whole_life():
    """From rest, 3 steps of 1 + x end at 3 + 3 x: the slope of the error at 0 is 2 (3 - 10) 3."""
    learned = taught(rate=0.01, pool=0)
    np.testing.assert_allclose(learned.brain.amount, [1 + 0.01 * 42], rtol=1e-5)
    assert learned.costs["samples"] == 4


def test_gradients_of_unit_length():
    slopes = {"a": jnp.array([3.0, 4.0]), "b": jnp.zeros(2)}
    found, _ = unit_length().update(slopes, unit_length().init(slopes))
    np.testing.assert_allclose(found["a"], [0.6, 0.8], rtol=1e-6)
    np.testing.assert_array_equal(found["b"], [0, 0])


@pytest.mark.parametrize("wrong", [{"pool": 3}, {"damaged": 4}, {"updates": 0}])
def test_numbers_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match="a pool of 0 or at least a batch"):
        taught(**wrong)
