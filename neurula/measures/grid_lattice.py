"""How far apart a grid's fields are, and how the grid is turned.

Hafting, Fyhn, Molden, Moser & Moser (2005), Nature 436:801: from the six peaks of the
autocorrelogram around its middle.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .autocorrelograms import autocorrelogram
from .grid_langston import central_radius

APART = 30.0  # degrees; of two peaks in nearly one direction the nearer counts
LOWEST = 0.1  # correlation of a peak


class Lattice(NamedTuple):
    """The grid of every cell; NaN where fewer than three axes were found."""

    spacing: Float[np.ndarray, "*cells"]  # m, mean distance from the middle to the peaks
    orientation: Float[np.ndarray, "*cells"]  # degrees from the x axis towards y, 0 to 60
    ellipticity: Float[np.ndarray, "*cells"]  # longest axis over the shortest; 1: regular


def grid_lattice(
    maps: Float[np.ndarray, "*cells row column"], *, bin_width: float = 0.025
) -> Lattice:
    """Spacing (m) and orientation of grid cells, `bin_width` in metres.

    Peaks are placed between bins by a parabola through their neighbours. The three axes are the
    nearest peaks beyond the central one, 30 degrees apart or more; orientation is a third of the
    angle of the mean of e^(6 i angle), so that it has no preferred axis.
    """
    flat = np.asarray(maps, float).reshape(-1, *maps.shape[-2:])
    pictures = autocorrelogram(flat)
    found = np.array(
        [_lattice(one, int(c)) for one, c in zip(pictures, central_radius(pictures), strict=True)]
    ).reshape(-1, 3)
    spacing, orientation, ellipticity = (each.reshape(maps.shape[:-2]) for each in found.T)
    return Lattice(spacing * bin_width, orientation, ellipticity)


def _lattice(picture: Float[np.ndarray, "down across"], inner: int) -> tuple[float, float, float]:
    peaks = _peaks(picture, inner)
    away = np.hypot(*peaks.T)
    axes: list[int] = []
    for k in np.argsort(away):
        angle = np.degrees(np.arctan2(peaks[k, 0], peaks[k, 1]))
        other = [np.degrees(np.arctan2(peaks[m, 0], peaks[m, 1])) for m in axes]
        if all(abs((angle - one + 90) % 180 - 90) >= APART for one in other):
            axes.append(int(k))
        if len(axes) == 3:
            break
    if len(axes) < 3:
        return float("nan"), float("nan"), float("nan")
    angle = np.arctan2(*peaks[axes].T)
    turned = np.degrees(np.angle(np.exp(6j * angle).mean())) / 6
    return float(away[axes].mean()), float(turned % 60), float(away[axes].max() / away[axes].min())


def _peaks(picture: Float[np.ndarray, "down across"], inner: int) -> Float[np.ndarray, "peak 2"]:
    """Places (y, x) of maxima from the middle, in bins; one of each pair, beyond the centre."""
    from scipy.ndimage import maximum_filter

    filled = np.where(np.isfinite(picture), picture, -2.0)
    whole = np.isfinite(picture[1:-1, 1:-1])
    for i, j in ((0, 1), (2, 1), (1, 0), (1, 2)):
        high, wide = picture.shape[0] - 2, picture.shape[1] - 2
        whole = whole & np.isfinite(picture[i : i + high, j : j + wide])
    top = (filled == maximum_filter(filled, 3)) & (filled > LOWEST) & np.pad(whole, 1)
    at = np.argwhere(top)
    middle = np.array(picture.shape) // 2
    up = (at[:, 0] > middle[0]) | ((at[:, 0] == middle[0]) & (at[:, 1] > middle[1]))
    at = at[up & (np.hypot(*(at - middle).T) > inner)]
    return at - middle + np.stack([_between(filled, at, axis) for axis in (0, 1)], 1)


def _between(picture: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    """How far from its bin a parabola through three has its top."""
    step = np.eye(2, dtype=int)[axis]
    low, here, high = (picture[tuple((at + k * step).T)] for k in (-1, 0, 1))
    bend = low - 2 * here + high
    return np.divide((low - high) / 2, bend, out=np.zeros_like(bend), where=bend < 0)
