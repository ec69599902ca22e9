"""A model of a cell that sees motion: energy in one direction of space and time.

Adelson & Bergen (1985), J. Opt. Soc. Am. A 2:284.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

STAGES = 3, 5  # of the faster and the slower temporal filter


def motion_energy(
    film: Float[Array, "frame row column"],
    *,
    direction: Float[Array, ""] | float,
    frequency: Float[Array, ""] | float,
    rate: Float[Array, ""] | float,
    width: float | None = None,
) -> Float[Array, " frame"]:
    """Energy of motion in `direction` at every frame of a square film.

    Two Gabor patches in the middle, a quarter of a cycle apart, each through two temporal filters
    about a quarter of a cycle apart, f(t) = x^n exp(-x) (1 / n! - x^2 / (n + 2)!) with x = rate t
    and n = 3 and 5, give four responses, of which two sums that lean to one direction in space and
    time are squared and added. `frequency` is in cycles per pixel, `rate` in 1 / frame, `width` is
    the standard deviation of the patches, a quarter of the picture unless given. Directions are
    those of `grating`. What came before the film counts as blank.
    """
    size = film.shape[1]
    along = jnp.arange(float(size)) - (size - 1) / 2
    right, up = along[None, :], -along[:, None]
    way = 2 * jnp.pi * frequency * (right * jnp.cos(direction) + up * jnp.sin(direction))
    window = jnp.exp(-(right**2 + up**2) / (2 * (size / 4 if width is None else width) ** 2))
    window = window / jnp.sum(window)
    fast, slow = (_through(film, temporal(len(film), stages, rate)) for stages in STAGES)
    see = lambda x, patch: jnp.tensordot(x, window * patch, 2)  # noqa: E731
    even, odd = jnp.cos(way), jnp.sin(way)
    sums = see(fast, even) - see(slow, odd), see(fast, odd) + see(slow, even)
    return sums[0] ** 2 + sums[1] ** 2


def opponent_energy(
    film: Float[Array, "frame row column"],
    *,
    direction: Float[Array, ""] | float,
    frequency: Float[Array, ""] | float,
    rate: Float[Array, ""] | float,
    width: float | None = None,
) -> Float[Array, " frame"]:
    """Motion energy in `direction` minus that in the opposite one."""
    there, back = (
        motion_energy(film, direction=way, frequency=frequency, rate=rate, width=width)
        for way in (direction, direction + jnp.pi)
    )
    return there - back


def temporal(frames: int, stages: int, rate: Float[Array, ""] | float) -> Float[Array, " frame"]:
    """A temporal filter, sampled in the middle of each frame, the newest frame first."""
    t = rate * (jnp.arange(float(frames)) + 0.5)
    biphasic = 1 / math.factorial(stages) - t**2 / math.factorial(stages + 2)
    return t**stages * jnp.exp(-t) * biphasic


def _through(
    film: Float[Array, "frame row column"], filtering: Float[Array, " frame"]
) -> Float[Array, "frame row column"]:
    """What a causal filter makes of every pixel."""
    now = jnp.arange(len(film))
    lag = now[:, None] - now[None]
    matrix = jnp.where(lag >= 0, filtering[jnp.maximum(lag, 0)], 0.0)
    return jnp.tensordot(matrix, film, 1)


def energy_correlation(
    films: Float[Array, "film frame row column"],
    activity: Float[Array, "film frame unit"],
    *,
    preferred: Float[Array, " unit"],
    frequency: Float[Array, " unit"],
    rate: Float[Array, ""] | float,
    after: int = 0,
) -> Float[Array, " unit"]:
    """Pearson's correlation of each cell with the opponent energy of its own direction.

    Over all films and their frames but the first `after`. `preferred` and `frequency` are those of
    the cells. A cell that never changes gets 0.
    """

    def one(way: Float[Array, ""], frequency: Float[Array, ""]) -> Float[Array, "film frame"]:
        see = lambda x: opponent_energy(x, direction=way, frequency=frequency, rate=rate)  # noqa: E731
        return jax.vmap(see)(films)

    energy = jnp.moveaxis(jax.vmap(one)(preferred, frequency), 0, -1)
    late = (x[:, after:] for x in (activity, energy))
    a, b = (x - jnp.mean(x, (0, 1), keepdims=True) for x in late)
    product, *squares = (jnp.sum(x, (0, 1)) for x in (a * b, a * a, b * b))
    power = jnp.sqrt(squares[0] * squares[1])
    return jnp.where(power > 0, product / jnp.where(power > 0, power, 1.0), 0.0)
