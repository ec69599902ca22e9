"""A world in which the clock ends an episode, without ending what it was worth.

Pardo, Tavakoli, Levdik & Kormushev (2018), ICML 35:4045.
"""

from typing import Generic

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Event, World
from .wrapped import AbstractWrapped


class Timed(eqx.Module, Generic[World]):
    """A world and the number of steps since its reset."""

    world: World
    step: Int[Array, ""]


class TimeLimit(AbstractWrapped[Timed]):
    """`environment`, truncated after `limit` steps. Where it ends by itself, that is told too."""

    environment: AbstractEnvironment
    limit: int = eqx.field(static=True)

    def __check_init__(self):
        if self.limit < 1:
            raise ValueError(
                f"An episode lasts at least one step, got limit={self.limit}. Use for example "
                "TimeLimit(environment, 500)."
            )

    def reset(self, *, key: PRNGKeyArray) -> tuple[Timed, Event]:
        world, event = self.environment.reset(key=key)
        return Timed(world, jnp.zeros((), jnp.int32)), event

    def step(self, state: Timed, action: Array, *, key: PRNGKeyArray) -> tuple[Timed, Event]:
        world, event = self.environment.step(state.world, action, key=key)
        state = Timed(world, state.step + 1)
        late = event.truncated | (state.step >= self.limit)
        return state, eqx.tree_at(lambda e: e.truncated, event, late)
