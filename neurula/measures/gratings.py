"""Drifting gratings: what cells of the visual system are asked with.

Movshon, Thompson & Tolhurst (1978), J. Physiol. 283:53.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


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
) -> Float[Array, "frame row column"]:
    """A sine grating that drifts: contrast cos(2 pi (frequency d - tempo t) + phase).

    d is the way from the middle of the picture along `direction`, in radians anticlockwise from
    rightwards as one sees the picture, rows running down; `frequency` is in cycles per pixel,
    `tempo` in cycles per frame, their ratio tempo / frequency the speed in pixels per frame. Bars
    stand across the direction. All settings may be arrays to be mapped over by `jax.vmap`.
    """
    along = jnp.arange(size) - (size - 1) / 2
    right, up = along[None, :], -along[:, None]
    way = right * jnp.cos(direction) + up * jnp.sin(direction)
    cycles = frequency * way[None] - (tempo * jnp.arange(frames))[:, None, None]
    return contrast * jnp.cos(2 * jnp.pi * cycles + phase)
