"""Where an animal was, when, and for how long: bins of space, in metres and seconds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Real

GAP = 10  # a step of time longer than so many usual ones: the animal was not tracked


class Visits(NamedTuple):
    """A path, cut into bins. Rows go up with y, columns with x."""

    times: Float[np.ndarray, " time"]  # s, when each sample begins
    lasting: Float[np.ndarray, " time"]  # s, how long it counts
    bins: Integer[np.ndarray, " time"]  # row * columns + column; -1: outside, or not tracked
    seconds: Float[np.ndarray, "row column"]  # spent in each bin
    x_edges: Float[np.ndarray, " _"]  # m
    y_edges: Float[np.ndarray, " _"]  # m


def visits(
    positions: Real[np.ndarray, "time 2"],
    times: Real[np.ndarray, " time"],
    *,
    bin_width: float = 0.025,
    extent: Sequence[float | int] | None = None,
) -> Visits:
    """Bin a path: `positions` (x, y) in metres at `times` in seconds, ascending.

    `bin_width` is in metres, `extent` is (left, right, bottom, top) of the arena in metres, by
    default what the path covers. Positions that are NaN or outside belong to no bin. A sample lasts
    until the next one; after a gap in tracking it lasts as long as most do. Raises `ValueError`
    for times that do not ascend and for an extent without bins.
    """
    times, positions = np.asarray(times, float), np.asarray(positions, float)
    steps = np.diff(times)
    if len(times) < 2 or not (steps > 0).all():
        wrong = int(np.argmax(~(steps > 0))) + 1
        raise ValueError(
            f"Expected 2 or more ascending times, but got {len(times)}, of which number {wrong} is "
            "not later than the one before: time in a bin would be negative. Sort first: "
            "`order = np.argsort(times); visits(positions[order], times[order])`."
        )
    if extent is None:
        low, high = np.nanmin(positions, 0), np.nanmax(positions, 0)
        extent = float(low[0]), float(high[0]), float(low[1]), float(high[1])
    left, right, bottom, top = extent
    x_edges, y_edges = _edges(left, right, bin_width), _edges(bottom, top, bin_width)
    usual = float(np.median(steps))
    lasting = np.append(np.where(steps > GAP * usual, usual, steps), usual)
    columns, rows = _place(positions[:, 0], x_edges), _place(positions[:, 1], y_edges)
    shape = len(y_edges) - 1, len(x_edges) - 1
    bins = np.where((rows < 0) | (columns < 0), -1, rows * shape[1] + columns)
    there = bins >= 0
    seconds = np.bincount(bins[there], lasting[there], minlength=shape[0] * shape[1])
    return Visits(times, lasting, bins, seconds.reshape(shape), x_edges, y_edges)


def _edges(low: float | int, high: float | int, width: float) -> np.ndarray:
    if not (width > 0 and high > low):
        raise ValueError(
            f"Expected bins wider than 0 m in an arena wider than 0 m, but got bin_width={width:g} "
            f"from {low:g} to {high:g} m: there would be no bin. Try "
            "`visits(positions, times, bin_width=0.025, extent=(0, 1, 0, 1))`."
        )
    return low + width * np.arange(max(int(np.ceil((high - low) / width - 1e-6)), 1) + 1)


def _place(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The bin of each value; the last bin holds its far edge, too."""
    with np.errstate(invalid="ignore"):
        last = len(edges) - 2
        place = np.floor((values - edges[0]) / (edges[1] - edges[0]) + 1e-9)
        place = np.where(np.abs(values - edges[-1]) < 1e-9, last, place)
        return np.where((place >= 0) & (place <= last), place, -1).astype(int)


def samples(spikes: Real[np.ndarray, " spike"], path: Visits) -> Integer[np.ndarray, " kept"]:
    """The sample of the path in which each spike (s) falls; those outside of the path drop out."""
    which = np.searchsorted(path.times, spikes, side="right") - 1
    kept = which >= 0
    which = which[kept]
    return which[np.asarray(spikes, float)[kept] < path.times[which] + path.lasting[which]]
