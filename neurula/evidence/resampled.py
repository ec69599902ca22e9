"""It would hold for other subjects and other stimuli.

Schütt et al. (2023), eLife 12:e82566 (bootstrap over both); Efron & Tibshirani (1993), chapter 12
(Student's interval with a bootstrapped standard error).
"""

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from .intervals import (
    AbstractIntervalTest,
    Interval,
    NotFiniteError,
    Ruled,
    gain,
    gain_in_words,
    quantile,
)

RESAMPLES = 1_000  # enough for a standard error

# from how often every subject and every stimulus is counted to the effect, resample by resample
Statistic = Callable[
    [Float[np.ndarray, "resample subject"], Float[np.ndarray, "resample stimulus"]],
    Float[np.ndarray, " resample"],
]


@dataclasses.dataclass(frozen=True, eq=False)
class Resampled(AbstractIntervalTest):
    """An effect on brain data, with subjects and stimuli both drawn anew.

    Resampling only changes how often each subject and each stimulus counts, so `statistic` takes
    these counts: `mean_over_both(effects)` for a table, pair weights for dissimilarities, whose
    cells are never resampled on their own. Degrees of freedom are those of the smaller sample.
    """

    kind: ClassVar[str] = "resampled"
    coverage: ClassVar[float] = 0.95
    statistic: Statistic
    subjects: int
    stimuli: int
    margin: float  # in units of the effect

    def _draws(self) -> tuple[float, np.ndarray]:
        once = np.ones((1, self.subjects)), np.ones((1, self.stimuli))
        estimate = float(self.statistic(*once)[0])
        draws = self.statistic(counts(self.subjects, 0), counts(self.stimuli, 1))
        if not np.isfinite(estimate) or not np.isfinite(draws).all():
            raise NotFiniteError(
                f"Expected a finite effect for every resample, but got {estimate:g} for all data "
                f"and nan or inf for {np.count_nonzero(~np.isfinite(draws))} of {draws.size} "
                "resamples. A resample leaves some subjects and stimuli out and counts others "
                "twice. Look for nan in the recording: `np.argwhere(np.isnan(effects))`."
            )
        return estimate, draws

    def interval(self, level: float) -> Interval:
        n = min(self.subjects, self.stimuli)
        if n < 2:
            return Interval(np.nan, -np.inf, np.inf, n)
        estimate, draws = self._draws()
        half = quantile(n, level) * float(draws.std(ddof=1))
        return Interval(estimate, estimate - half, estimate + half, n)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        return gain(estimate, low, high, self.margin)

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        from scipy.special import stdtr

        n = min(self.subjects, self.stimuli)
        if n < 2:
            return {}
        estimate, draws = self._draws()
        error = float(draws.std(ddof=1))
        tail = (1 - self.level(looks)) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
        return {
            "p": float(2 * stdtr(n - 1, -abs(estimate) / error)) if error > 0 else None,
            "effect_size": estimate / (error * n**0.5) if error > 0 else None,
            "detail": {"percentile low": float(low), "percentile high": float(high)},
        }

    def rule_in_words(self) -> str:
        return gain_in_words("the effect over subjects and stimuli", self.margin).replace(
            "seeds", "subjects or stimuli"
        )


@lru_cache(maxsize=64)
def counts(n: int, stream: int) -> Float[np.ndarray, "resample n"]:
    """How often each of `n` is drawn, for every resample; the same numbers at every call."""
    rng = np.random.default_rng(stream)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float64)
    drawn.setflags(write=False)  # it is shared by all who ask
    return drawn


def mean_over_both(effects: Float[np.ndarray, "subject stimulus"]) -> Statistic:
    """The mean of a table, as a statistic for `Resampled`."""

    def statistic(subjects: np.ndarray, stimuli: np.ndarray) -> np.ndarray:
        total = np.einsum("rs,rs->r", stimuli @ effects.T, subjects)
        return total / (subjects.sum(1) * stimuli.sum(1))

    return statistic


def mean_over_pairs(effects: Float[np.ndarray, "stimulus subject subject"]) -> Statistic:
    """The mean over pairs of different subjects and over stimuli; a copy of oneself is no pair.

    A resample of one subject alone has no pair and counts as the mean of all data.
    """
    apart = effects * (1 - np.eye(effects.shape[1]))

    def statistic(subjects: np.ndarray, stimuli: np.ndarray) -> np.ndarray:
        total = np.einsum("rs,ri,rj,sij->r", stimuli, subjects, subjects, apart, optimize=True)
        pairs = subjects.sum(1) ** 2 - (subjects**2).sum(1)
        mean = apart.sum() / (len(apart) * apart.shape[1] * (apart.shape[1] - 1))
        return np.where(pairs > 0, total / (np.maximum(pairs, 1) * stimuli.sum(1)), mean)

    return statistic
