"""From one number per seed to an interval, and from an interval to a ruling.

Student (1908), Biometrika 6:1; Efron (1987), JASA 82:171 (BCa). Below 40 seeds Student's t rules
and BCa describes, because BCa is too narrow there; from 40 on it is the other way round.
"""

import abc
import warnings
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from ..experiment import AbstractTest, Finding

Ruled = Literal["supported", "refuted", "inconclusive"]
LEAST = 8  # seeds; with fewer nothing is ruled
MANY = 40  # seeds from which on the bootstrap rules
RESAMPLES = 10_000

Effects = Float[np.ndarray, " seed"]


class NotFiniteError(ValueError):
    """The numbers of some seeds are infinite or not a number."""


class Interval(NamedTuple):
    """What is known about an effect. Positive favours the sentence."""

    estimate: float
    low: float
    high: float
    n: int


class AbstractIntervalTest(AbstractTest):
    """Evidence that rules by where an interval lies. A new kind writes `interval` and `ruling`."""

    margin: float  # the smallest effect that would matter, in units of the effect
    coverage: ClassVar[float]  # of the interval, when one look is planned

    @abc.abstractmethod
    def interval(self, level: float) -> Interval:
        """The effect with its interval. Raises `ValueError` for numbers that are not finite."""

    @abc.abstractmethod
    def ruling(self, estimate: float, low: float, high: float) -> Ruled:
        """What such an interval means for the sentence."""

    def level(self, looks: int) -> float:
        """Coverage of the interval of each look, so that all looks together keep the errors."""
        return 1 - (1 - self.coverage) / looks

    def decide(self, *, looks: int = 1) -> Finding:
        level = self.level(looks)
        estimate, low, high, n = self.interval(level)
        ruling = self.ruling(estimate, low, high) if n >= LEAST else "inconclusive"
        return Finding(ruling, estimate, low, high, level, self.margin, n)


def gain(estimate: float, low: float, high: float, margin: float) -> Ruled:
    """The rule of superiority: a tiny sure gain refutes a big claim, noise is never a success."""
    if low > 0 and estimate >= margin:
        return "supported"
    return "refuted" if high < margin else "inconclusive"


def gain_in_words(effect: str, margin: float) -> str:
    """The same rule for the report."""
    return (
        f"Supported if the 95 % interval of {effect} lies above 0 and the estimate is at least "
        f"{margin:g}; refuted if the whole interval lies below {margin:g}; otherwise, or with "
        f"fewer than {LEAST} seeds, inconclusive. Where a second look is planned, 97.5 % a look."
    )


def finite(effects: np.ndarray) -> np.ndarray:
    """The same numbers as float64. Raises `ValueError` that names the seeds that are not finite."""
    effects = np.asarray(effects, dtype=np.float64)
    if not np.isfinite(effects).all():
        seeds = np.flatnonzero(~np.isfinite(effects.reshape(len(effects), -1)).all(1)).tolist()
        raise NotFiniteError(
            f"Expected a finite number for every seed, but got nan or inf for seeds {seeds} of "
            f"{len(effects)}. An average over them says nothing, and leaving them out favours the "
            "arm that diverged. Find out why, or give such runs the worst possible score: "
            "`score = jnp.nan_to_num(score, nan=0.0)`."
        )
    return effects


def differences(brain: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Brain minus control as float64. Raises `ValueError` that names seeds that are not finite."""
    return finite(brain) - finite(control)


def quantile(n: int, level: float) -> float:
    """How many standard errors Student's interval of `n` numbers reaches to each side."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.5 + level / 2))


def mean_interval(effects: Effects, level: float) -> Interval:
    """The mean: Student's t below 40 seeds, BCa from there on."""
    return (student if effects.size < MANY else bootstrap)(effects, level)


def student(effects: Effects, level: float) -> Interval:
    """The mean with Student's interval, which is endless for fewer than two numbers."""
    n = effects.size
    if n < 2:
        return Interval(float(effects[0]) if n else np.nan, -np.inf, np.inf, n)
    estimate = float(effects.mean())
    half = quantile(n, level) * float(effects.std(ddof=1)) / n**0.5
    return Interval(estimate, estimate - half, estimate + half, n)


def bootstrap(effects: Effects, level: float) -> Interval:
    """The mean with its BCa interval; Student's where all numbers (but one) are equal."""
    from scipy import stats

    plain = student(effects, level)
    if effects.size < 2 or np.ptp(effects) == 0:
        return plain
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # degenerate resamples end as nan, handled below
        low, high = stats.bootstrap(
            (effects,),
            np.mean,
            method="BCa",
            n_resamples=RESAMPLES,
            confidence_level=level,
            rng=np.random.default_rng(0),  # the same numbers give the same verdict
        ).confidence_interval
    if not np.isfinite([low, high]).all():
        return plain
    return plain._replace(low=float(low), high=float(high))


def beside(effects: Effects, p: float | None, level: float) -> dict[str, Any]:
    """p, standardised effect and the interval that does not rule, for `describe`."""
    spread = float(effects.std(ddof=1)) if effects.size > 1 else 0.0
    name, other = ("BCa", bootstrap) if effects.size < MANY else ("Student", student)
    detail = {}
    if effects.size > 1:
        _, low, high, _ = other(effects, level)
        detail = {f"{name} low": low, f"{name} high": high}
    size = float(effects.mean()) / spread if spread > 0 else None
    return {"p": p, "effect_size": size, "detail": detail}
