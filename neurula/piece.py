"""One piece of work, and how it is computed: an arm of a claim on a batch of seeds."""

import dataclasses
import io
import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .cache import use_cache
from .costs import count
from .experiment import AbstractClaim, Outcome
from .lookup import find

GROUPS = ("curves", "costs", "kept", "health")  # of an outcome, each with arrays by name
Settings = dict[str, float]  # tuned hyper-parameters, by name


@dataclasses.dataclass(frozen=True, eq=False)
class Piece:
    """What any worker can do alone. Row i runs seed i with the hyper-parameters `tuned[i]`."""

    claim: str  # where it is found
    fields: dict[str, Any]  # its settings
    arm: str
    seeds: tuple[int, ...]
    tuned: tuple[Settings, ...]
    search: bool = False  # keeps the tuning score alone


@dataclasses.dataclass(frozen=True)
class Done:
    """What a piece left. The outcome has one row for each entry of `rows`, as NumPy."""

    rows: tuple[int, ...]  # those that worked
    outcome: Outcome | None  # `None`: none did
    failed: dict[int, str]  # row: why
    seconds: float  # running
    compiling: float  # seconds spent on tracing and compiling
    flops: float | None = None  # of one row; `None`: not traceable
    gaps: tuple[str, ...] = ()  # what the FLOPs leave out


def as_outcome(numbers: dict[str, np.ndarray]) -> Outcome:
    """An outcome of NumPy arrays; those in groups, as `curves`, are called `group/name`."""
    groups: dict[str, dict[str, jax.Array]] = {group: {} for group in GROUPS}
    blank = jnp.zeros(())
    for name in numbers:
        group, _, inner = name.partition("/")
        if inner:
            groups[group][inner] = blank
    outcome = Outcome(blank, blank if "tuning" in numbers else None, **groups)
    return jax.tree.unflatten(
        jax.tree.structure(outcome), [numbers[name] for name in _names(outcome)]
    )


def as_numbers(outcome: Outcome) -> dict[str, np.ndarray]:
    """The arrays of an outcome by name, the inverse of `as_outcome`."""
    return dict(zip(_names(outcome), map(np.asarray, jax.tree.leaves(outcome)), strict=True))


def _names(outcome: Outcome) -> list[str]:
    """What the leaves of an outcome are called: `score`, `curves/loss`."""
    paths = [path for path, _ in jax.tree.leaves_with_path(outcome)]
    return [jax.tree_util.keystr(path, simple=True, separator="/") for path in paths]


def pack(done: Done, key: str) -> bytes:
    """A piece as the bytes of an `.npz` file, without pickle."""
    arrays = {} if done.outcome is None else as_numbers(done.outcome)
    notes = {
        "key": key,
        "rows": done.rows,
        "failed": done.failed,
        "seconds": done.seconds,
        "compiling": done.compiling,
        "flops": done.flops,
        "gaps": done.gaps,
    }
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, notes=np.array(json.dumps(notes)), **arrays)
    return stream.getvalue()


def unpack(content: bytes, key: str) -> Done:
    """The piece in the bytes. Raises all sorts of errors if they are damaged."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    notes = json.loads(str(arrays.pop("notes")))
    if notes["key"] != key:
        raise ValueError("it holds another piece")
    rows = tuple(int(row) for row in notes["rows"])
    if any(len(values) != len(rows) for values in arrays.values()) or bool(rows) != bool(arrays):
        raise ValueError(f"expected {len(rows)} rows in every array")
    outcome = as_outcome(arrays) if rows else None
    failed = {int(row): str(why) for row, why in notes["failed"].items()}
    numbers = (float(notes["seconds"]), float(notes["compiling"]))
    flops = None if notes["flops"] is None else float(notes["flops"])
    return Done(rows, outcome, failed, *numbers, flops, tuple(notes["gaps"]))


def compute(piece: Piece) -> Done:
    """Do a piece: all seeds as one program where the claim allows, else seed by seed.

    A batch that raises is repeated seed by seed, so that the seeds that fail can be named.
    """
    use_cache()
    logging.getLogger("jax").setLevel(logging.CRITICAL)  # what raises is in the result
    claim = find(piece.claim)(**piece.fields)
    keys = jax.vmap(jax.random.key)(jnp.array(piece.seeds, jnp.uint32))
    tuned = {
        name: jnp.array([each[name] for each in piece.tuned], jnp.float32)
        for name in piece.tuned[0]
    }
    run = _run(claim, piece)
    if not claim.batched:
        return _one_by_one(run, tuned, keys)
    try:
        return _together(run, tuned, keys)
    except Exception:  # whichever seed raised, the others must not suffer
        return _one_by_one(eqx.filter_jit(run), tuned, keys)


def _run(claim: AbstractClaim, piece: Piece) -> Callable[..., Outcome]:
    """One row, as a function of its hyper-parameters and its key."""

    def run(tuned: dict[str, jax.Array], key: jax.Array) -> Outcome:
        outcome = claim.run(piece.arm, tuned, key=key)
        if not piece.search:
            return outcome
        if outcome.tuning is None:
            raise ValueError(
                f"Expected a score on tuning data from arm {piece.arm!r}, which has a space to "
                f"tune, and got none. Tuning may see nothing else. Return it from run: "
                f"Outcome(score=..., tuning=...)"
            )
        return Outcome(outcome.tuning)

    return run


def _together(run: Callable[..., Outcome], tuned: dict[str, jax.Array], keys: jax.Array) -> Done:
    """All rows as one program, compiled ahead so that its time can be told apart."""
    start = time.perf_counter()
    first = jax.tree.map(lambda leaf: leaf[0], (tuned, keys))
    spent = count(run, *first)
    program = jax.jit(jax.vmap(run)).lower(tuned, keys).compile()
    middle = time.perf_counter()
    outcome = jax.block_until_ready(program(tuned, keys))
    seconds = time.perf_counter() - middle
    rows = tuple(range(len(keys)))
    gaps = tuple(sorted(spent.gaps))
    numbers = jax.tree.map(np.asarray, outcome)
    return Done(rows, numbers, {}, seconds, middle - start, spent.flops, gaps)


def _one_by_one(run: Callable[..., Outcome], tuned: dict[str, jax.Array], keys: jax.Array) -> Done:
    """Row after row; compilation inside `run` counts as running."""
    start, outcomes, failed = time.perf_counter(), {}, {}
    for row in range(len(keys)):
        mine = {name: values[row] for name, values in tuned.items()}
        try:
            outcomes[row] = jax.tree.map(np.asarray, run(mine, keys[row]))
        except Exception as error:
            failed[row] = _words(error)
    seconds = time.perf_counter() - start
    outcome = (
        jax.tree.map(lambda *leaves: np.stack(leaves), *outcomes.values()) if outcomes else None
    )
    return Done(tuple(outcomes), outcome, failed, seconds, 0.0)


def _words(error: Exception) -> str:
    """An exception in one line; Equinox buries it under a stack."""
    if buried := re.search(r"EquinoxRuntimeError: (.+)", str(error)):
        return f"EquinoxRuntimeError: {buried[1]}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'without a message'}"[:500]
