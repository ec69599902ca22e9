"""The grid score of spatial-maps 0.2.1: one annulus, from half a spacing to half a spacing more.

Lepperød, Sutterud, Mobarhan, Dragly et al. (CINPLA, University of Oslo, 2018).
"""

import numpy as np
from jaxtyping import Float

TURNS = np.array([30.0, 60.0, 90.0, 120.0, 150.0, 180.0])  # degrees


def spatial_maps(maps: Float[np.ndarray, "cell row column"]) -> Float[np.ndarray, " cell"]:
    """min(r60, r120, r180) - max(r30, r90, r150), by cubic splines, in one annulus.

    It lies between half the distance to the nearest other peak of the autocorrelogram and the
    sixth peak's distance beyond that, at most half the picture. The autocorrelogram is not
    normalised by the overlap, NaN bins count as rate zero, and 180 degrees are among the first
    group, as in spatial-maps.
    """
    filled = np.where(np.isfinite(maps), maps, 0.0)
    spread = filled.std((1, 2), keepdims=True)
    varied = spread[:, 0, 0] > 0
    scores = np.full(len(maps), np.nan)
    scores[varied] = [_score(picture) for picture in _pictures(filled[varied], spread[varied])]
    return scores


def _pictures(
    maps: Float[np.ndarray, "cell row column"], spread: Float[np.ndarray, "cell 1 1"]
) -> Float[np.ndarray, "cell down across"]:
    from scipy.signal import fftconvolve

    centred = (maps - maps.mean((1, 2), keepdims=True)) / spread
    return fftconvolve(centred / maps[0].size, centred[:, ::-1, ::-1], axes=(1, 2))


def _score(picture: Float[np.ndarray, "down across"]) -> float:
    from scipy.ndimage import spline_filter
    from scipy.special import cosdg, sindg

    from .turned_splines import turned_sums

    inner, outer = _annulus(picture)
    if not outer > inner:
        return float("nan")
    middle = np.array(picture.shape) / 2
    (top, left), (bottom, right) = ((middle + side).astype(int) for side in (-outer, outer))
    picture = np.ascontiguousarray(picture[top:bottom, left:right])
    y, x = (np.linspace(-size / 2, size / 2, size) for size in picture.shape)
    distance = np.sqrt(y[:, None] ** 2 + x[None] ** 2)
    ring = np.where((distance < inner) | (distance > outer), -1, 0)
    splines = spline_filter(picture, mode="constant")
    sums = turned_sums(picture, splines, ring, 1, cosdg(TURNS), sindg(TURNS))
    n, a, b, aa, bb, ab = np.moveaxis(sums[:, 0], -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (n * ab - a * b) / np.sqrt((n * aa - a * a) * (n * bb - b * b))
    return float(r[1::2].min() - r[::2].max())


def _annulus(picture: Float[np.ndarray, "down across"]) -> tuple[float, float]:
    peaks = _peaks(picture)
    away = np.sqrt(np.square(peaks - peaks[:1]).sum(1))
    first, sixth = (away[k] if k < len(peaks) else np.inf for k in (1, 6))
    outer = min(0.5 * first + sixth, min(picture.shape) / 2)
    return min(0.5 * first, outer), outer


def _peaks(picture: Float[np.ndarray, "down across"]) -> Float[np.ndarray, "peak 2"]:
    """Local maxima among eight neighbours, those nearest to the middle first."""
    from scipy.ndimage import label, maximum_position

    near = np.pad(picture, 1, mode="symmetric")
    rows = np.maximum(np.maximum(near[:-2], near[1:-1]), near[2:])
    highest = np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
    there = picture == highest
    if (there[1:] & there[:-1]).any() or (there[:, 1:] & there[:, :-1]).any():  # flat tops
        marks, count = label(there)
        peaks = np.array(maximum_position(picture, marks, np.arange(1, count + 1)))
    else:
        peaks = np.argwhere(there)
    middle = (np.array(picture.shape) - 1) / 2
    return peaks[np.linalg.norm(peaks - middle, axis=1).argsort()].astype(float)
