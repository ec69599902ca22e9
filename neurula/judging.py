"""A claim on its way from a request to a record: tune, evaluate, judge, and once more if need be.

Each job is a generator: it yields lists of pieces and gets back what they left, in that order.
Whoever drives it (see `runner`) computes them, or finds them on disk.
"""

import dataclasses
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from .experiment import AbstractClaim, Outcome, Outcomes
from .mistake import Mistake
from .piece import Done, Piece, as_numbers, as_outcome
from .records import assemble, not_testable
from .results import Record
from .tuning import SEEDS, TRIALS, Tuned, frozen, guessed, has_space, search
from .verdict import Verdict, judge

BATCH = 10  # seeds in one program

Job = Generator[list[Piece], list[Done], Any]


@dataclasses.dataclass(frozen=True)
class Request:
    """A claim to judge: with which settings, on how many seeds."""

    address: str  # where workers find the claim
    claim: AbstractClaim
    budget: str
    seeds: int
    changed: dict[str, Any] = dataclasses.field(default_factory=dict)  # by the user
    tune: bool = False
    command: str = ""

    @property
    def name(self) -> str:
        return self.claim.name()

    @property
    def fields(self) -> dict[str, Any]:
        """All settings of the claim."""
        names = [field.name for field in dataclasses.fields(self.claim)]
        return {name: getattr(self.claim, name) for name in names}


@dataclasses.dataclass
class Ledger:
    """All pieces of a job and what they left."""

    entries: list[tuple[Piece, Done]] = dataclasses.field(default_factory=list)

    def failed(self) -> dict[str, dict[int, str]]:
        """Why seeds failed, by arm and seed."""
        why: dict[str, dict[int, str]] = {}
        for piece, done in self.entries:
            for row, text in done.failed.items():
                why.setdefault(piece.arm, {})[piece.seeds[row]] = text
        return why

    def outcomes(self, arms: list[str], seeds: int) -> Outcomes:
        """One row per seed; not-a-number where it failed. Arms without any outcome are absent."""
        return {arm: outcome for arm in arms if (outcome := self._outcome(arm, seeds))}

    def _outcome(self, arm: str, seeds: int) -> Outcome | None:
        rows: dict[str, np.ndarray] = {}
        for piece, done in self.entries:
            if piece.arm != arm or done.outcome is None:
                continue
            places = [piece.seeds[row] for row in done.rows]
            for name, values in as_numbers(done.outcome).items():
                if name not in rows:
                    blank = np.nan if np.issubdtype(values.dtype, np.inexact) else 0
                    rows[name] = np.full((seeds, *values.shape[1:]), blank, values.dtype)
                rows[name][places] = values
        return as_outcome(rows) if rows else None


def judging(request: Request) -> Generator[list[Piece], list[Done], Record]:
    """Judge a claim; returns its record."""
    started, claim = datetime.now(UTC).isoformat(timespec="seconds"), request.claim
    if missing := _missing_data(claim):
        return not_testable(request, missing, started)
    tuned = yield from _tuned(request)
    looks, seeds, ledger = (2 if request.budget == "full" else 1), request.seeds, Ledger()
    yield from _evaluate(request, tuned, range(seeds), ledger)
    verdict, outcomes = _judge(claim, ledger, seeds, looks)
    if looks == 2 and _open(verdict) and not ledger.failed():
        yield from _evaluate(request, tuned, range(seeds, 2 * seeds), ledger)
        seeds *= 2
        verdict, outcomes = _judge(claim, ledger, seeds, looks)
    return assemble(request, tuned, ledger, outcomes, verdict, seeds, started)


def _open(verdict: Verdict) -> bool:
    """Whether more seeds may still decide: the interval is too wide, and nothing else is wrong."""
    found = verdict.finding
    return (
        found is not None
        and found.ruling == "inconclusive"
        and all(gate.held for gate in verdict.gates)
    )


def _judge(
    claim: AbstractClaim, ledger: Ledger, seeds: int, looks: int
) -> tuple[Verdict, Outcomes]:
    outcomes = ledger.outcomes(list(claim.arms), seeds)
    return judge(claim, outcomes, looks=looks, failed=ledger.failed()), outcomes


def _evaluate(
    request: Request, tuned: Tuned, seeds: range, ledger: Ledger
) -> Generator[list[Piece], list[Done], None]:
    """Every arm on every seed."""
    size = BATCH if request.claim.batched else 1
    pieces = []
    for start in range(seeds.start, seeds.stop, size):
        batch = tuple(range(start, min(start + size, seeds.stop)))
        for arm in request.claim.arms:
            settings = (tuned["settings"][arm],) * len(batch)
            pieces.append(Piece(request.address, request.fields, arm, batch, settings))
    ledger.entries += zip(pieces, (yield pieces), strict=True)


def _tuned(request: Request) -> Generator[list[Piece], list[Done], Tuned]:
    """Frozen settings, or a search within the run; for a smoke run a guess will do."""
    claim = request.claim
    if not has_space(claim):
        return guessed(claim)
    if not request.tune and (found := frozen(claim)) is not None:
        return found
    if request.budget == "smoke" and not request.tune:
        return guessed(claim)
    return (yield from search(claim, request.address, request.fields, TRIALS, SEEDS))


def _missing_data(claim: AbstractClaim) -> list[str]:
    from .data import available

    try:
        return [name for name in claim.data if not available(name)]
    except ValueError as error:
        raise Mistake(f"The claim {claim.name()} names data that neurula lacks. {error}") from error
