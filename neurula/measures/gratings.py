"""Drifting gratings: what cells of the visual system are asked with.

Movshon, Thompson & Tolhurst (1978), J. Physiol. 283:53.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Film = Float[Array, "frame row column"]
Activity = Float[Array, "frame unit"]
Trials = Float[Array, "direction trial unit"]


def directions(count: int) -> Float[Array, " direction"]:
    """Evenly spaced directions over the whole circle, radians, the first one rightwards."""
    return jnp.asarray(2 * np.pi * np.arange(count) / count, jnp.float32)


def grating(
    size: int,
    frames: int,
    *,
    direction: Float[Array, ""] | float,
    frequency: Float[Array, ""] | float,
    tempo: Float[Array, ""] | float,
    phase: Float[Array, ""] | float = 0.0,
    contrast: Float[Array, ""] | float = 1.0,
) -> Film:
    """A sine grating that drifts: contrast cos(2 pi (frequency d - tempo t) + phase).

    d is the way from the middle of the picture along `direction`, in radians anticlockwise from
    rightwards as one sees the picture, rows running down; `frequency` is in cycles per pixel,
    `tempo` in cycles per frame, their ratio tempo / frequency the speed in pixels per frame. Bars
    stand across the direction. All settings may be arrays to be mapped over by `jax.vmap`.
    """
    along = jnp.arange(float(size)) - (size - 1) / 2
    right, up = along[None, :], -along[:, None]
    way = right * jnp.cos(direction) + up * jnp.sin(direction)
    cycles = frequency * way[None] - (tempo * jnp.arange(float(frames)))[:, None, None]
    return contrast * jnp.cos(2 * jnp.pi * cycles + phase)


def rectified(activity: Activity, blank: Activity) -> Float[Array, " unit"]:
    """Mean over time of what cells do beyond their activity at a blank picture, if more.

    Both frame by frame, for activity may drift by itself.

    Without it a cell that a grating modulates evenly up and down would seem not to respond.
    """
    return jnp.mean(jnp.maximum(activity - blank, 0.0), axis=0)


def grating_responses(
    watch: Callable[[Film], Activity],
    size: int,
    *,
    ways: int = 12,
    phases: int = 12,
    frequencies: tuple[float, ...] = (0.1, 0.15, 0.2),
    tempos: tuple[float, ...] = (1 / 8, 1 / 4),
    settle: int = 16,
    frames: int = 16,
) -> tuple[Trials, Float[Array, "unit 2"]]:
    """Responses to drifting gratings of the frequency and the tempo that each cell likes best.

    `watch(film)` tells the activity of all cells at every frame of a film. Films run for `settle`
    frames first; responses are `rectified` over the `frames` that follow. Trials are
    phases at the start. Liked best is what has the strongest response in any direction,
    averaged over phases; these frequencies and tempos come second.
    """
    length = settle + frames
    blank = watch(jnp.zeros((length, size, size)))[settle:]
    pairs = jnp.array([(frequency, tempo) for frequency in frequencies for tempo in tempos])

    def trials(pair: Float[Array, "2"]) -> Trials:
        def one(way: Float[Array, ""], phase: Float[Array, ""]) -> Float[Array, " unit"]:
            film = grating(
                size, length, direction=way, frequency=pair[0], tempo=pair[1], phase=phase
            )
            return rectified(watch(film)[settle:], blank)

        starts = directions(phases)  # phases are evenly spaced, too
        return jax.vmap(jax.vmap(one, (None, 0)), (0, None))(directions(ways), starts)

    every = jax.lax.map(trials, pairs)  # (pair, direction, trial, unit)
    best = jnp.argmax(jnp.max(jnp.mean(every, axis=2), axis=1), axis=0)
    return jnp.take_along_axis(every, best[None, None, None], axis=0)[0], pairs[best]
