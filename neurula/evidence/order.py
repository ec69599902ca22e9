"""Things come in the order that was stated beforehand.

Kendall (1945), Biometrika 33:239 (tau-b, which allows for ties).
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
from .permutations import mean_against

SHUFFLES = 999


@dataclasses.dataclass(frozen=True, eq=False)
class Order(AbstractIntervalTest):
    """Mean over seeds of Kendall's tau-b between predicted and observed order.

    If `observed` was chosen on the way (the best layer, band or threshold), chance alone gives a
    tau above zero. Then `null` must hold, for each seed, the tau of shuffled data on which the
    same choices were made; its mean is subtracted. Without it the items are shuffled for p only.
    """

    kind: ClassVar[str] = "order"
    coverage: ClassVar[float] = 0.95
    predicted: Float[np.ndarray, " item"]  # ranks, or any numbers in the predicted order
    observed: Float[np.ndarray, "seed item"]
    margin: float  # of tau, between 0 and 1
    null: Float[np.ndarray, "seed draw"] | None = None

    @property
    def effects(self) -> Float[np.ndarray, " seed"]:
        """One tau-b, or excess of tau-b over the seed's null, per seed."""
        tau = finite(kendall(self.predicted, self.observed))
        return tau if self.null is None else differences(tau, self.null.mean(1))

    def interval(self, level: float) -> Interval:
        return mean_interval(self.effects, level)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        return gain(estimate, low, high, self.margin)

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        null = self.null
        if null is None:
            rng = np.random.default_rng(0)
            shuffled = [rng.permuted(self.observed, axis=1) for _ in range(SHUFFLES)]
            null = np.stack([kendall(self.predicted, items) for items in shuffled], 1)
        p = mean_against(kendall(self.predicted, self.observed), null)
        return beside(self.effects, p, self.level(looks))

    def rule_in_words(self) -> str:
        over = "" if self.null is None else ", over that of shuffled data,"
        return gain_in_words(f"the mean rank correlation (Kendall's tau-b){over}", self.margin)


def kendall(
    predicted: Float[np.ndarray, " item"], observed: Float[np.ndarray, "*seed item"]
) -> Float[np.ndarray, "*seed"]:
    """Kendall's tau-b of one prediction against many observations; 0 where one side is all ties."""
    i, j = np.triu_indices(predicted.size, 1)
    expected = np.sign(predicted[j] - predicted[i])
    found = np.sign(observed[..., j] - observed[..., i])
    untied = np.sqrt(np.abs(expected).sum() * np.abs(found).sum(-1))
    return (found @ expected) / np.where(untied == 0, 1.0, untied)
