"""What a spike train looks like: bursts, pauses, adaptation.

Bursts: Lu, Guido & Sherman (1992), J. Neurophysiol. 68:2185. Adaptation: the index of the Allen
Cell Types Database (2015), electrophysiology white paper.
"""

import numpy as np
from jaxtyping import Float, Shaped

Times = Float[np.ndarray, " spike"]  # ms


def spike_times(spikes: Shaped[np.ndarray, " time"], *, dt: float) -> Times:
    """When a cell fired, ms; a spike is dated to the end of its step."""
    return (np.flatnonzero(spikes) + 1) * float(dt)


def first_burst(times: Times, *, close: float) -> int:
    """How many spikes the first burst has, whose intervals are at most `close` ms; 1: none."""
    apart = np.diff(times) > close
    return int(np.argmax(apart)) + 1 if apart.any() else len(times)


def pauses(times: Times, *, close: float, longer: float) -> int:
    """How many bursts end in a pause.

    A pause lasts more than `close` ms and `longer` times the interval before, which is no longer
    than `close`.
    """
    before, after = np.diff(times)[:-1], np.diff(times)[1:]
    return int(np.sum((before <= close) & (after > close) & (after >= longer * before)))


def adaptation_index(times: Times) -> float:
    """Mean relative change from one interval to the next; 0: regular, positive: slowing down."""
    intervals = np.diff(times)
    if len(intervals) < 2:
        return float("nan")
    return float(np.mean(np.diff(intervals) / (intervals[1:] + intervals[:-1])))


def variation(times: Times) -> float:
    """Coefficient of variation of the intervals; 0: regular, about 1: random, above: bursting."""
    intervals = np.diff(times)
    return float(intervals.std() / intervals.mean()) if len(intervals) > 1 else float("nan")
