"""A hand is to reach targets, by a motor system that is turned anew in every life.

Turned movements as a test of learning: Cunningham (1989), J. Exp. Psychol. Hum. Percept. Perform.
15:493; Krakauer, Pine, Ghilardi & Ghez (2000), J. Neurosci. 20:8916.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Event


class Reach(eqx.Module):
    """How the motor system is turned, and where the target is."""

    turn: Float[Array, ""]  # radians
    target: Float[Array, "2"]


class Reaching(AbstractEnvironment[Reach]):
    """Movements in a plane: each step is one movement from the middle to a new target.

    A target is seen, at distance 1 in a random direction. The action is a movement; the hand goes
    to R(turn) action, with a rotation R that is drawn by `reset` and holds for the whole life, at
    most `largest` radians either way. Reward: minus the squared distance between hand and target,
    4 at most. Nobody is told the turn, and nothing ever ends.
    """

    largest: float = eqx.field(static=True, default=3.141592653589793)  # radians

    def __check_init__(self):
        if not 0 <= self.largest <= 3.1416:
            raise ValueError(
                f"Turns are between 0 and pi either way, but got largest={self.largest}: beyond "
                "half a circle they come again. Write `Reaching()` for all of them."
            )

    @property
    def actions(self) -> Box:
        return Box((2,), -1.0, 1.0)

    @property
    def observations(self) -> Box:
        return Box((2,), -1.0, 1.0)

    def reset(self, *, key: PRNGKeyArray) -> tuple[Reach, Event]:
        to_turn, to_target = jax.random.split(key)
        turn = self.largest * jax.random.uniform(to_turn, minval=-1.0, maxval=1.0)
        return self._show(turn, jnp.zeros(()), to_target)

    def step(self, state: Reach, action: Array, *, key: PRNGKeyArray) -> tuple[Reach, Event]:
        distance = jnp.sum((turned(action, state.turn) - state.target) ** 2)
        return self._show(state.turn, -jnp.minimum(distance, 4.0), key)

    def _show(self, turn: Array, reward: Array, key: PRNGKeyArray) -> tuple[Reach, Event]:
        angle = jax.random.uniform(key, maxval=2 * jnp.pi)
        target = jnp.clip(jnp.stack([jnp.cos(angle), jnp.sin(angle)]), -1.0, 1.0)
        no = jnp.zeros((), bool)
        return Reach(turn, target), Event(target, reward, no, no)


def turned(movement: Float[Array, "2"], turn: Float[Array, ""]) -> Float[Array, "2"]:
    """A movement after a rotation by `turn` radians, counterclockwise."""
    c, s = jnp.cos(turn), jnp.sin(turn)
    return jnp.stack([c * movement[0] - s * movement[1], s * movement[0] + c * movement[1]])
