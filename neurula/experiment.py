"""The nouns of experiments: a claim, its arms, what a run leaves, and what may follow from it.

A claim is one falsifiable sentence with the controlled experiment that could sink it. Numbers here
are NumPy's: they come after the run.
"""

import abc
import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

if TYPE_CHECKING:  # otherwise static checkers take these for constructor arguments
    from typing import ClassVar as AbstractClassVar
else:
    from equinox import AbstractClassVar

Ruling = Literal["supported", "refuted", "inconclusive", "not testable here"]


@dataclasses.dataclass(frozen=True)
class Arm:
    """One way of doing it. `says` describes it in words for the report."""

    role: Literal["brain", "control", "sham", "probe"]  # a probe only describes, it judges nothing
    says: str
    fixed: bool = False  # one thing, of which seeds draw nothing anew: trained weights, a label


class Budget:
    """How much a run may spend: seeds, and settings that differ from the claim's own."""

    def __init__(self, seeds: int, **settings: Any):
        self.seeds, self.settings = seeds, settings


@dataclasses.dataclass(frozen=True)
class Range:
    """Where the tuning of one hyper-parameter may look."""

    low: float
    high: float
    log: bool = True

    def draw(self, rng: np.random.Generator) -> float:
        """One value, uniform on a linear or a logarithmic scale."""
        if self.log:
            return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))
        return float(rng.uniform(self.low, self.high))


class Outcome(eqx.Module):
    """What one arm with one seed leaves behind. Scores: higher is better.

    `tuning` is the score on tuning data, all that a search for hyper-parameters may see; or, where
    settings do not touch each other, a score for each, in the order of `space`. `costs` counts
    parameters, updates and samples; FLOPs and seconds are added by whoever runs it.
    `health` is what `neurula.health.health` says about spiking cells; the report warns by it.
    """

    score: Float[Array, "*seed"]
    tuning: Float[Array, "*seed_and_setting"] | None = None
    curves: dict[str, Float[Array, "..."]] = eqx.field(default_factory=dict)
    costs: dict[str, Float[Array, "..."]] = eqx.field(default_factory=dict)
    kept: dict[str, Array] = eqx.field(default_factory=dict)
    health: dict[str, Float[Array, "*seed"]] = eqx.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a test says: an estimate, its interval, and what that means for the sentence."""

    ruling: Literal["supported", "refuted", "inconclusive"]
    estimate: float
    low: float
    high: float
    level: float  # coverage of the interval, e.g. 0.95
    margin: float
    n: int  # seeds, subjects or stimuli: whatever was resampled
    p: float | None = None  # stands beside the ruling, never gates it
    effect_size: float | None = None  # estimate / standard deviation of the paired differences
    detail: dict[str, float] = dataclasses.field(default_factory=dict)  # e.g. the BCa interval


class AbstractTest(abc.ABC):
    """One kind of evidence, holding its numbers: superiority, parity, order, ...

    Tests are plain frozen dataclasses: `null-calibration` makes and asks many thousands.
    """

    kind: ClassVar[str]

    @abc.abstractmethod
    def decide(self, *, looks: int = 1) -> Finding:
        """The estimate, the interval and the ruling, when `looks` looks at the data are planned."""

    @abc.abstractmethod
    def describe(self, *, looks: int = 1) -> dict[str, Any]:
        """What stands beside the ruling: `p`, `effect_size` and `detail` of the finding."""

    @abc.abstractmethod
    def rule_in_words(self) -> str:
        """What would support and what would refute, with numbers, for the report."""

    def find(self, *, looks: int = 1) -> Finding:
        """The decision with its description."""
        return dataclasses.replace(self.decide(looks=looks), **self.describe(looks=looks))


@dataclasses.dataclass(frozen=True)
class Gate:
    """A condition without which the experiment says nothing: the control learned, the sham bit."""

    says: str
    held: bool
    found: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """One primary test; gates; everything else is descriptive."""

    primary: AbstractTest
    gates: tuple[Gate, ...] = ()
    secondary: Mapping[str, AbstractTest] = dataclasses.field(default_factory=dict)


Outcomes = dict[str, Outcome]  # by arm; every array has a leading axis over seeds, as NumPy


class AbstractClaim(eqx.Module):
    """A falsifiable sentence, and the controlled experiment that could sink it.

    Fields are settings, hence flags of the command line: their docs stand in a comment or string
    below. Class constants are not flags. All arms get the same key for a seed, so that runs pair
    up. `run` is pure: seeds are mapped over by `jax.vmap` unless `batched` is false.
    """

    statement: AbstractClassVar[str]
    source: AbstractClassVar[str]
    level: AbstractClassVar[Literal["computation", "algorithm", "implementation"]]  # Marr
    kind: AbstractClassVar[str]
    arms: AbstractClassVar[dict[str, Arm]]
    margin: AbstractClassVar[float]  # the smallest effect that would matter, fixed beforehand
    unit: AbstractClassVar[str]  # of the effect and the margin, e.g. "points of accuracy"
    refuted_if: AbstractClassVar[str]
    expected: AbstractClassVar[str]  # before the run, the bad outcome included
    pitfalls: AbstractClassVar[tuple[str, ...]]
    data: AbstractClassVar[tuple[str, ...]]  # names of data sets; missing: not testable here
    budgets: AbstractClassVar[dict[str, Budget]]  # smoke, quick, full
    batched: ClassVar[bool] = True
    tour: ClassVar[bool] = False

    @classmethod
    def name(cls) -> str:
        """The id on the command line: `FeedbackAlignment` is `feedback-alignment`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()

    @abc.abstractmethod
    def space(self, arm: str) -> dict[str, Range]:
        """What may be tuned for an arm; the same number of trials for every arm."""

    @abc.abstractmethod
    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        """One arm with one seed; `settings` has a value for every name in `space(arm)`."""

    @abc.abstractmethod
    def evidence(self, outcomes: Outcomes) -> Evidence:
        """What the numbers of all arms and seeds say."""

    @abc.abstractmethod
    def figure(self, outcomes: Outcomes) -> Any:
        """The claim's own picture, a Plotly figure made by `pictures`; `None` for none."""
