"""The brain-like arm is as good as its control.

Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657 (two one-sided tests).
"""

import dataclasses
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from .intervals import (
    LEAST,
    AbstractIntervalTest,
    Interval,
    Ruled,
    beside,
    differences,
    mean_interval,
)


@dataclasses.dataclass(frozen=True, eq=False)
class Parity(AbstractIntervalTest):
    """Equivalence of paired seeds within the margin, brain minus control."""

    kind: ClassVar[str] = "parity"
    coverage: ClassVar[float] = 0.90  # two one-sided tests at 5 % each
    brain: Float[np.ndarray, " seed"]  # score; higher is better
    control: Float[np.ndarray, " seed"]
    margin: float  # the largest difference that does not matter, in units of the score

    @property
    def effects(self) -> Float[np.ndarray, " seed"]:
        """One difference per seed."""
        return differences(self.brain, self.control)

    def interval(self, level: float) -> Interval:
        return mean_interval(self.effects, level)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        if -self.margin < low and high < self.margin:
            return "supported"
        return "refuted" if high < -self.margin else "inconclusive"

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        from scipy import stats

        effects, p = self.effects, None
        if effects.size > 1 and np.ptp(effects) > 0:
            above = stats.ttest_1samp(effects, -self.margin, alternative="greater").pvalue
            below = stats.ttest_1samp(effects, self.margin, alternative="less").pvalue
            p = float(max(above, below))
        return beside(effects, p, self.level(looks))

    def rule_in_words(self) -> str:
        return (
            "Supported if the 90 % interval of the mean difference, brain minus control, lies "
            f"within {self.margin:g} of 0 on both sides; refuted if it lies wholly below "
            f"-{self.margin:g}; otherwise, or with fewer than {LEAST} seeds, inconclusive. Where a "
            "second look is planned, 95 % a look."
        )
