"""An advantage grows with something: depth, noise, time.

Lorch & Myers (1990), J. Exp. Psychol. Learn. Mem. Cogn. 16:149 (one regression per subject).
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
    finite,
    gain,
    gain_in_words,
    mean_interval,
)
from .permutations import sign_flip


@dataclasses.dataclass(frozen=True, eq=False)
class Slope(AbstractIntervalTest):
    """Mean over seeds of the least-squares slope, brain minus control (or brain alone)."""

    kind: ClassVar[str] = "slope"
    coverage: ClassVar[float] = 0.95
    levels: Float[np.ndarray, " level"]  # what it should grow with; at least two values
    brain: Float[np.ndarray, "seed level"]
    margin: float  # in units of the score per unit of the levels
    control: Float[np.ndarray, "seed level"] | None = None  # without one: the slope itself

    def __post_init__(self):
        if self.levels.size == 0 or np.ptp(self.levels) == 0:
            raise ValueError(
                f"Expected at least two different levels, but got {self.levels.tolist()}. No line "
                "has a slope over one point. Measure at more: `levels=np.array([1.0, 3.0, 6.0])`."
            )

    @property
    def effects(self) -> Float[np.ndarray, " seed"]:
        """One slope, or difference of slopes, per seed."""
        centred = self.levels - self.levels.mean()
        scores = finite(self.brain)
        if self.control is not None:
            scores = differences(self.brain, self.control)
        return scores @ (centred / (centred @ centred))

    def interval(self, level: float) -> Interval:
        return mean_interval(self.effects, level)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        return gain(estimate, low, high, self.margin)

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        return beside(self.effects, sign_flip(self.effects), self.level(looks))

    def rule_in_words(self) -> str:
        what = "slope" if self.control is None else "difference of slopes, brain minus control,"
        return gain_in_words(f"the mean {what}", self.margin)
