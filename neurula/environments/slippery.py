"""A world in which what is done is not always what was meant.

Machado et al. (2018), J. Artif. Intell. Res. 61:523, on why worlds without chance are too easy.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Event, World
from .wrapped import AbstractWrapped


class Slippery(AbstractWrapped[World]):
    """`environment`, where with probability `share` any action takes the place of the chosen one.

    It is drawn from all, the chosen one included. Nobody is told.
    """

    environment: AbstractEnvironment
    share: float | Float[Array, ""] = 0.3

    def __check_init__(self):
        if isinstance(self.share, float) and not 0 <= self.share <= 1:
            raise ValueError(
                f"A share of actions is from 0 to 1, got share={self.share}. Write for example "
                "Slippery(environment, 0.3) for three slips in ten steps."
            )

    def reset(self, *, key: PRNGKeyArray) -> tuple[World, Event]:
        return self.environment.reset(key=key)

    def step(self, state: World, action: Array, *, key: PRNGKeyArray) -> tuple[World, Event]:
        at_step, at_slip, at_action = jax.random.split(key, 3)
        slipped = self.actions.sample(key=at_action)
        action = jnp.where(jax.random.uniform(at_slip) < self.share, slipped, action)
        return self.environment.step(state, action, key=at_step)
