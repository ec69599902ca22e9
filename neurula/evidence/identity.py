"""Two things are the same, and only because of the mechanism that makes them so.

Popper (1959), The Logic of Scientific Discovery (a test that cannot fail tests nothing).
"""

import dataclasses
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from ..experiment import AbstractTest, Finding
from .intervals import finite


@dataclasses.dataclass(frozen=True, eq=False)
class Identity(AbstractTest):
    """Numerical identity within a tolerance, and failure of the arm without the mechanism.

    The discrepancy is the claim's to define: a relative error, an angle. Seeds may be equal here.
    """

    kind: ClassVar[str] = "identity"
    discrepancy: Float[np.ndarray, " seed"]  # between what the sentence equates; not negative
    removed: Float[np.ndarray, " seed"]  # the same without the mechanism
    tolerance: float

    def decide(self, *, looks: int = 1) -> Finding:
        found = finite(self.discrepancy)
        if found.size == 0 or self.removed.size == 0:
            return Finding("inconclusive", np.nan, np.nan, np.nan, 1.0, self.tolerance, 0)
        worst = float(found.max())
        if worst > self.tolerance:
            ruling = "refuted"
        elif not (self.removed <= self.tolerance).any():  # nan is a failure too
            ruling = "supported"
        else:  # the check would pass anything, so it has shown nothing
            ruling = "inconclusive"
        return Finding(ruling, worst, float(found.min()), worst, 1.0, self.tolerance, found.size)

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        if self.removed.size == 0:
            return {}
        return {"detail": {"smallest without the mechanism": float(self.removed.min())}}

    def rule_in_words(self) -> str:
        return (
            f"Supported if the discrepancy is at most {self.tolerance:g} for every seed and larger "
            "for every seed of the arm without the mechanism; refuted if it is larger for any seed "
            "with the mechanism; inconclusive if the arm without the mechanism passes too."
        )
