"""Rate maps: how fast cells fire in each bin of space, where the animal has been.

Smoothed as in Leutgeb et al. (2005), Science 309:619: spikes and time by the same Gaussian.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Integer, Real

from .visited import Visits, samples

SIGMA = 2.0  # bins


def rate_map(
    path: Visits,
    *,
    spikes: Real[np.ndarray, " spike"] | Sequence[Real[np.ndarray, " _"]] | None = None,
    rates: Real[np.ndarray, "..."] | None = None,
    sigma: float = SIGMA,
) -> Float[np.ndarray, "*cells row column"]:
    """Rate in every bin (Hz, or the unit of `rates`); NaN where the animal never was.

    Give the times of `spikes` in seconds, one array for one cell or a list of arrays for many, or
    `rates` at each time step, (time,) or (time, cell). With g a Gaussian of `sigma` bins (0: none),
    n_b spikes (or rate times seconds) and t_b seconds in bin b,

        rate(a) = sum_b g(a - b) n_b / sum_b g(a - b) t_b  over the visited bins b.

    Bins come from `visits`. Raises `ValueError` unless exactly one of the two kinds is given.
    """
    if (spikes is None) == (rates is None):
        raise ValueError(
            "Expected either spikes or rates, but got "
            f"{'neither' if spikes is None else 'both'}: a map has one source. Try "
            "`rate_map(path, spikes=[times_of_cell_0, times_of_cell_1])`."
        )
    if rates is not None:
        if len(rates) != len(path.times):
            raise ValueError(
                f"Expected a rate for each of {len(path.times)} time steps of the path, but got "
                f"{len(rates)}: they would go to wrong places. Give `rates` as (time, cell)."
            )
        return smoothed(_sums_of_rates(path, np.asarray(rates, float)), path.seconds, sigma)
    if isinstance(spikes, np.ndarray):
        return smoothed(spike_sums(path, samples(spikes, path)), path.seconds, sigma)
    sums = [spike_sums(path, samples(np.asarray(each), path)) for each in spikes or ()]
    return smoothed(np.array(sums).reshape(-1, *path.seconds.shape), path.seconds, sigma)


def spike_sums(
    path: Visits, steps: Integer[np.ndarray, "*cells spike"]
) -> Float[np.ndarray, "*cells row column"]:
    """How many spikes fell into each bin, given the samples of the path that they fell into."""
    rows = path.bins[steps].reshape(math.prod(steps.shape[:-1]), steps.shape[-1])
    size = path.seconds.size + 1  # the first is for no bin
    flat = rows + 1 + size * np.arange(len(rows))[:, None]
    counts = np.bincount(flat.ravel(), minlength=size * len(rows)).reshape(len(rows), size)
    return counts[:, 1:].reshape(*steps.shape[:-1], *path.seconds.shape).astype(float)


def _sums_of_rates(path: Visits, rates: np.ndarray) -> np.ndarray:
    cells = rates.reshape(len(rates), -1).T
    there = path.bins >= 0
    bins, lasting, size = path.bins[there], path.lasting[there], path.seconds.size
    sums = [np.bincount(bins, cell[there] * lasting, minlength=size) for cell in cells]
    return np.array(sums).reshape(*rates.shape[1:], *path.seconds.shape)


def smoothed(
    sums: Float[np.ndarray, "*cells row column"],
    seconds: Float[np.ndarray, "row column"],
    sigma: float,
) -> Float[np.ndarray, "*cells row column"]:
    """Sums over seconds, both blurred over visited bins; NaN elsewhere."""
    if sigma < 0:
        raise ValueError(
            f"Expected a sigma of 0 bins or more, but got {sigma:g}: no Gaussian is that narrow. "
            f"Try `sigma={SIGMA:g}`, or 0 for a map that is not smoothed."
        )
    visited = seconds > 0
    sums, seconds = np.where(visited, sums, 0.0), np.where(visited, seconds, 0.0)
    if sigma > 0:
        down, across = (_gaussian(size, sigma) for size in seconds.shape)
        sums, seconds = down @ sums @ across, down @ seconds @ across
    return np.divide(sums, seconds, out=np.full(sums.shape, np.nan), where=visited)


def _gaussian(size: int, sigma: float) -> np.ndarray:
    away = np.arange(size)[:, None] - np.arange(size)[None]
    return np.exp(-np.square(away / sigma) / 2)
