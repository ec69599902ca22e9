"""Spike-time tiling coefficient: how much two cells fire together, whatever their rates.

Cutts & Eglen (2014), J. Neurosci. 34:14288.
"""

import numpy as np
from jaxtyping import Real

Times = Real[np.ndarray, " _"]  # ascending


def spike_time_tiling(
    first: Times, second: Times, *, window: float, start: float, stop: float
) -> float:
    """STTC = ((P_a - T_b) / (1 - P_a T_b) + (P_b - T_a) / (1 - P_b T_a)) / 2, from -1 to 1.

    T_a is the share of the recording (`start` to `stop`) within `window` of a spike of a, P_a the
    share of a's spikes within `window` of one of b's, edges counted in. Times may be in any one
    unit. 0 for independent cells, 1 for a cell against itself; NaN where one never fired. A term
    whose P and T are both 1 counts 1. Raises `ValueError` for times outside of the recording.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    both = np.concatenate([first, second])
    if not (window > 0 and stop > start) or (
        both.size and (both.min() < start or both.max() > stop)
    ):
        span = f"{both.min():g} to {both.max():g}" if both.size else "none"
        raise ValueError(
            f"Expected a window above 0 and spikes from {start:g} to {stop:g}, but got a window of "
            f"{window:g} and spikes from {span}: shares of it would be wrong. Cut first: "
            "`times[(times >= start) & (times <= stop)]`."
        )
    if not (len(first) and len(second)):
        return float("nan")
    covered = [_covered(each, window, start, stop) for each in (first, second)]
    near = [_near(first, second, window), _near(second, first, window)]
    return (_term(near[0], covered[1]) + _term(near[1], covered[0])) / 2


def _term(near: float, covered: float) -> float:
    return 1.0 if near * covered == 1 else (near - covered) / (1 - near * covered)


def _covered(times: np.ndarray, window: float, start: float, stop: float) -> float:
    """Share of the recording within a window of a spike, overlaps counted once."""
    gaps = np.diff(times)
    total = np.minimum(gaps, 2 * window).sum()
    ends = min(times[0] - start, window) + min(stop - times[-1], window)
    return float(min((total + ends) / (stop - start), 1.0))


def _near(times: np.ndarray, others: np.ndarray, window: float) -> float:
    """Share of spikes within a window of another cell's."""
    begin = np.searchsorted(others, times - window, side="left")
    return float(np.mean(np.searchsorted(others, times + window, side="right") > begin))
