"""A share of runs lies beyond a bound.

Clopper & Pearson (1934), Biometrika 26:404. Wilson's interval stands beside it: it is too narrow
where the bound is near 0 or 1 (at a bound of 2 %, one success in eight runs would exceed it, which
happens in 15 % of cases).
"""

import dataclasses
from typing import Any, ClassVar, Literal

import numpy as np

from .intervals import AbstractIntervalTest, Interval, Ruled, gain, gain_in_words


@dataclasses.dataclass(frozen=True, eq=False)
class Share(AbstractIntervalTest):
    """A proportion against a bound. The effect is its distance from the bound, as a share."""

    kind: ClassVar[str] = "share"
    coverage: ClassVar[float] = 0.95
    successes: int
    trials: int
    bound: float  # in [0, 1]
    margin: float = 0.0  # how far beyond the bound it has to be to matter
    side: Literal["above", "below"] = "above"  # where the sentence says that the share lies

    def __post_init__(self):
        if not 0 <= self.successes <= self.trials:
            raise ValueError(
                f"Expected 0 to {self.trials} successes, but got {self.successes} of {self.trials} "
                "trials. A share is a part of a whole. Count both over the same runs: "
                "`Share(int(hits.sum()), hits.size, bound=0.8)`."
            )

    def interval(self, level: float) -> Interval:
        from scipy.special import betaincinv

        if self.trials == 0:
            return Interval(np.nan, -np.inf, np.inf, 0)
        hits, tail = self.successes, (1 - level) / 2
        misses = self.trials - hits
        low = float(betaincinv(hits, misses + 1, tail)) if hits else 0.0
        high = float(betaincinv(hits + 1, misses, 1 - tail)) if misses else 1.0
        return self._from_bound(hits / self.trials, low, high)

    def _from_bound(self, share: float, low: float, high: float) -> Interval:
        if self.side == "above":
            ends = share - self.bound, low - self.bound, high - self.bound
        else:
            ends = self.bound - share, self.bound - high, self.bound - low
        return Interval(*ends, self.trials)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        return gain(estimate, low, high, self.margin)

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        from scipy import stats

        if self.trials == 0:
            return {}
        test = stats.binomtest(self.successes, self.trials, self.bound)
        wilson = test.proportion_ci(self.level(looks), method="wilson")
        share = self.successes / self.trials
        size = 2 * np.arcsin(share**0.5) - 2 * np.arcsin(self.bound**0.5)  # Cohen's h
        return {
            "p": float(test.pvalue),
            "effect_size": float(size if self.side == "above" else -size),
            "detail": {"share": share, "Wilson low": wilson.low, "Wilson high": wilson.high},
        }

    def rule_in_words(self) -> str:
        return gain_in_words(
            f"the share of runs, counted as its distance {self.side} {self.bound:g},", self.margin
        )
