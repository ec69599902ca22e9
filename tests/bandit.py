"""A world of one choice, whose best policy is known."""

import jax.numpy as jnp

from neurula.behaviour import AbstractEnvironment, Discrete, Event

PAY = jnp.array([0.0, 1.0, 0.5])  # of the three arms


class Bandit(AbstractEnvironment):
    """One choice, then the episode is over."""

    @property
    def actions(self):
        return Discrete(3)

    @property
    def observations(self):
        return Discrete(2)

    def reset(self, *, key):
        no = jnp.zeros((), bool)
        return jnp.zeros((), jnp.int32), Event(jnp.zeros((), jnp.int32), jnp.zeros(()), no, no)

    def step(self, state, action, *, key):
        return state, Event(state, PAY[action], jnp.ones((), bool), jnp.zeros((), bool))
