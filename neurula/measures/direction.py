"""How selective cells are for the direction of motion, and for orientation.

Direction: Albright (1984), J. Neurophysiol. 52:1106. Orientation: Ringach, Shapley & Hawken (2002),
J. Neurosci. 22:5639 (one minus the circular variance).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .gratings import directions

Tuning = Float[Array, "direction *unit"]


def rectified(
    activity: Float[Array, "time *unit"], blank: Float[Array, "*unit"]
) -> Float[Array, "*unit"]:
    """Mean over time of what a cell does beyond its activity at a blank picture, if more.

    Without it a cell that a grating modulates evenly up and down would seem not to respond.
    """
    return jnp.mean(jnp.maximum(activity - blank[None], 0.0), axis=0)


def direction_index(tuning: Tuning) -> Float[Array, "*unit"]:
    """DI = 1 - R(null) / R(preferred): 0 if both ways are alike, 1 if one is without response.

    Responses are to evenly spaced directions over the whole circle, preferred is the strongest,
    null its opposite. Responses below 0 count as 0; a cell without any response gets 0.
    """
    opposite = jnp.roll(_checked(tuning), len(tuning) // 2, axis=0)
    at = jnp.argmax(tuning, axis=0)[None]
    most, null = (jnp.take_along_axis(x, at, axis=0)[0] for x in (tuning, opposite))
    return _index(most, null)


def preferred_direction(tuning: Tuning) -> Float[Array, "*unit"]:
    """The direction of the strongest response, radians."""
    return directions(len(_checked(tuning)))[jnp.argmax(tuning, axis=0)]


def orientation_index(tuning: Tuning) -> Float[Array, "*unit"]:
    """|sum R exp(2 i direction)| / sum R: 0 if round, 1 if one orientation alone is answered."""
    tuning = jnp.maximum(_checked(tuning), 0.0)
    twice = 2 * directions(len(tuning))
    total = jnp.sum(tuning, axis=0)
    real, imaginary = (jnp.tensordot(f(twice), tuning, 1) for f in (jnp.cos, jnp.sin))
    return jnp.where(total > 0, jnp.hypot(real, imaginary) / jnp.where(total > 0, total, 1.0), 0.0)


def shuffled_direction_index(
    preferred: Float[Array, "trial *unit"],
    null: Float[Array, "trial *unit"],
    *,
    draws: int,
    key: PRNGKeyArray,
) -> Float[Array, "draw *unit"]:
    """The DI that is left when trials in the preferred and the null direction are mixed.

    Only these two labels are shuffled, for every cell by itself: a shuffle over all directions
    would set the preferred one against others, and make every cell with an orientation seem
    directional.
    """
    trials = jnp.concatenate([preferred, null])
    total = jnp.sum(trials, axis=0)

    def draw(key: PRNGKeyArray) -> Float[Array, "*unit"]:
        mixed = jax.random.permutation(key, trials, axis=0, independent=True)
        half = jnp.sum(mixed[: len(preferred)], axis=0)
        return _index(jnp.maximum(half, total - half), jnp.minimum(half, total - half))

    return jax.lax.map(draw, jax.random.split(key, draws))


def _index(most: Float[Array, "*unit"], null: Float[Array, "*unit"]) -> Float[Array, "*unit"]:
    there = most > 0
    return jnp.where(there, 1 - jnp.maximum(null, 0.0) / jnp.where(there, most, 1.0), 0.0)


def _checked(tuning: Tuning) -> Tuning:
    """Refuse directions that have no opposite."""
    if len(tuning) < 2 or len(tuning) % 2:
        raise ValueError(
            f"Expected responses to an even number of directions, evenly spaced over the whole "
            f"circle, but got {len(tuning)}: the opposite of the preferred one is missing. Show "
            "gratings in `directions(12)`."
        )
    return tuning
