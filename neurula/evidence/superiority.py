"""The brain-like arm does better than its control.

Agarwal et al. (2021), NeurIPS (the interquartile mean with a stratified bootstrap).
"""

import dataclasses
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float

from .intervals import (
    AbstractIntervalTest,
    Interval,
    Ruled,
    beside,
    differences,
    finite,
    gain,
    gain_in_words,
    mean_interval,
)
from .permutations import sign_flip

RESAMPLES = 2_000


@dataclasses.dataclass(frozen=True, eq=False)
class Superiority(AbstractIntervalTest):
    """Mean difference of paired seeds, brain minus control.

    Scores may have a second axis of strata (games, tasks). The mean averages over it. The
    interquartile mean pools it, drops the lowest and the highest quarter of the pooled runs of
    each arm, and is resampled within each stratum.
    """

    kind: ClassVar[str] = "superiority"
    coverage: ClassVar[float] = 0.95
    brain: Float[np.ndarray, "*runs"]  # score, (seed,) or (seed, stratum); higher is better
    control: Float[np.ndarray, "*runs"]
    margin: float  # in units of the score
    average: Literal["mean", "interquartile mean"] = "mean"

    @property
    def effects(self) -> Float[np.ndarray, " seed"]:
        """One difference per seed."""
        pairs = differences(self.brain, self.control)
        return pairs if pairs.ndim == 1 else pairs.reshape(len(pairs), -1).mean(1)

    def interval(self, level: float) -> Interval:
        effects = self.effects
        if self.average == "mean" or effects.size < 2:
            return mean_interval(effects, level)
        return _interquartile(self.brain, self.control, level)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        return gain(estimate, low, high, self.margin)

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        return beside(self.effects, sign_flip(self.effects), self.level(looks))

    def rule_in_words(self) -> str:
        return gain_in_words(f"the {self.average} difference, brain minus control,", self.margin)


def _interquartile(brain: np.ndarray, control: np.ndarray, level: float) -> Interval:
    """Percentiles of a bootstrap; both arms are resampled together, so that pairs stay pairs."""
    n, strata = len(brain), np.arange(brain[0].size)
    picked = np.random.default_rng(0).integers(n, size=(RESAMPLES, n, strata.size))
    brain, control = finite(brain).reshape(n, -1), finite(control).reshape(n, -1)
    estimate = _middle(brain.reshape(1, -1)) - _middle(control.reshape(1, -1))
    draws = _middle(brain[picked, strata]) - _middle(control[picked, strata])
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(float(estimate[0]), float(low), float(high), n)


def _middle(runs: np.ndarray) -> np.ndarray:
    """Interquartile means of the rows."""
    ordered = np.sort(runs.reshape(len(runs), -1), axis=1)
    cut = ordered.shape[1] // 4
    return ordered[:, cut : ordered.shape[1] - cut].mean(1)
