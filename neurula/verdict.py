"""From the outcomes of all arms and seeds to a ruling.

Holm (1979), Scand. J. Statist. 6:65. A verdict can only be weakened by what went wrong: crashed
seeds, numbers that are not finite, failed gates and seeds that are copies of each other.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from .evidence.identity import Identity
from .evidence.intervals import LEAST, AbstractIntervalTest, NotFiniteError, quantile
from .experiment import (
    AbstractClaim,
    AbstractTest,
    Evidence,
    Finding,
    Gate,
    Outcomes,
    Ruling,
)

POWER = 0.8
MOST = 10_000  # seeds; nobody runs more
TELLING = 8  # different numbers in an outcome, below which two seeds may agree by chance


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a claim may say after a run, and why not more."""

    ruling: Ruling
    kind: str
    finding: Finding | None = None
    gates: tuple[Gate, ...] = ()
    secondary: dict[str, tuple[str, Finding]] = dataclasses.field(default_factory=dict)
    problems: tuple[str, ...] = ()
    looks: int = 1
    seeds_needed: int | None = None  # to decide an inconclusive claim with 80 % power

    def as_record(self) -> dict[str, Any]:
        """The same as JSON values; NaN and infinities become null."""
        record = dataclasses.asdict(self)
        record["secondary"] = {
            name: {**dataclasses.asdict(finding), "kind": kind}
            for name, (kind, finding) in self.secondary.items()
        }
        return _plain(record)


def judge(
    claim: AbstractClaim,
    outcomes: Outcomes,
    *,
    looks: int = 1,
    failed: Mapping[str, Mapping[int, str]] | None = None,
) -> Verdict:
    """Rule on a claim, on the seeds that all its arms finished.

    Arrays of an outcome have one row per seed. Rows of seeds in `failed` (arm, then seed, then
    message) may hold anything. A probe arm judges nothing, so its failures are told but weaken
    nothing. `looks` is the number of looks at the data that are planned.
    """
    fatal, told, bad = _failures(claim, outcomes, failed or {})
    n = max((len(outcome.score) for outcome in outcomes.values()), default=0)
    kept = np.setdiff1d(np.arange(n), list(bad))
    if kept.size == 0 or set(claim.arms) - set(outcomes):
        return Verdict("inconclusive", claim.kind, problems=(*fatal, *told), looks=looks)
    finished = {
        arm: jax.tree.map(lambda rows: np.asarray(rows)[kept], outcome)
        for arm, outcome in outcomes.items()
    }
    evidence = claim.evidence(finished)
    fatal += [
        f"gate failed: {gate.says} ({gate.found})" for gate in evidence.gates if not gate.held
    ]
    if not isinstance(evidence.primary, Identity):
        drawn = {arm: each for arm, each in finished.items() if not claim.arms[arm].fixed}
        fatal += _copies(drawn, kept)
    finding, problem = _find(evidence.primary, looks)
    fatal += problem
    needed = None
    if finding is not None:
        told += _caveats(evidence.primary, finding)
        needed = None if fatal else seeds_needed(evidence.primary, finding)
    secondary, problem = _secondary(evidence, looks)
    return Verdict(
        ruling="inconclusive" if fatal or finding is None else finding.ruling,
        kind=evidence.primary.kind,
        finding=finding,
        gates=evidence.gates,
        secondary=secondary,
        problems=(*fatal, *told, *problem),
        looks=looks,
        seeds_needed=needed,
    )


def seeds_needed(test: AbstractTest, finding: Finding) -> int | None:
    """How many seeds would decide an inconclusive claim with 80 % power, or `None`.

    It takes the estimate and the spread that were found for the true ones. `None` if the test
    rules by no interval, if nothing is open, or if even 10,000 seeds would not do.
    """
    width = finding.high - finding.low
    if finding.ruling != "inconclusive" or not isinstance(test, AbstractIntervalTest):
        return None
    if not math.isfinite(width) or not math.isfinite(finding.estimate):
        return None
    from scipy.special import ndtri

    spread = width / 2 / quantile(finding.n, finding.level) * finding.n**0.5
    ruling = test.ruling
    quantiles = ndtri((np.arange(199) + 0.5) / 199)

    def power(n: int) -> float:
        error = spread / n**0.5
        half = quantile(n, finding.level) * error
        estimates = finding.estimate + quantiles * error
        rulings = [ruling(e, e - half, e + half) for e in estimates]
        return 1 - rulings.count("inconclusive") / len(rulings)

    low, high = max(LEAST - 1, finding.n), MOST
    if power(high) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high


def holm(pvalues: Mapping[str, float | None]) -> dict[str, float | None]:
    """p-values adjusted for the whole list of claims.

    Give all shipped claims, also those without a p (`None`): they count, so that an adjusted p
    does not depend on what happened to be run together.
    """
    adjusted: dict[str, float | None] = dict.fromkeys(pvalues)
    highest = 0.0
    known = sorted((p, name) for name, p in pvalues.items() if p is not None)
    for rank, (p, name) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(pvalues) - rank)))
        adjusted[name] = highest
    return adjusted


def _failures(
    claim: AbstractClaim, outcomes: Outcomes, failed: Mapping[str, Mapping[int, str]]
) -> tuple[list[str], list[str], set[int]]:
    """Problems that weaken, problems that are only told, and the seeds to leave out."""
    fatal, told, bad = [], [], set()
    for arm, about in claim.arms.items():
        crashed = dict(failed.get(arm, {}))
        problems = [f"arm {arm!r}, seed {seed}: {text}" for seed, text in sorted(crashed.items())]
        if arm not in outcomes:
            fatal += [*problems, f"arm {arm!r} has no outcome at all"]
            continue
        score = np.asarray(outcomes[arm].score)
        lost = [int(s) for s in np.flatnonzero(~np.isfinite(score)) if s not in crashed]
        problems += [f"arm {arm!r}, seed {seed}: the score is {score[seed]}" for seed in lost]
        if about.role == "probe":
            told += problems
        else:
            fatal += problems
            bad |= {*crashed, *lost}
    return fatal, told, bad


def _copies(outcomes: Outcomes, seeds: np.ndarray) -> list[str]:
    """Seeds of an arm with bit-identical outcomes: they are not independent."""
    problems = []
    for arm, outcome in outcomes.items():
        recorded = (outcome.score, outcome.tuning, outcome.curves, outcome.kept)  # costs are equal
        seen: dict[bytes, int] = {}
        for row, seed in enumerate(seeds.tolist()):
            numbers = [np.ravel(rows[row]) for rows in jax.tree.leaves(recorded)]
            first = seen.setdefault(b"".join(part.tobytes() for part in numbers), seed)
            if first != seed and np.unique(np.concatenate(numbers)).size >= TELLING:
                problems.append(
                    f"arm {arm!r}: seeds {first} and {seed} gave bit-identical outcomes, so they "
                    "are not independent; derive every random number from `key`"
                )
    return problems


def _find(test: AbstractTest, looks: int) -> tuple[Finding | None, list[str]]:
    try:
        return test.find(looks=looks), []
    except NotFiniteError as error:
        return None, [str(error)]


def _secondary(evidence: Evidence, looks: int) -> tuple[dict[str, tuple[str, Finding]], list[str]]:
    found, problems = {}, []
    for name, test in evidence.secondary.items():
        finding, problem = _find(test, looks)
        problems += [f"{name}: {text}" for text in problem]
        if finding is not None:
            found[name] = (test.kind, finding)
    return found, problems


def _caveats(test: AbstractTest, finding: Finding) -> list[str]:
    """What a reader of the finding should know although nothing went wrong."""
    if not isinstance(test, AbstractIntervalTest):
        return []
    if finding.n < LEAST:
        return [f"n = {finding.n}: fewer than {LEAST} is too few for any ruling"]
    if finding.low == finding.high:
        return ["all effects are equal, so the interval has no width"]
    return []


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, tuples as lists, what is not finite as `None`."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
