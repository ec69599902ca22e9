"""What a measure gives by chance: spikes shifted in time against the path, in a circle.

The shift keeps the spike train's own order. Langston et al. (2010), Science 328:1576.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Real

from .rate_maps import SIGMA, rate_map, smoothed, spike_sums
from .visited import Visits, samples

LEAST = 20.0  # s, of a shift
PERCENTILE = 95.0


class Shuffled(NamedTuple):
    """A measure of each cell, and what it is worth. Compare cell by cell, not pooled."""

    observed: Float[np.ndarray, " cell"]
    shuffles: Float[np.ndarray, "cell shuffle"]
    threshold: Float[np.ndarray, " cell"]  # a percentile of the cell's own shuffles

    @property
    def corrected(self) -> Float[np.ndarray, " cell"]:
        """Observed less the mean of the shuffles: for measures with a bias, like information."""
        there = np.isfinite(self.shuffles)
        with np.errstate(invalid="ignore"):
            mean = np.where(there, self.shuffles, 0).sum(1) / there.sum(1)
        return self.observed - mean

    @property
    def p_value(self) -> Float[np.ndarray, " cell"]:
        """(1 + shuffles as high or higher) / (1 + shuffles), of those that are not NaN."""
        higher = (self.shuffles >= self.observed[:, None]).sum(1)
        p = (1 + higher) / (1 + np.isfinite(self.shuffles).sum(1))
        return np.where(np.isnan(self.observed), np.nan, p)


def shuffled(
    measure: Callable[[np.ndarray], np.ndarray],
    path: Visits,
    *,
    spikes: Sequence[Real[np.ndarray, " _"]] | None = None,
    rates: Real[np.ndarray, "time cell"] | None = None,
    sigma: float = SIGMA,
    shuffles: int = 100,
    least: float = LEAST,
    percentile: float = PERCENTILE,
    rng: np.random.Generator,
) -> Shuffled:
    """A measure of rate maps, with its distribution for each cell under circular time shifts.

    `measure` takes maps (map, row, column) to one number each: `grid_score`, or
    `lambda maps: spatial_information(maps, path.seconds).per_spike`. Every shuffle of every cell
    has a shift of its own, uniform between `least` seconds and as much before the end. The
    threshold is the given percentile of the cell's own shuffles, NaN ones left out.
    """
    observed, found = [], []
    for maps in shifted_maps(
        path, spikes=spikes, rates=rates, sigma=sigma, shuffles=shuffles, least=least, rng=rng
    ):
        values = np.asarray(measure(maps), float)
        observed.append(values[0])
        found.append(values[1:])
    every = np.array(found).reshape(-1, shuffles)
    blank = np.isnan(every).all(1)
    threshold = np.full(len(every), np.nan)
    if not blank.all():
        threshold[~blank] = np.nanpercentile(every[~blank], percentile, axis=1)
    return Shuffled(np.array(observed).reshape(-1), every, threshold)


def shifted_maps(
    path: Visits,
    *,
    spikes: Sequence[Real[np.ndarray, " _"]] | None = None,
    rates: Real[np.ndarray, "time cell"] | None = None,
    sigma: float = SIGMA,
    shuffles: int = 100,
    least: float = LEAST,
    rng: np.random.Generator,
) -> Iterator[Float[np.ndarray, "map row column"]]:
    """Cell by cell, its rate map and then those of its shuffles: (1 + shuffle, row, column).

    Several measures of the same shuffles share one walk through this.
    """
    if rates is None:
        for each in spikes or ():
            shifts = time_shifts(path, shuffles, least=least, rng=rng)
            steps = samples(np.asarray(each), path)
            moved = (steps[None] + shifts[:, None]) % len(path.times)
            yield smoothed(spike_sums(path, moved), path.seconds, sigma)
        return
    for rate in np.asarray(rates, float).T:
        shifts = time_shifts(path, shuffles, least=least, rng=rng)
        moved = rate[(np.arange(len(rate))[:, None] - shifts[None]) % len(rate)]
        yield rate_map(path, rates=moved, sigma=sigma)


def time_shifts(
    path: Visits, shuffles: int, *, least: float = LEAST, rng: np.random.Generator
) -> Integer[np.ndarray, " shift"]:
    """Shifts in samples of the path: first none, then `shuffles` random ones."""
    usual = float(np.median(path.lasting))
    size, fewest = len(path.times), int(np.ceil(least / usual - 1e-9))
    if shuffles < 1 or size - 2 * fewest < 1:
        raise ValueError(
            f"Expected a shuffle or more and a path longer than twice the least shift, but got "
            f"{shuffles} and {size * usual:g} s for shifts of {least:g} s: none is that far from "
            f"both ends. Record longer, or try `least={size * usual / 10:g}`."
        )
    return np.append(0, rng.integers(fewest, size - fewest, shuffles, endpoint=True))
