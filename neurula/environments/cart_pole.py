"""A pole on a cart, to be kept upright by pushes to the left or right.

Barto, Sutton & Anderson (1983), IEEE Trans. Syst. Man Cybern. 13:834; constants, Euler's method and
the order of its updates as in Gymnasium's CartPole-v1, which is `TimeLimit(CartPole(), 500)`.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Discrete, Event

GRAVITY = 9.8  # m/s2
CART, POLE = 1.0, 0.1  # kg
HALF = 0.5  # m, half the length of the pole
FORCE = 10.0  # N
DT = 0.02  # s
FARTHEST = 2.4  # m
STEEPEST = 12 * 2 * jnp.pi / 360  # rad


class CartPole(AbstractEnvironment[Float[Array, "4"]]):
    """Place (m), speed (m/s), angle (rad) and angular speed (rad/s); reward 1 for every step.

    Actions: 0 pushes to the left, 1 to the right. The episode terminates when the cart is farther
    than 2.4 m from the middle or the pole leans by more than 12 degrees. Without `speeds` only
    place and angle are seen, so that balancing takes a memory (Gruau, Whitley
    & Pyeatt 1996, GP 1:81).
    `scaled` divides what is seen by where the episode ends; speeds by those per second.
    """

    speeds: bool = eqx.field(static=True, default=True)
    scaled: bool = eqx.field(static=True, default=False)

    @property
    def actions(self) -> Discrete:
        return Discrete(2)

    @property
    def observations(self) -> Box:
        return Box((4 if self.speeds else 2,))

    def reset(self, *, key: PRNGKeyArray) -> tuple[Float[Array, "4"], Event]:
        state = jax.random.uniform(key, (4,), minval=-0.05, maxval=0.05)
        no = jnp.zeros((), bool)
        return state, Event(self._seen(state), jnp.zeros(()), no, no)

    def step(
        self, state: Float[Array, "4"], action: Array, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, "4"], Event]:
        speed, angle, turning = state[1:]
        force = jnp.where(action == 1, FORCE, -FORCE)
        sine, cosine = jnp.sin(angle), jnp.cos(angle)
        total = CART + POLE
        pushed = (force + POLE * HALF * turning**2 * sine) / total
        bent = (GRAVITY * sine - cosine * pushed) / (HALF * (4 / 3 - POLE * cosine**2 / total))
        faster = pushed - POLE * HALF * bent * cosine / total
        state = state + DT * jnp.stack([speed, faster, turning, bent])
        fallen = (jnp.abs(state[0]) > FARTHEST) | (jnp.abs(state[2]) > STEEPEST)
        return state, Event(self._seen(state), jnp.ones(()), fallen, jnp.zeros((), bool))

    def _seen(self, state: Float[Array, "4"]) -> Float[Array, " seen"]:
        if self.scaled:
            state = state / jnp.array([FARTHEST, FARTHEST, STEEPEST, STEEPEST])
        return state if self.speeds else state[::2]
