"""More runs succeed.

Newcombe (1998), Stat. Med. 17:873, method 10 (an interval from two of Wilson's, which keeps its
coverage and its width where all runs succeed or none); Fisher (1935), J. R. Stat. Soc. 98:39.
"""

import dataclasses
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float

from .intervals import AbstractIntervalTest, Interval, Ruled, finite, gain, gain_in_words


@dataclasses.dataclass(frozen=True, eq=False)
class Successes(AbstractIntervalTest):
    """Difference of the shares of runs that succeed, brain minus control, as unpaired runs.

    Outcomes are 0 or 1, so that Student's interval has no width where all are alike: hence a kind
    of its own. Raises `ValueError` for other outcomes.
    """

    kind: ClassVar[str] = "successes"
    coverage: ClassVar[float] = 0.95
    brain: Bool[np.ndarray, " one"] | Float[np.ndarray, " one"]
    control: Bool[np.ndarray, " other"] | Float[np.ndarray, " other"]
    margin: float  # a share of runs

    def __post_init__(self):
        both = finite(np.concatenate([self.brain, self.control]))
        if not np.isin(both, (0, 1)).all():
            raise ValueError(
                f"A run succeeds, 1, or does not, 0, but there are runs of {np.unique(both)[:5]}. "
                "Say what counts as a success: `Successes(score >= 0.9, other >= 0.9, 0.2)`; for "
                "degrees of success there is `Superiority`."
            )

    @property
    def shares(self) -> tuple[float, float]:
        """Of brain and of control."""
        return float(np.mean(self.brain)), float(np.mean(self.control))

    def interval(self, level: float) -> Interval:
        one, other = self.shares
        low, high = wilson(one, len(self.brain), level)
        other_low, other_high = wilson(other, len(self.control), level)
        below = np.hypot(one - low, other_high - other)
        above = np.hypot(high - one, other - other_low)
        n = min(len(self.brain), len(self.control))
        return Interval(one - other, one - other - float(below), one - other + float(above), n)

    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        return gain(estimate, low, high, self.margin)

    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        from scipy import stats

        table = [[int(x.sum()), int(len(x) - x.sum())] for x in (self.brain, self.control)]
        one, other = self.shares
        return {
            "p": float(stats.fisher_exact(table).pvalue),
            "effect_size": float(2 * np.arcsin(one**0.5) - 2 * np.arcsin(other**0.5)),  # Cohen's h
            "detail": {"share, brain": one, "share, control": other},
        }

    def rule_in_words(self) -> str:
        return gain_in_words("the difference of success rates, brain minus control,", self.margin)


def wilson(share: float, n: int, level: float) -> tuple[float, float]:
    """Wilson's interval of a share of n runs."""
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    middle, scale = share + z**2 / (2 * n), 1 + z**2 / n
    half = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return (middle - half) / scale, (middle + half) / scale
