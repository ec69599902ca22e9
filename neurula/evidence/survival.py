"""It gets there sooner, where some runs never get there.

Royston & Parmar (2013), BMC Med. Res. Methodol. 13:152 (restricted mean survival time).

In an experiment of ours every run has the same budget, and a run is censored by nothing else. Then
the time until success or the end of the budget is known for every run, its paired differences are
plain numbers, and their mean needs neither proportional hazards nor large samples, unlike a hazard
ratio, which is infinite as soon as one of ten seeds separates the arms. Unlike a median it exists
when most runs fail; unlike a mean over successes it does not flatter an arm that fails often.
"""

import dataclasses
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from .intervals import (
    AbstractIntervalTest,
    Interval,
    Ruled,
    beside,
    differences,
    gain,
    gain_in_words,
    mean_interval,
)
from .permutations import sign_flip

RESAMPLES = 2_000


@dataclasses.dataclass(frozen=True, eq=False)
class Survival(AbstractIntervalTest):
    """Mean over paired seeds of the log ratio of evaluations needed, control over brain.

    A time of `budget` or more says that the run did not succeed. Failures pull the ratio towards
    one, so a claim is not refuted where fewer than half of the control's runs succeeded.
    """

    kind: ClassVar[str] = "survival"
    coverage: ClassVar[float] = 0.95
    brain: Float[np.ndarray, " seed"]  # evaluations until success, or the budget
    control: Float[np.ndarray, " seed"]
    budget: float  # evaluations
    margin: float  # a log ratio: np.log(2) is half the evaluations

    @property
    def effects(self) -> Float[np.ndarray, " seed"]:
        """One log ratio within the budget per seed."""
        with np.errstate(divide="ignore", invalid="ignore"):  # named by `differences`
            brain = np.log(np.minimum(self.brain, self.budget))
            control = np.log(np.minimum(self.control, self.budget))
        return differences(control, brain)

    def interval(self, level: float) -> Interval:
        return mean_interval(self.effects, level)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        ruling = gain(estimate, low, high, self.margin)
        told = np.count_nonzero(self.control < self.budget) >= self.control.size / 2
        return ruling if told or ruling != "refuted" else "inconclusive"

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        found = beside(self.effects, sign_flip(self.effects), self.level(looks))
        detail = found["detail"]
        detail["brain runs that failed"] = float((self.brain >= self.budget).sum())
        detail["control runs that failed"] = float((self.control >= self.budget).sum())
        detail["log-rank p, unpaired"] = self._logrank()
        return found | {"detail": detail | self._medians(self.level(looks))}

    def _medians(self, level: float) -> dict[str, float]:
        """How many times the brain's median the control's is, with percentiles of a bootstrap.

        Pairs stay pairs. Where half of the control's runs fail, its median counts as the budget,
        and the ratio is the least that it can be.
        """
        brain, control = (np.minimum(x, self.budget) for x in (self.brain, self.control))
        if brain.size == 0:
            return {}
        picked = np.random.default_rng(0).integers(brain.size, size=(RESAMPLES, brain.size))
        drawn = np.median(control[picked], axis=1) / np.median(brain[picked], axis=1)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return {
            "ratio of medians within the budget": float(np.median(control) / np.median(brain)),
            "ratio of medians low": float(low),
            "ratio of medians high": float(high),
        }

    def _logrank(self) -> float:
        from scipy import stats

        def censored(times: np.ndarray) -> stats.CensoredData:
            return stats.CensoredData.right_censored(
                np.minimum(times, self.budget), times >= self.budget
            )

        if (np.minimum(self.brain, self.control) >= self.budget).all():
            return 1.0
        return float(stats.logrank(censored(self.brain), censored(self.control)).pvalue)

    def rule_in_words(self) -> str:
        words = gain_in_words(
            f"the mean log ratio of evaluations within {self.budget:g}, control over brain,",
            self.margin,
        )
        return f"{words} Not refuted where fewer than half of the control's runs succeeded."
