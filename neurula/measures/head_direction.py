"""Head direction: how fast a cell fires for each direction, and how sharply.

Taube, Muller & Ranck (1990), J. Neurosci. 10:420; statistics, Zar (2010), Biostatistical Analysis,
chapters 26 and 27.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real


class HeadDirection(NamedTuple):
    """How a cell is tuned to direction."""

    directions: Float[np.ndarray, " bin"]  # radians, middles of the bins
    rates: Float[np.ndarray, " bin"]  # Hz; NaN: the animal never looked there
    length: float  # of the mean vector, 0 (untuned) to 1 (one direction)
    preferred: float  # radians, 0 to 2 pi
    p_value: float  # Rayleigh's test


def head_direction(
    angles: Real[np.ndarray, " time"],
    times: Real[np.ndarray, " time"],
    spikes: Real[np.ndarray, " spike"],
    *,
    bins: int = 60,
) -> HeadDirection:
    """Tuning to the head's direction, `angles` in radians at `times` in seconds, `spikes` in s.

    Rates f_k in `bins` directions d_k are spikes over seconds, so that where the animal looked most
    does not count; the mean vector is sum_k f_k e^(i d_k) / sum_k f_k = R e^(i preferred), with R
    enlarged by (pi / bins) / sin(pi / bins), what bins take off. Rayleigh's test has
    p = exp(sqrt(1 + 4 n + 4 (n² - (n R)²)) - (1 + 2 n)) for n spikes, as if independent; shuffles
    are safer. NaN angles are left out.
    """
    from .visited import samples, visits

    if bins < 3:
        raise ValueError(
            f"Expected 3 bins of direction or more, but got {bins}: two have no preferred "
            "direction. Try `head_direction(angles, times, spikes, bins=60)`."
        )
    turned = np.mod(np.asarray(angles, float), 2 * np.pi)
    flat = np.stack([turned * bins / (2 * np.pi), np.zeros_like(turned)], 1)
    path = visits(flat, times, bin_width=1.0, extent=(0.0, float(bins), -0.5, 0.5))
    seconds, which = path.seconds[0], path.bins[samples(spikes, path)]
    counts = np.bincount(which[which >= 0], minlength=bins).astype(float)
    rates = np.divide(counts, seconds, out=np.full(bins, np.nan), where=seconds > 0)
    directions = (np.arange(bins) + 0.5) * 2 * np.pi / bins
    total, n = np.nansum(rates), counts.sum()
    if total == 0:
        return HeadDirection(directions, rates, *[float("nan")] * 3)
    width = np.pi / bins
    vector = np.nansum(rates * np.exp(1j * directions)) / total * width / np.sin(width)
    length = min(float(np.abs(vector)), 1.0)
    p_value = np.exp(np.sqrt(1 + 4 * n + 4 * n**2 * (1 - length**2)) - (1 + 2 * n))
    return HeadDirection(
        directions, rates, length, float(np.angle(vector) % (2 * np.pi)), float(min(p_value, 1.0))
    )
