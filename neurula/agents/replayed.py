"""An agent that walks where a tracked animal walked."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Real

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from ..environments.arena import Arena


class Replaying(eqx.Module):
    """Where it lives, and the sample it goes to next."""

    arena: Arena
    sample: Int[Array, ""]


class Replayed(AbstractAgent[Replaying]):
    """Heads for one recorded position (m) after the other, at the pace of the recording.

    `track` has one position for every `dt` of the arena; `replayed` makes it from tracked times.
    At its end it waits. Faster than the arena's fastest it does not go, and walls stop it.
    """

    track: Float[Array, "sample 2"]  # m
    dt: float = eqx.field(static=True)  # s

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Replaying:
        if not isinstance(environment, Arena) or environment.dt != self.dt:
            found = getattr(environment, "dt", None)
            raise ValueError(
                f"A track with a sample every {self.dt:g} s needs an Arena with that dt, got "
                f"{type(environment).__name__} with {found}: it would go at a wrong pace. Use "
                "replayed(positions, times, arena)."
            )
        return Replaying(environment, jnp.zeros((), jnp.int32))

    def act(
        self, state: Replaying, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Replaying, Array]:
        velocity = (self.track[state.sample] - observation[:2]) / self.dt
        fastest = state.arena.fastest
        after = jnp.minimum(state.sample + 1, len(self.track) - 1)
        return Replaying(state.arena, after), jnp.clip(velocity, -fastest, fastest)

    def learn(self, state: Replaying, transition: Transition, *, key: PRNGKeyArray) -> Replaying:
        return state


def replayed(
    positions: Real[np.ndarray, "time 2"], times: Real[np.ndarray, " time"], arena: Arena
) -> Replayed:
    """An agent for a recording: positions (m) at ascending times (s), straight in between.

    Raises `ValueError` for other shapes and orders, and for samples that are missing (NaN).
    """
    positions, times = np.asarray(positions, float), np.asarray(times, float)
    fits = len(times) > 1 and positions.shape == (len(times), 2)
    holes = int((~np.isfinite(positions)).sum() + (~np.isfinite(times)).sum())
    if not fits or holes or (np.diff(times) <= 0).any():
        raise ValueError(
            "A recording has 2 or more ascending times and a position (x, y) for each, got "
            f"{list(times.shape)} times, {list(positions.shape)} positions and {holes} numbers "
            "that are missing: nobody could say where the animal was. Leave those out: `seen = "
            "np.isfinite(positions).all(1); replayed(positions[seen], times[seen], arena)`, and "
            "sort by time."
        )
    steps = np.arange(times[0], times[-1], arena.dt)
    track = np.stack([np.interp(steps, times, positions[:, axis]) for axis in (0, 1)], 1)
    return Replayed(jnp.asarray(track, jnp.float32), arena.dt)
