"""Something appears that chance, in the very same network, would not give.

Theiler et al. (1992), Physica D 58:77 (surrogate data).
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
from .permutations import mean_against


@dataclasses.dataclass(frozen=True, eq=False)
class AgainstNull(AbstractIntervalTest):
    """Mean over seeds of a statistic's excess over the mean of its own null distribution.

    The null of a seed is made from that seed's network: shuffled, untrained, or driven by noise
    with the same spectrum. p is one-sided: how often draws, one per network, average as high.
    """

    kind: ClassVar[str] = "against null"
    coverage: ClassVar[float] = 0.95
    observed: Float[np.ndarray, " seed"]
    null: Float[np.ndarray, "seed draw"]
    margin: float  # in units of the statistic

    @property
    def effects(self) -> Float[np.ndarray, " seed"]:
        """One excess per seed."""
        return differences(self.observed, self.null.mean(1))

    def interval(self, level: float) -> Interval:
        return mean_interval(self.effects, level)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        return gain(estimate, low, high, self.margin)

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        p = mean_against(self.observed, self.null)
        return beside(self.effects, p, self.level(looks))

    def rule_in_words(self) -> str:
        return gain_in_words("the mean excess over the network's own null", self.margin)
