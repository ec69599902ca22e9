"""Writes down a judged claim: all that the list, the card and the report need, as JSON values."""

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .experiment import AbstractClaim, Outcome, Outcomes
from .keys import piece_key, versions
from .results import FORMAT, Record
from .tuning import Tuned
from .verdict import Verdict

if TYPE_CHECKING:
    from .judging import Ledger, Request

POINTS = 200  # of a curve; longer ones are thinned
DIGITS = 6  # significant ones, of curves


def cores() -> int:
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def card(claim: AbstractClaim, rule: str | None = None) -> dict[str, Any]:
    """What a claim says about itself."""
    return {
        "statement": claim.statement,
        "source": claim.source,
        "level": claim.level,
        "kind": claim.kind,
        "margin": claim.margin,
        "unit": claim.unit,
        "refuted_if": claim.refuted_if,
        "expected": claim.expected,
        "pitfalls": list(claim.pitfalls),
        "data": list(claim.data),
        "rule": rule,
        "arms": {name: {"role": arm.role, "says": arm.says} for name, arm in claim.arms.items()},
    }


def assemble(
    request: "Request",
    tuned: Tuned,
    ledger: "Ledger",
    outcomes: Outcomes,
    verdict: Verdict,
    seeds: int,
    started: str,
) -> Record:
    """The record of a judged claim."""
    claim, failed = request.claim, ledger.failed()
    good = _complete(outcomes, failed, seeds)
    rule, figure, problems = _words_and_picture(claim, good)
    ruled = verdict.as_record()
    ruled["problems"] += problems
    keys = sorted(piece_key(piece) for piece, _ in ledger.entries)
    return {
        "format": FORMAT,
        "claim": request.name,
        "card": card(claim, rule),
        "run": _run(request, started)
        | {
            "seeds": list(range(seeds)),
            "key": hashlib.sha256("".join(keys).encode()).hexdigest(),
            "seconds": round(sum(_seconds(ledger, arm) for arm in claim.arms), 3),
        },
        "arms": {
            arm: _arm(arm, tuned, ledger, outcomes.get(arm), failed.get(arm, {}), seeds)
            for arm in claim.arms
        },
        "tuning": {name: tuned[name] for name in ("trials", "seeds", "log")}
        if tuned["trials"]
        else None,
        "verdict": ruled,
        "figure": figure,
    }


def not_testable(request: "Request", missing: list[str], started: str) -> Record:
    """The record of a claim whose data are not here."""
    commands = " && ".join(f"neurula data get {name}" for name in missing)
    problem = (
        f"It needs the data {', '.join(missing)}, which did not come with neurula. To get them: "
        f"{commands}"
    )
    return {
        "format": FORMAT,
        "claim": request.name,
        "card": card(request.claim),
        "run": _run(request, started) | {"seeds": [], "key": "", "seconds": 0.0},
        "arms": {},
        "tuning": None,
        "verdict": Verdict(
            "not testable here", request.claim.kind, problems=(problem,)
        ).as_record(),
        "figure": None,
    }


def _run(request: "Request", started: str) -> dict[str, Any]:
    import jax

    return {
        "budget": request.budget,
        "settings": request.fields,
        "changed": request.changed,
        "variant": bool(request.changed),
        "command": request.command,
        "started": started,
        "versions": versions(),
        "device": jax.devices()[0].device_kind,
        "cores": cores(),
    }


def _complete(outcomes: Outcomes, failed: dict[str, dict[int, str]], seeds: int) -> Outcomes:
    """The rows of the seeds that no arm failed on."""
    import jax

    bad = {seed for arm in failed if arm in outcomes for seed in failed[arm]}
    rows = [seed for seed in range(seeds) if seed not in bad]
    return {
        arm: jax.tree.map(lambda values: np.asarray(values)[rows], outcome)
        for arm, outcome in outcomes.items()
    }


def _words_and_picture(
    claim: AbstractClaim, outcomes: Outcomes
) -> tuple[str | None, dict[str, Any] | None, list[str]]:
    """The rule of the test, the claim's own figure, and what went wrong with the figure."""
    if set(outcomes) != set(claim.arms) or not len(next(iter(outcomes.values())).score):
        return None, None, []
    rule = claim.evidence(outcomes).primary.rule_in_words()
    try:
        figure = claim.figure(outcomes)
        return rule, None if figure is None else json.loads(figure.to_json()), []
    except Exception as error:  # a picture that fails must not take the ruling along
        return rule, None, [f"the picture could not be drawn: {type(error).__name__}: {error}"]


def _arm(
    arm: str,
    tuned: Tuned,
    ledger: "Ledger",
    outcome: Outcome | None,
    failed: dict[int, str],
    seeds: int,
) -> dict[str, Any]:
    """Raw values and costs of one arm."""
    known = {
        "settings": tuned["settings"][arm],
        "score": [None] * seeds,
        "tuning": None,
        "curves": {},
        "health": {},
        "costs": _costs(ledger, arm),
        "seconds": round(_seconds(ledger, arm), 3),
        "failed": {str(seed): why for seed, why in sorted(failed.items())},
    }
    if outcome is None:
        return known
    bad = list(failed)
    known["score"] = _numbers(outcome.score, bad, 9)
    if outcome.tuning is not None:
        known["tuning"] = _numbers(outcome.tuning, bad, 9)
    for name, curve in outcome.curves.items():
        known["curves"][name] = _numbers(_thin(np.asarray(curve)), bad, DIGITS)
    for name, values in outcome.health.items():
        known["health"][name] = _numbers(values, bad, DIGITS)
    for name, values in outcome.costs.items():
        kept = np.delete(np.asarray(values, np.float64), bad, axis=0)
        known["costs"][name] = float(kept.mean())
    return known


def _costs(ledger: "Ledger", arm: str) -> dict[str, float]:
    """FLOPs and seconds of one seed."""
    mine = [done for piece, done in ledger.entries if piece.arm == arm and done.rows]
    rows = sum(len(done.rows) for done in mine)
    if not rows:
        return {}
    costs = {"seconds": float(f"{sum(done.seconds for done in mine) / rows:.4g}")}
    counted = [done for done in mine if done.flops is not None]
    if counted:  # gaps: a loop of unknown length counts once
        name = "flops, at least" if any(done.gaps for done in counted) else "flops"
        costs[name] = float(np.mean([done.flops for done in counted]))
    return costs


def _seconds(ledger: "Ledger", arm: str) -> float:
    """Seconds of work for an arm, compilation included."""
    return sum(done.seconds + done.compiling for piece, done in ledger.entries if piece.arm == arm)


def _thin(curve: np.ndarray) -> np.ndarray:
    """At most `POINTS` points along the last axis, the first and the last among them."""
    if curve.ndim < 2 or curve.shape[-1] <= POINTS:
        return curve
    return curve[..., np.linspace(0, curve.shape[-1] - 1, POINTS).round().astype(int)]


def _numbers(values: Any, bad: list[int], digits: int) -> list[Any]:
    """Nested lists of numbers with so many significant digits; `None` for failed seeds."""
    rounded = np.vectorize(lambda x: float(f"{x:.{digits}g}"), otypes=[float])
    array = np.asarray(values, np.float64)
    listed = (rounded(array) if array.size else array).tolist()
    for seed in bad:
        listed[seed] = None
    return listed
