"""How often a slippery world does something else than was meant."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from neurula.behaviour import AbstractEnvironment, Discrete, Event
from neurula.environments import Slippery


class Echo(AbstractEnvironment):
    """Shows what was done."""

    @property
    def actions(self):
        return Discrete(4)

    @property
    def observations(self):
        return Discrete(4)

    def reset(self, *, key):
        return jnp.zeros(()), self.event(jnp.zeros((), jnp.int32))

    def step(self, state, action, *, key):
        return state, self.event(action)

    def event(self, shown):
        no = jnp.zeros((), bool)
        return Event(shown, jnp.zeros(()), no, no)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_share_of_actions_is_any_action(share, key):
    """Of four actions the meant one comes with 1 - share + share / 4, others with share / 4."""
    world = Slippery(Echo(), share)

    @eqx.filter_jit
    def done(keys):
        return jax.vmap(lambda k: world.step(jnp.zeros(()), jnp.int32(2), key=k)[1])(keys)

    times = np.bincount(np.asarray(done(jax.random.split(key, 2000)).observation), minlength=4)
    chance = np.full(4, share / 4) + (np.arange(4) == 2) * (1 - share)
    possible = chance > 0
    assert times[~possible].sum() == 0
    if share:
        assert scipy.stats.chisquare(times, 2000 * chance).pvalue > 1e-3


def test_a_share_is_a_share():
    with pytest.raises(
        ValueError, match=r"from 0 to 1, got share=1.5.*Slippery\(environment, 0.3\)"
    ):
        Slippery(Echo(), 1.5)
