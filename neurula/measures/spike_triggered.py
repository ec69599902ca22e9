"""What a cell looks for, from the stimuli that come before its spikes.

Schwartz, Pillow, Rust & Simoncelli (2006), J. Vis. 6(4):13. Axes are tested one by one, each with
those before it taken out: Rust, Schwartz, Movshon & Simoncelli (2005), Neuron 46:945.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real

LEVEL = 0.05  # of each test

Windows = Float[np.ndarray, "time pixel"]
Counts = Float[np.ndarray, " time"]


class SpikeTriggered(NamedTuple):
    """Filters of a cell. Axes have length 1; `lag` 0 is the bin of the spike, 1 the one before."""

    average: Float[np.ndarray, "lag pixel"]  # mean stimulus before spikes, less that of all bins
    average_p: float  # how often shifted spikes have an average as long
    variances: Float[np.ndarray, " direction"]  # before spikes less all, descending; without the
    # direction of the average, if that is no chance
    exciting: Float[np.ndarray, "axis lag pixel"]  # variance grows: the cell likes both signs
    suppressing: Float[np.ndarray, "axis lag pixel"]  # variance shrinks


def spike_triggered(
    stimuli: Real[np.ndarray, "time pixel"],
    spikes: Real[np.ndarray, " bin"],
    *,
    lags: int = 1,
    shuffles: int = 200,
    least: int | None = None,
    most: int = 8,
    rng: np.random.Generator,
) -> SpikeTriggered:
    """Spike-triggered average and covariance, with axes that circular shifts would not give.

    `spikes` counts spikes in the bins of `stimuli`, which should be white: values of correlated
    stimuli smear filters. The null shifts the counts in a circle by `least` bins or more (a tenth
    of them unless given), keeping a train's own order. The direction of the average is taken out
    before covariances are compared. Then the most extreme variance, of both ends, is an axis if
    fewer than 5 % of shifts have one as extreme at that end (2.5 % for each); it is taken out, and
    the rest is tested anew, up to `most` axes. Raises `ValueError` if there are fewer spikes than
    directions: covariances would be singular.
    """
    stimuli, spikes = np.asarray(stimuli, float), np.asarray(spikes, float)
    least = len(spikes) // 10 if least is None else least
    _check(stimuli, spikes, lags, shuffles, least)
    windows = _windows(stimuli, lags)
    counts = spikes[lags - 1 :]
    shifts = rng.integers(least, len(counts) - least, shuffles, endpoint=True)
    average = _average(windows, counts)
    lengths = [np.linalg.norm(_average(windows, np.roll(counts, k))) for k in shifts]
    found = np.linalg.norm(average)
    p = (1 + np.sum(np.array(lengths) >= found)) / (1 + shuffles)
    outside = average[:, None] / max(float(found), 1e-300)
    if p > LEVEL:
        outside = outside[:, :0]
    rest = _without(outside)
    variances = np.linalg.eigvalsh(rest.T @ _excess(windows, counts) @ rest)[::-1]
    axes: dict[str, list[np.ndarray]] = {"exciting": [], "suppressing": []}
    while sum(map(len, axes.values())) < most and rest.shape[1] > 1:
        axis = _next_axis(windows @ rest, counts, shifts)
        if axis is None:
            break
        kind, direction = axis
        axes[kind].append(rest @ direction)
        outside = np.column_stack([outside, rest @ direction])
        rest = _without(outside)
    shape = (-1, lags, stimuli.shape[1])
    return SpikeTriggered(
        average.reshape(shape[1:]),
        float(p),
        variances,
        np.array(axes["exciting"]).reshape(shape),
        np.array(axes["suppressing"]).reshape(shape),
    )


def _next_axis(
    windows: Windows, counts: Counts, shifts: np.ndarray
) -> tuple[str, Float[np.ndarray, " pixel"]] | None:
    """The direction whose variance lies furthest beyond what shifts give, if any does."""
    values, directions = np.linalg.eigh(_excess(windows, counts))
    null = np.array(
        [np.linalg.eigvalsh(_excess(windows, np.roll(counts, k)))[[0, -1]] for k in shifts]
    )
    low, high = np.quantile(null[:, 0], LEVEL / 2), np.quantile(null[:, 1], 1 - LEVEL / 2)
    scale = np.maximum(null.std(0), 1e-300)
    above, below = (values[-1] - high) / scale[1], (low - values[0]) / scale[0]
    if max(above, below) <= 0:
        return None
    if above >= below:
        return "exciting", directions[:, -1]
    return "suppressing", directions[:, 0]


def _windows(stimuli: np.ndarray, lags: int) -> Windows:
    """Every bin's stimulus and those before it, newest first, less their means."""
    bins = len(stimuli) - lags + 1
    parts = [stimuli[lags - 1 - k : lags - 1 - k + bins] for k in range(lags)]
    windows = np.concatenate(parts, axis=1)
    return windows - windows.mean(0)


def _average(windows: Windows, counts: Counts) -> Float[np.ndarray, " pixel"]:
    return counts @ windows / counts.sum()


def _excess(windows: Windows, counts: Counts) -> Float[np.ndarray, "pixel pixel"]:
    """Covariance before spikes less that of all bins."""
    fired = counts > 0
    seen, weight = windows[fired], counts[fired]
    seen = seen - weight @ seen / weight.sum()
    return (seen * weight[:, None]).T @ seen / (weight.sum() - 1) - np.cov(windows.T)


def _without(outside: Float[np.ndarray, "pixel axis"]) -> Float[np.ndarray, "pixel rest"]:
    """Directions at right angles to those of `outside`."""
    whole, _ = np.linalg.qr(outside, mode="complete")
    return whole[:, outside.shape[1] :]


def _check(stimuli: np.ndarray, spikes: np.ndarray, lags: int, shuffles: int, least: int) -> None:
    if len(stimuli) != len(spikes):
        raise ValueError(
            f"Expected a count of spikes for every stimulus, but got {len(spikes)} counts and "
            f"{len(stimuli)} stimuli: which came before which is unknown. Count spikes in the bins "
            "of the stimuli: `np.histogram(times, edges)[0]`."
        )
    bad = np.count_nonzero(~np.isfinite(stimuli)) + np.count_nonzero(~(spikes >= 0))
    if bad or not np.isfinite(spikes).all():
        raise ValueError(
            f"Expected finite stimuli and counts from 0 up, but {bad} values are NaN, infinite or "
            "negative: an average over them says nothing. Cut these bins out of both."
        )
    directions, total = lags * stimuli.shape[1], spikes[lags - 1 :].sum()
    if lags < 1 or total <= directions:
        raise ValueError(
            f"Expected at least one lag and more spikes than directions, but got {lags} lags and "
            f"{total:g} spikes for {directions} directions: covariances would be singular. Take "
            "fewer lags or pixels, or record longer."
        )
    if shuffles < 1 or not 1 <= least <= (len(spikes) - lags + 1) // 2:
        raise ValueError(
            f"Expected a shuffle or more, by shifts of 1 to {(len(spikes) - lags + 1) // 2} bins "
            f"at least, but got {shuffles} and {least}: no shift is that far from both ends. Try "
            f"`least={max(1, len(spikes) // 10)}`."
        )
