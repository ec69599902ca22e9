"""The grid score of Langston et al. (2010), Science 328:1576 (supporting text), bins masked.

After Sargolini et al. (2006), Science 312:758, whose autocorrelogram needs 20 bins of overlap.
"""

import numpy as np
from jaxtyping import Float, Int

from .autocorrelograms import autocorrelogram

LOW = 0.2  # correlation below which the central peak has ended
MARGIN = 4  # bins (10 cm at 2.5 cm a bin): thinnest annulus, and what is kept off the box's width


# Turns in degrees: what a hexagon keeps stands second and fourth, what it does not, between.
HEXAGON = np.array([30.0, 60.0, 90.0, 120.0, 150.0])
SQUARE = np.array([45.0, 90.0, 135.0, 90.0, 45.0])


def langston(
    maps: Float[np.ndarray, "cell row column"], turns: Float[np.ndarray, "5"] = HEXAGON
) -> Float[np.ndarray, " cell"]:
    """The highest mean over three neighbouring R of min(r60, r120) - max(r30, r90, r150).

    r(angle) is Pearson's correlation of the autocorrelogram with its bilinear rotation, over
    c < distance < R and where both are known. The central peak ends at the radius c where the
    correlation, averaged around the circle, has its first minimum or is first below 0.2. R goes in
    steps of a bin from 4 bins more than c to 4 bins less than the map's shorter side.
    With the turns of a square it is r90 - max(r45, r135).
    """
    from .rings import contrast, correlations, ring_sums

    pictures = autocorrelogram(maps)
    reach = min(maps.shape[1:]) - MARGIN
    inner = central_radius(pictures)
    scores = np.full(len(maps), np.nan)
    if reach <= MARGIN:
        return scores
    sums = ring_sums(pictures, turns, reach)
    for radius in np.unique(inner[(inner > 0) & (inner + MARGIN <= reach)]):
        these = inner == radius
        outer = np.arange(radius + MARGIN, reach + 1)
        r = correlations(sums[these], inner[these], np.tile(outer, (these.sum(), 1)))
        scores[these] = _smoothed(contrast(r))
    return scores


def _smoothed(contrasts: Float[np.ndarray, "cell radius"]) -> Float[np.ndarray, " cell"]:
    width = min(3, contrasts.shape[1])
    windows = np.lib.stride_tricks.sliding_window_view(contrasts, width, 1).mean(2)
    best = np.where(np.isfinite(windows), windows, -np.inf).max(1)
    return np.where(np.isfinite(best), best, np.nan)


def central_radius(
    pictures: Float[np.ndarray, "cell down across"],
) -> Int[np.ndarray, " cell"]:
    """Where the central peak of each autocorrelogram ends, in bins; 0: nowhere."""
    y, x = (np.arange(size) - size // 2 for size in pictures.shape[1:])
    ring = np.round(np.sqrt(y[:, None] ** 2.0 + x[None] ** 2)).astype(int).ravel()
    size = min(pictures.shape[1:]) // 2
    order = np.argsort(ring, kind="stable")
    starts = np.searchsorted(ring[order], np.arange(size + 2))
    flat = pictures.reshape(len(pictures), -1)[:, order[: starts[-1]]]
    there = np.isfinite(flat)
    total = np.add.reduceat(np.where(there, flat, 0), starts[:-1], 1)
    with np.errstate(invalid="ignore"):
        mean = total / np.add.reduceat(there, starts[:-1], 1, dtype=float)
    ended = (mean[:, 1:-1] < LOW) | (mean[:, 2:] > mean[:, 1:-1])
    return np.where(ended.any(1), ended.argmax(1) + 1, 0)
