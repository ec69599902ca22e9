"""A car in a valley whose engine is too weak for the hill: it has to swing itself up.

Moore (1990), PhD thesis, University of Cambridge, UCAM-CL-TR-209; Sutton & Barto (2018), example
10.1; constants and the order of updates as in Gymnasium's MountainCar-v0, which is
`TimeLimit(MountainCar(), 200)`.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Discrete, Event

LEFT_END, RIGHT_END, GOAL = -1.2, 0.6, 0.5
FASTEST = 0.07  # per step
ENGINE, GRAVITY = 0.001, 0.0025  # per step and step


class MountainCar(AbstractEnvironment[Float[Array, "2"]]):
    """Place and speed along the valley cos(3 place), without units; reward -1 for every step.

    Actions: 0 drives to the left, 1 rolls, 2 drives to the right. The wall at the left end stops
    the car; the episode terminates at the goal, 0.5. Speeds stay below 0.07 a step: with `scaled`
    what is seen runs from about -1 to 1, (place + 0.3) / 0.9 and speed / 0.07, for networks.
    """

    scaled: bool = eqx.field(static=True, default=False)

    @property
    def actions(self) -> Discrete:
        return Discrete(3)

    @property
    def observations(self) -> Box:
        return Box((2,))

    def reset(self, *, key: PRNGKeyArray) -> tuple[Float[Array, "2"], Event]:
        place = jax.random.uniform(key, (), minval=-0.6, maxval=-0.4)
        state = jnp.stack([place, jnp.zeros(())])
        no = jnp.zeros((), bool)
        return state, Event(self._seen(state), jnp.zeros(()), no, no)

    def step(
        self, state: Float[Array, "2"], action: Array, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, "2"], Event]:
        place, speed = state
        speed = speed + ENGINE * (action - 1).astype(jnp.float32) - GRAVITY * jnp.cos(3 * place)
        speed = jnp.clip(speed, -FASTEST, FASTEST)
        place = jnp.clip(place + speed, LEFT_END, RIGHT_END)
        speed = jnp.where((place <= LEFT_END) & (speed < 0), 0.0, speed)
        state = jnp.stack([place, speed])
        there = (place >= GOAL) & (speed >= 0)
        return state, Event(self._seen(state), -jnp.ones(()), there, jnp.zeros((), bool))

    def _seen(self, state: Float[Array, "2"]) -> Float[Array, "2"]:
        if not self.scaled:
            return state
        return (state - jnp.array([-0.3, 0.0])) / jnp.array([0.9, FASTEST])
