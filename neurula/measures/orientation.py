"""How sharply cells are tuned to the orientation of drifting gratings.

Circular variance and half width at 1 / sqrt(2): Ringach, Shapley & Hawken (2002), J. Neurosci.
22:5639. Half width at half height: De Valois, Yund & Hepler (1982), Vision Res. 22:531.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real

Cells = Float[np.ndarray, " cell"]


class OrientationTuning(NamedTuple):
    """What is left of tuning curves."""

    circular_variance: Cells  # 1 - |sum R exp(2 i direction)| / sum R: 0 sharp, 1 round; or NaN
    preferred: Cells  # orientation of the grating, radians in [0, pi): that of the mean vector
    half_width: Cells  # radians; NaN where the curve does not fall that far on both sides
    strongest: Cells  # response to the best direction


def orientation_tuning(
    responses: Real[np.ndarray, "direction cell"], *, height: float = 2**-0.5
) -> OrientationTuning:
    """Tuning of cells by their responses to `directions(n)`, over the whole circle.

    Directions are those of `grating`: across the bars. Responses are rates beyond the one at a
    blank screen; what is below 0 counts as 0, and a cell without any response has no tuning: NaN.
    The half width is that at which the curve, its corners joined by straight lines, has fallen to
    `height` of its peak, averaged over both sides of the strongest direction.
    """
    responses = np.asarray(responses, float)
    if len(responses) < 6 or len(responses) % 2:
        raise ValueError(
            f"Expected responses to an even number of directions, 6 or more over the whole circle, "
            f"but got {len(responses)}: orientations would not be evenly spaced, or too few to "
            "tell a width. Show gratings in `directions(12)`."
        )
    if not 0 < height < 1:
        raise ValueError(
            f"Expected a height between 0 and 1 of the peak, but got {height:g}: no curve has a "
            "width there. Give `height=0.5` for the half width at half height."
        )
    responses = np.maximum(responses, 0.0)
    ways = 2 * np.pi * np.arange(len(responses)) / len(responses)
    total = responses.sum(0)
    there = total > 0
    vector = np.exp(2j * ways) @ responses / np.where(there, total, 1.0)
    return OrientationTuning(
        np.where(there, 1 - np.abs(vector), np.nan),
        np.where(there, np.angle(vector) / 2 % np.pi, np.nan),
        np.where(there, _half_width(responses, height), np.nan),
        responses.max(0),
    )


def _half_width(responses: Float[np.ndarray, "direction cell"], height: float) -> Cells:
    """Mean of both sides, up to a quarter of the circle away from the peak."""
    count, cells = responses.shape
    peak = responses.argmax(0)
    steps = np.arange(count // 4 + 1)
    sides = []
    for side in (1, -1):
        curve = responses[(peak[None] + side * steps[:, None]) % count, np.arange(cells)[None]]
        level = height * curve[0]
        below = curve <= level[None]
        first = np.maximum(below.argmax(0), 1)
        above, under = curve[first - 1, np.arange(cells)], curve[first, np.arange(cells)]
        drop = np.where(above > under, above - under, 1.0)
        width = (first - 1 + (above - level) / drop) * 2 * np.pi / count
        sides.append(np.where(below.any(0), width, np.nan))
    return np.mean(sides, axis=0)
