"""How selective cells are for the direction of motion, and for orientation.

Direction: Albright (1984), J. Neurophysiol. 52:1106. Orientation: Ringach, Shapley & Hawken (2002),
J. Neurosci. 22:5639 (one minus the circular variance).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .gratings import directions

Tuning = Float[Array, "direction *unit"]
Trials = Float[Array, "direction trial *unit"]
Mixed = Float[Array, "draw *unit"]
Units = Float[Array, "*unit"]


def direction_index(tuning: Tuning) -> Units:
    """DI = 1 - R(null) / R(preferred): 0 if both ways are alike, 1 if one is without response.

    Responses are to evenly spaced directions over the whole circle, preferred is the strongest,
    null its opposite. Responses below 0 count as 0; a cell without any response gets 0.
    """
    return _index(*_both_ways(tuning, tuning))


def preferred_direction(tuning: Tuning) -> Units:
    """The direction of the strongest response, radians."""
    return directions(len(_checked(tuning)))[jnp.argmax(tuning, axis=0)]


def orientation_index(tuning: Tuning) -> Units:
    """|sum R exp(2 i direction)| / sum R: 0 if round, 1 if one orientation alone is answered."""
    tuning = jnp.maximum(_checked(tuning), 0.0)
    twice = 2 * directions(len(tuning))
    total = jnp.sum(tuning, axis=0)
    real, imaginary = (jnp.tensordot(f(twice), tuning, 1) for f in (jnp.cos, jnp.sin))
    return jnp.where(total > 0, jnp.hypot(real, imaginary) / jnp.where(total > 0, total, 1.0), 0.0)


def shuffled_direction_index(trials: Trials, *, draws: int, key: PRNGKeyArray) -> Mixed:
    """The DI that is left when trials in the preferred and the null direction are mixed.

    Only these two labels are shuffled, for every cell by itself: a shuffle over all directions
    would set the preferred one against others, and make every cell with an orientation seem
    directional.
    """
    there, back = _both_ways(jnp.mean(trials, axis=1), trials)
    both = jnp.concatenate([there, back])

    def draw(key: PRNGKeyArray) -> Units:
        mixed = jax.random.permutation(key, both, axis=0, independent=True)
        ways = jnp.mean(mixed[: len(there)], axis=0), jnp.mean(mixed[len(there) :], axis=0)
        return _index(jnp.maximum(*ways), jnp.minimum(*ways))

    return jax.lax.map(draw, jax.random.split(key, draws))


def _both_ways(tuning: Tuning, found: Array) -> tuple[Array, Array]:
    """What was found in the preferred direction of every cell, and in the opposite one."""
    at = jnp.argmax(_checked(tuning), axis=0)
    at = at.reshape(1, *(1,) * (found.ndim - tuning.ndim), *at.shape)
    ways = at, (at + len(tuning) // 2) % len(tuning)
    there, back = (jnp.take_along_axis(found, way, axis=0)[0] for way in ways)
    return there, back


def _index(most: Units, null: Units) -> Units:
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
