"""A pole hanging from a cart, to be swung up and kept upright.

Gaier & Ha (2019), NeurIPS 32, arXiv:1906.04358, with the constants of Deisenroth & Rasmussen
(2011), ICML 28:465, and the equations of a thin rod on a cart.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Event
from .runge_kutta import runge_kutta

GRAVITY = 9.82  # m/s2
CART, POLE = 0.5, 0.5  # kg
LENGTH = 0.6  # m, of the pole
FRICTION = 0.1  # N s/m, of the cart
FORCE = 10.0  # N
DT = 0.02  # s
FARTHEST = 2.4  # m
SCATTER = 0.2  # standard deviation of each number at the start


class SwingUp(AbstractEnvironment[Float[Array, "4"]]):
    """Place (m), speed (m/s), cosine and sine of the angle, angular speed (rad/s).

    The angle is 0 when the pole stands and pi when it hangs, as it does at the start, all four
    numbers of the state being normal around that with a standard deviation of 0.2. The action is a
    force from -10 to 10 N, held for 0.02 s (one step of the fourth-order Runge-Kutta method). The
    reward of a step, (1 + cos angle) / 2 * cos(pi / 2 * place / 2.4), is 1 for a pole that stands
    in the middle. The episode terminates when the cart is farther than 2.4 m from there.
    """

    @property
    def actions(self) -> Box:
        return Box((1,), -FORCE, FORCE)

    @property
    def observations(self) -> Box:
        return Box((5,))

    def reset(self, *, key: PRNGKeyArray) -> tuple[Float[Array, "4"], Event]:
        hanging = jnp.array([0.0, 0.0, jnp.pi, 0.0])
        state = hanging + SCATTER * jax.random.normal(key, (4,))
        no = jnp.zeros((), bool)
        return state, Event(seen(state), jnp.zeros(()), no, no)

    def step(
        self, state: Float[Array, "4"], action: Array, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, "4"], Event]:
        del key
        force = jnp.clip(jnp.reshape(action, ()), -FORCE, FORCE)
        state = runge_kutta(lambda state: change(state, force), state, DT)
        gone = jnp.abs(state[0]) > FARTHEST
        near = jnp.cos(jnp.pi / 2 * jnp.clip(state[0] / FARTHEST, -1.0, 1.0))
        reward = (1 + jnp.cos(state[2])) / 2 * near
        return state, Event(seen(state), reward, gone, jnp.zeros((), bool))


def seen(state: Float[Array, "4"]) -> Float[Array, "5"]:
    """What is observed of a state."""
    place, speed, angle, turn = state
    return jnp.stack([place, speed, jnp.cos(angle), jnp.sin(angle), turn])


def change(
    state: Float[Array, "4"], force: Float[Array, ""], friction: float = FRICTION
) -> Float[Array, "4"]:
    """The time derivative of place, speed, angle and angular speed."""
    _, speed, angle, turn = state
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    pushed = force - friction * speed + POLE * LENGTH / 2 * turn**2 * sine
    faster = pushed - 0.75 * POLE * GRAVITY * sine * cosine
    faster = faster / (CART + POLE - 0.75 * POLE * cosine**2)
    bent = 1.5 / LENGTH * (GRAVITY * sine - cosine * faster)
    return jnp.stack([speed, faster, turn, bent])


def energy(state: Float[Array, "4"]) -> Float[Array, ""]:
    """Kinetic and potential energy of cart and pole, in J; potential 0 at the cart's height."""
    _, speed, angle, turn = state
    half = LENGTH / 2
    along, up = speed + half * turn * jnp.cos(angle), -half * turn * jnp.sin(angle)
    moving = CART * speed**2 + POLE * (along**2 + up**2) + POLE * LENGTH**2 / 12 * turn**2
    return moving / 2 + POLE * GRAVITY * half * jnp.cos(angle)
