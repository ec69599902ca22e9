"""Fair tuning: every arm gets the same number of random trials, on seeds and data of their own.

Bergstra & Bengio (2012), JMLR 13:281 (random search).
"""

import inspect
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from .experiment import AbstractClaim, Range
from .mistake import Mistake
from .piece import Done, Piece

TRIALS = 16  # of every arm
SEEDS = 4  # of every trial
FIRST = 1000  # seeds below it are for the evaluation

Tuned = dict[str, Any]  # trials, seeds, settings by arm, log


def frozen(claim: AbstractClaim) -> Tuned | None:
    """What was tuned once and for all, from `tuned/<id>.json` beside the claim's file.

    Raises `Mistake` where that file does not fit the claim.
    """
    file = frozen_file(claim)
    if not file.is_file():
        return None
    try:
        tuned = json.loads(file.read_bytes())
        tuned["settings"] = {arm: tuned["settings"].get(arm, {}) for arm in claim.arms}
        found = {arm: set(settings) for arm, settings in tuned["settings"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unfit(claim, file, f"{type(error).__name__}: {error}") from error
    wanted = {arm: set(claim.space(arm)) for arm in claim.arms}
    if found != wanted:
        odd = next(arm for arm in claim.arms if found[arm] != wanted[arm])
        raise _unfit(claim, file, f"arm {odd!r} has {sorted(found[odd])} for {sorted(wanted[odd])}")
    return tuned


def frozen_file(claim: AbstractClaim) -> Path:
    """Where the frozen settings of a claim lie, or would."""
    return Path(inspect.getfile(type(claim))).parent / "tuned" / f"{claim.name()}.json"


def has_space(claim: AbstractClaim) -> bool:
    """Whether any arm has anything to tune."""
    return any(claim.space(arm) for arm in claim.arms)


def guessed(claim: AbstractClaim) -> Tuned:
    """Settings without a search: the middle of every range, nothing where nothing is tuned."""

    def middle(limits: Range) -> float:
        low, high = limits.low, limits.high
        return (low * high) ** 0.5 if limits.log else (low + high) / 2

    settings = {
        arm: {name: middle(limits) for name, limits in claim.space(arm).items()}
        for arm in claim.arms
    }
    return {"trials": 0, "seeds": [], "settings": settings, "log": []}


def search(
    claim: AbstractClaim, address: str, fields: dict[str, Any], trials: int, seeds: int
) -> Generator[list[Piece], list[Done], Tuned]:
    """Yield one piece for each arm with a space; return the best settings, and all that was tried.

    What counts is `Outcome.tuning`, averaged over the tuning seeds; a trial that fails loses. Where
    it is a score for each setting, each setting is taken from the trial that was best for it.
    """
    spaces = {arm: space for arm in claim.arms if (space := claim.space(arm))}
    tried, keys = {}, tuple(range(FIRST, FIRST + seeds))
    for arm, space in spaces.items():
        rng = np.random.default_rng(0)  # arms with the same space try the same values
        tried[arm] = [
            {name: float(f"{limits.draw(rng):.6g}") for name, limits in space.items()}
            for _ in range(trials)
        ]
    pieces = [
        Piece(
            address,
            fields,
            arm,
            seeds=keys * trials,
            tuned=tuple(trial for trial in tried[arm] for _ in keys),
            search=True,
        )
        for arm in spaces
    ]
    tuned: Tuned = guessed(claim) | {"trials": trials, "seeds": list(keys)}
    for piece, done in zip(pieces, (yield pieces), strict=True):
        scores = _scores(done, trials, seeds)
        if not np.isfinite(scores).any():
            why = next(iter(done.failed.values()), "its tuning score is never finite")
            raise RuntimeError(
                f"no trial of arm {piece.arm!r} worked, so it has no settings: {why}"
            )
        names = list(spaces[piece.arm])
        best = np.broadcast_to(np.argmax(scores, axis=0), len(names))
        tuned["settings"][piece.arm] = {
            name: tried[piece.arm][k][name] for name, k in zip(names, best, strict=True)
        }
        tuned["log"] += [
            {"arm": piece.arm, "settings": settings, "score": float(score.mean())}
            | ({"scores": score.tolist()} if score.ndim else {})
            for settings, score in zip(tried[piece.arm], scores, strict=True)
        ]
    return tuned


def _scores(done: Done, trials: int, seeds: int) -> np.ndarray:
    """The mean score of every trial, or of every trial for each setting: (trial, setting).

    Minus infinity where a seed failed.
    """
    found = np.zeros(0) if done.outcome is None else np.asarray(done.outcome.score, np.float64)
    scores = np.full((trials * seeds, *found.shape[1:]), -np.inf)
    if done.outcome is not None:
        scores[list(done.rows)] = found
    scores[~np.isfinite(scores)] = -np.inf
    return scores.reshape(trials, seeds, *found.shape[1:]).mean(1)


def _unfit(claim: AbstractClaim, file: Path, what: str) -> Mistake:
    return Mistake(
        f"Expected {file} to hold tuned settings for every arm of {claim.name()}, and it does not "
        f"({what}): claim and file have parted. Tune again, for this run: --tune, or for good: "
        f"python -m neurula.tuning {claim.name()}"
    )


def freeze(name: str, budget: str, trials: int, seeds: int) -> Path:
    """For developers: tune a claim at a budget and write its file."""
    from rich.console import Console

    from .files import write_whole
    from .judging import Request
    from .keys import versions
    from .lookup import address, find
    from .progress import Board
    from .requests import at_budget
    from .results import Store, dump, results_folder
    from .runner import conduct, processes

    claim = at_budget(find(name), budget)
    if not has_space(claim):
        raise Mistake(f"Expected {name} to have something to tune, and every space(arm) is empty.")
    fields = Request(address(name), claim, budget, 0).fields
    job = search(claim, address(name), fields, trials, seeds)
    workers, store = processes(), Store(results_folder())
    store.check()
    with Board(Console(stderr=True), {}, workers) as board:
        [(_, tuned)] = conduct({claim.name(): job}, store, board, workers=workers)
    if isinstance(tuned, Exception):
        raise tuned
    tuned |= {"budget": budget, "versions": versions()}
    write_whole(frozen_file(claim), (dump(tuned, indent=1) + "\n").encode())
    return frozen_file(claim)


def _main() -> None:
    """Tune a claim once and for all."""
    import argparse
    import sys

    from .cache import use_cache

    parser = argparse.ArgumentParser("python -m neurula.tuning", description=_main.__doc__)
    parser.add_argument("claim")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budget", choices=("full", "quick", "smoke"), default="full")
    asked = parser.parse_args()
    use_cache()
    try:
        print(freeze(asked.claim, asked.budget, asked.trials, asked.seeds))
    except Mistake as mistake:
        sys.exit(f"{mistake}")


if __name__ == "__main__":
    _main()
