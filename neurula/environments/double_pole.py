"""Two poles of different lengths on a cart, to be kept upright by one force.

Wieland (1991), IJCNN 2:667; equations, constants and scales as in Gomez, Schmidhuber & Miikkulainen
(2008), J. Mach. Learn. Res. 9:937, and Stanley & Miikkulainen (2002), Evol. Comput. 10:99.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Event
from .runge_kutta import runge_kutta

GRAVITY = 9.8  # m/s2
CART = 1.0  # kg
MASSES = 0.1, 0.01  # kg, of the poles
HALVES = 0.5, 0.05  # m, half the lengths of the poles
HINGE = 2e-6  # friction of the poles' hinges
FORCE = 10.0  # N
DT = 0.01  # s, of a step of the fourth-order Runge-Kutta method
STEPS = 2  # of these in a step of the environment
FARTHEST = 2.4  # m
STEEPEST = 36 * jnp.pi / 180  # rad
SCALES = 4.8, 2.0, 0.52, 2.0, 0.52, 2.0  # of what is seen


class DoublePole(AbstractEnvironment[Float[Array, "6"]]):
    """Place, long pole and short pole, each with its speed (m, m/s, rad, rad/s); reward 1 a step.

    The action is a force from -10 to 10 N, held for 0.02 s. The cart starts at rest in the middle,
    with the long pole leaning by `lean`, and terminates beyond 2.4 m or 36 degrees of either pole.
    All six numbers are seen, divided by the scales that are usual (4.8, 2, 0.52, 2, 0.52, 2);
    without `velocities` only those of places. Nothing is left to chance.
    """

    velocities: bool = eqx.field(static=True, default=True)
    lean: float = 4.0  # degrees; 4.0 and 4.5 are both found in the literature

    @property
    def actions(self) -> Box:
        return Box((1,), -FORCE, FORCE)

    @property
    def observations(self) -> Box:
        return Box((6 if self.velocities else 3,))

    def reset(self, *, key: PRNGKeyArray) -> tuple[Float[Array, "6"], Event]:
        del key
        state = jnp.zeros(6).at[2].set(self.lean * jnp.pi / 180)
        no = jnp.zeros((), bool)
        return state, Event(self._seen(state), jnp.zeros(()), no, no)

    def step(
        self, state: Float[Array, "6"], action: Array, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, "6"], Event]:
        del key
        force = jnp.clip(jnp.reshape(action, ()), -FORCE, FORCE)
        for _ in range(STEPS):
            state = runge_kutta(lambda state: change(state, force), state, DT)
        most = jnp.maximum(jnp.abs(state[2]), jnp.abs(state[4]))
        fallen = (jnp.abs(state[0]) > FARTHEST) | (most > STEEPEST)
        return state, Event(self._seen(state), jnp.ones(()), fallen, jnp.zeros((), bool))

    def _seen(self, state: Float[Array, "6"]) -> Array:
        scaled = state / jnp.asarray(SCALES)
        return scaled if self.velocities else scaled[::2]


def change(state: Any, force: Any) -> Any:
    """The time derivative of the six numbers, in their order; Gomez et al. (2008), table 1."""
    _, speed, *poles = [state[i] for i in range(6)]
    angles, turns = poles[::2], poles[1::2]
    pushed, heavy, drags = force, CART, []
    for mass, half, angle, turn in zip(MASSES, HALVES, angles, turns, strict=True):
        sine, cosine = jnp.sin(angle), jnp.cos(angle)
        drag = HINGE * turn / (mass * half) - GRAVITY * sine
        pushed = pushed + mass * half * turn**2 * sine + 0.75 * mass * cosine * drag
        heavy = heavy + mass * (1 - 0.75 * cosine**2)
        drags.append(drag)
    faster = pushed / heavy
    bent = [
        -0.75 * (faster * jnp.cos(angle) + drag) / half
        for half, angle, drag in zip(HALVES, angles, drags, strict=True)
    ]
    return jnp.stack([speed, faster, turns[0], bent[0], turns[1], bent[1]])


def energy(state: Float[Array, "6"]) -> Float[Array, ""]:
    """Kinetic and potential energy of cart and poles, in J: constant without friction or force.

    Poles are thin rods, mass m and half length l: moment of inertia m l^2 / 3 around the middle.
    """
    total = 0.5 * CART * state[1] ** 2
    for index, (mass, half) in enumerate(zip(MASSES, HALVES, strict=True)):
        angle, turn = state[2 + 2 * index], state[3 + 2 * index]
        along = state[1] + half * turn * jnp.cos(angle)
        up = -half * turn * jnp.sin(angle)
        total = total + 0.5 * mass * (along**2 + up**2) + mass * half**2 * turn**2 / 6
        total = total + mass * GRAVITY * half * jnp.cos(angle)
    return total
