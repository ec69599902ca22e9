"""The grid score of Banino et al. (2018), Nature 557:429: the best of ten annuli.

The published program gives unvisited bins the rate zero; here they stay out, as the text says.
"""

import numpy as np
from jaxtyping import Float

from .autocorrelograms import autocorrelogram

INNER = 0.2  # of the map's size
OUTER = np.linspace(0.4, 1.0, 10)  # likewise
SAME, OTHER = np.array([60.0, 120.0]), np.array([30.0, 90.0, 150.0])  # degrees
STEADY = 1e-5  # added to the variance


def deepmind(maps: Float[np.ndarray, "cell row column"]) -> Float[np.ndarray, " cell"]:
    """The highest (c60 + c120) / 2 - (c30 + c90 + c150) / 3 of ten annuli.

    c(angle) = mean((a - m) (b - m)) / (var(a) + 1e-5) over the annulus, for the autocorrelogram a,
    its mean m there and its rotation b by cubic splines. The annuli reach from 0.2 to 0.4 ... 1
    times the number of bins along the map's shorter side. Shifts without a correlation count as 0.
    """
    from scipy.ndimage import spline_filter
    from scipy.special import cosdg, sindg

    from .turned_splines import turned_sums

    pictures = np.nan_to_num(autocorrelogram(maps, overlap=2))
    size, turns = min(maps.shape[1:]), np.concatenate([SAME, OTHER])
    ring = _rings(pictures.shape[1:], size)
    sums = np.stack(
        [
            turned_sums(
                picture, spline_filter(picture), ring, len(OUTER), cosdg(turns), sindg(turns)
            )
            for picture in pictures
        ]
    )
    n, a, b, aa, _, ab = np.moveaxis(sums.cumsum(2), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = a / n
        c = (ab - mean * (a + b) + n * mean**2) / n / (aa / n - mean**2 + STEADY)
    score = (c[:, : len(SAME)].mean(1) - c[:, len(SAME) :].mean(1)).max(1)
    return np.where(np.isfinite(maps).any((1, 2)) & pictures.any((1, 2)), score, np.nan)


def _rings(shape: tuple[int, ...], size: int) -> np.ndarray:
    """The first annulus that holds a bin; -1: none does."""
    y, x = (np.arange(one) - one // 2 for one in shape)
    distance = np.sqrt(y[:, None] ** 2.0 + x[None] ** 2)
    ring = np.searchsorted(OUTER * size + 1e-9, distance)
    return np.where((distance <= INNER * size) | (ring == len(OUTER)), -1, ring)
