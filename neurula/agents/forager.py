"""An animal that wanders about for food: a random walk with the speeds and turns of rats.

George, Rastogi, de Cothi, Clopath, Stachenfeld & Barry (2024), eLife 13:e85274: speed and turning
follow Ornstein-Uhlenbeck processes. Fitted anew, by `python -m benchmarks.fit_forager`, to rats of
Sargolini et al. (2006), Science 312:758 and Tanni et al. (2022), Curr. Biol. 32:3505.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from ..environments.arena import Arena
from ..geometry import offsets

SLOWEST = 0.2  # of the scale: who is slower turns no faster


class Foraging(eqx.Module):
    """Where a forager lives, and its two hidden numbers, standard normal over time."""

    arena: Arena
    hidden: Float[Array, "2"]  # behind the speed, behind the turning


class Forager(AbstractAgent[Foraging]):
    """Wanders through an `Arena`; learns nothing. The defaults are a rat in a box of 1 m.

    Of walks with the defaults and the rat's, both blurred by 0.1 s, the Kolmogorov-Smirnov distance
    is 0.04 for speed, 0.05 for turning and 0.06 for distance to the wall; with Rayleigh speeds
    (shape 2) and equal turns at all speeds (steadiness 0) 0.11, 0.05 and 0.05.

    With z and w Ornstein-Uhlenbeck processes of variance 1 and times `speed_time`, `turning_time`,

        speed    v = scale (-ln(1 - Phi(z)))^(1 / shape)     Weibull; shape 2: Rayleigh
        turning  d(direction)/dt = turning (v / scale)^(-steadiness) w
        velocity = v (cos, sin)(direction) + sum over walls of push (1 - distance / reach) away,

    where walls nearer than `reach` count, and `away` points from the wall. The direction is the one
    that the arena shows, so who slides along a wall goes on along it. steadiness 0, shape 2 is the
    walk of George et al. Raises `ValueError` for environments other than `Arena`,
    and for settings with which speed or turning would be no number.
    """

    scale: float = 0.133  # m/s
    shape: float = 1.52
    speed_time: float = 0.413  # s
    turning: float = 4.87  # rad/s, standard deviation
    turning_time: float = 0.0602  # s
    steadiness: float = 0.503
    push: float = 0.0667  # m/s; below 0, walls attract
    reach: float = 0.0534  # m

    def __check_init__(self):
        for name in ("scale", "turning", "speed_time", "turning_time", "shape", "reach"):
            found, strict = getattr(self, name), name in ("shape", "reach")
            if isinstance(found, float | int) and not (
                0 < found < np.inf or (found == 0 and not strict)
            ):
                raise ValueError(
                    f"A forager's {name} is {'above 0' if strict else '0 or more'}, got {found}: "
                    "its speed or turning would be no number. Leave it out for that of rats, or "
                    "use for example Forager(scale=0.133)."
                )

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Foraging:
        if not isinstance(environment, Arena):
            raise ValueError(
                f"A forager walks in an Arena, got {type(environment).__name__}: it looks for "
                "walls and gives velocities. Use Forager with Arena(), or the agent Random()."
            )
        return Foraging(environment, jax.random.normal(key, (2,)))

    def act(
        self, state: Foraging, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Foraging, Array]:
        hidden, velocity = self.walk(
            state.arena, state.hidden, observation, jax.random.normal(key, (2,))
        )
        return Foraging(state.arena, hidden), velocity

    def learn(self, state: Foraging, transition: Transition, *, key: PRNGKeyArray) -> Foraging:
        return state

    def walk(
        self,
        arena: Arena,
        hidden: Float[Array, "2"],
        observation: Float[Array, "6"],
        noise: Float[Array, "2"],
    ) -> tuple[Float[Array, "2"], Float[Array, "2"]]:
        """The hidden numbers after `arena.dt` and the velocity (m/s); `noise` is normal."""
        kept = jnp.exp(-arena.dt / jnp.array([self.speed_time, self.turning_time]))
        hidden = kept * hidden + jnp.sqrt(1 - kept**2) * noise
        speed = (-log_ndtr(-hidden[0])) ** (1 / self.shape)  # of the scale
        bend = self.turning * jnp.maximum(speed, SLOWEST) ** -self.steadiness * hidden[1] * arena.dt
        cosine, sine = observation[2], observation[3]
        c, s = jnp.cos(bend), jnp.sin(bend)
        direction = jnp.stack([cosine * c - sine * s, sine * c + cosine * s])
        velocity = self.scale * speed * direction + self._shy(arena, observation[:2])
        return hidden, jnp.clip(velocity, -arena.fastest, arena.fastest)

    def _shy(self, arena: Arena, position: Float[Array, "2"]) -> Any:
        """What walls add to the velocity."""
        if arena.periodic:
            return 0.0
        away = offsets(position, arena.segments)
        far = jnp.maximum(jnp.linalg.norm(away, axis=1), 1e-9)
        near = jnp.maximum(1 - far / self.reach, 0.0)
        return self.push * jnp.sum((near / far)[:, None] * away, axis=0)


# In a room of 3.5 m x 2.5 m the rat of Tanni et al. stood more and ran faster. Its bouts of running
# last longer than here (speeds stay alike for 1.9 s, not 0.5 s), and it kept to the walls more.
IN_A_LARGE_ROOM = Forager(0.187, 0.628, 0.493, 4.98, 0.0738, 0.608, 0.102, 0.0536)
