"""Counting spikes: bins of time, how irregular the counts are, who fires after whom.

Perkel, Gerstein & Moore (1967), Biophys. J. 7:391 and 7:419; the factor, Fano (1947), Phys. Rev.
72:26.
"""

import numpy as np
from jaxtyping import Float, Integer, Real, Shaped

Times = Real[np.ndarray, " spike"]  # ms, ascending
ROUNDING = 1e-6  # of a bin: a spike at the edge of a bin belongs to the one that it ends


def spike_counts(
    times: Times,
    cells: Integer[np.ndarray, " spike"],
    *,
    size: int,
    duration: float,
    bin_width: float,
) -> Float[np.ndarray, "bin cell"]:
    """How often each of `size` cells fired in each bin; what is left at the end is dropped.

    `duration` and `bin_width` are in ms. Bin k holds the spikes later than k bins, up to k + 1.
    Raises `ValueError` for bins that do not fit into the duration.
    """
    if not 0 < bin_width <= duration * (1 + ROUNDING):
        raise ValueError(
            f"Expected a bin width above 0 and up to the duration of {duration:g} ms, but got "
            f"{bin_width:g} ms: no bin would be complete. Try `bin_width={duration / 10:g}`."
        )
    bins = int(duration / bin_width + ROUNDING)
    which = np.maximum(np.ceil(times / bin_width - ROUNDING).astype(int) - 1, 0)
    kept = (which < bins) & (times >= 0)
    flat = np.bincount(which[kept] * size + cells[kept], minlength=bins * size)
    return flat.reshape(bins, size).astype(np.float32)


def fano_factor(counts: Shaped[np.ndarray, "bin cell"]) -> Float[np.ndarray, " cell"]:
    """Variance over mean of the counts of each cell; 1: Poisson, 0: regular. NaN: never fired."""
    counts = np.asarray(counts, float)
    mean, variance = counts.mean(0), counts.var(0, ddof=1)
    return np.divide(variance, mean, out=np.full_like(mean, np.nan), where=mean > 0)


def correlogram(
    first: Real[np.ndarray, " first"],
    second: Real[np.ndarray, " second"],
    *,
    longest: float,
    bin_width: float,
) -> tuple[Float[np.ndarray, " lag"], Float[np.ndarray, " lag"]]:
    """How often the second cell fires so long after a spike of the first, and before; times in ms.

    Gives the lags (the middles of their bins, ms, from -`longest` to `longest`) and the rate of the
    second cell there, in spikes per second, which is flat for cells that are independent. A cell
    against itself (the same array) leaves out each spike's lag of zero to itself.
    """
    if not 0 < bin_width <= longest:
        raise ValueError(
            f"Expected 0 < bin_width <= longest, but got bin_width={bin_width:g} ms and "
            f"longest={longest:g} ms: there would be no lag to show. Try "
            f"`bin_width={longest / 20:g}`."
        )
    side = int(longest / bin_width + 0.5)
    edges = (np.arange(2 * side + 2) - side - 0.5) * bin_width
    begin = np.searchsorted(second, first + edges[0])
    end = np.searchsorted(second, first + edges[-1])
    near = end - begin
    offset = np.arange(near.sum()) - np.repeat(np.cumsum(near) - near, near)
    lags = second[np.repeat(begin, near) + offset] - np.repeat(first, near)
    found = np.histogram(lags, edges)[0].astype(float)
    if first is second:
        found[side] -= len(first)
    return edges[:-1] + bin_width / 2, found / (max(len(first), 1) * bin_width / 1000)
