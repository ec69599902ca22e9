"""Time two functions fairly: warm both up, then take turns."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax


def seconds(function: Callable[[], Any]) -> float:
    """One run, until its results are there."""
    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start


def compare(ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int = 7) -> dict:
    """First-run seconds (compilation included), warm medians and the ratio theirs / ours."""
    cold = {"ours": seconds(ours), "theirs": seconds(theirs)}
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    warm = {
        "ours": statistics.median(a for a, _ in pairs),
        "theirs": statistics.median(b for _, b in pairs),
    }
    ratios = sorted(b / a for a, b in pairs)
    return {
        "cold_seconds": cold,
        "warm_seconds": warm,
        "ratio": statistics.median(ratios),
        "ratio_range": [ratios[0], ratios[-1]],
    }
