"""Adding to a replay memory and drawing from it, against flashbax and a ring of NumPy arrays.

100,000 transitions with observations (10, 10, 4), batches of 32; called from Python, each call by
itself, and inside a compiled loop. Ours keeps what follows with every transition, as flashbax's
item buffer does; its flat and trajectory buffers keep every observation once.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import chisquare

from neurula.behaviour import Transition
from neurula.memories import Prioritised, Replay

from .peers.asking import MISSING, ask

GIVEN = {"capacity": 100_000, "batch": 32, "length": 4, "loops": 5_000, "calls": 500, "repeats": 5}
CAPACITY, BATCH, LENGTH = GIVEN["capacity"], GIVEN["batch"], GIVEN["length"]
PARTS = 50  # of the memory, in which draws are counted
RARE = 1e-4  # chi-square: a sampler that is right is called wrong once in so many runs


def item(number: Any) -> Transition:
    """A transition that tells its number; every tenth ends an episode."""
    seen = jnp.full((10, 10, 4), number, jnp.float32)
    ends, no = jnp.asarray(number % 10 == 9), jnp.zeros((), bool)
    return Transition(seen, number, jnp.float32(number), seen + 1, ends, no)


def parts(kind: str) -> tuple[Any, Callable, Callable]:
    """An empty memory; how to add item number i; how to draw, and tell what was drawn."""
    replay = (
        Replay(CAPACITY, Prioritised(anneal=None)) if kind == "prioritised" else Replay(CAPACITY)
    )

    def draw(memory: Any, key: Any) -> tuple[Any, Any, Any]:
        memory, drawn = replay.sample(memory, BATCH, key=key)
        items = drawn.items
        if kind == "sequences":
            items, there = replay.follow(memory, drawn.numbers, LENGTH)
            total = jnp.where(there[:, :, None, None, None], items.observation, 0.0).sum()
            return memory, jnp.where(there, items.action, -1), total
        if kind == "prioritised":
            memory = replay.judge(memory, drawn.numbers, jnp.full(BATCH, 0.5))
        return memory, items.action, items.observation.sum() + items.next_observation.sum()

    empty = replay.init(item(jnp.int32(0)))
    return empty, lambda memory, i: replay.add(memory, item(i)), draw


def ours(kind: str) -> dict[str, Any]:
    """Seconds of adding, of drawing, and of both inside a loop; and the numbers drawn there."""
    memory, add, draw = parts(kind)
    loops, calls = GIVEN["loops"], GIVEN["calls"]

    def filled(memory: Any) -> Any:
        return jax.lax.fori_loop(0, CAPACITY + 7, lambda i, memory: add(memory, i), memory)

    def loop(memory: Any, key: Any) -> Any:
        def one(memory: Any, i: Any) -> tuple[Any, Any]:
            memory = add(memory, CAPACITY + i)
            memory, numbers, total = draw(memory, jax.random.fold_in(key, i))
            return memory, (numbers, total)

        return jax.lax.scan(one, memory, jnp.arange(loops, dtype=jnp.int32))

    memory = jax.jit(filled, donate_argnums=0)(memory)
    put, take = jax.jit(add, donate_argnums=0), jax.jit(draw, donate_argnums=0)
    looped, key = jax.jit(loop, donate_argnums=0), jax.random.key(1)
    memory = put(memory, jnp.int32(3))
    memory, *_ = take(memory, key)
    memory, (numbers, _) = looped(memory, key)
    adding, drawing, inside = [], [], []
    keys = list(jax.random.split(key, calls))
    for _ in range(GIVEN["repeats"]):
        began = time.perf_counter()
        for _ in keys:
            memory = put(memory, jnp.int32(3))
        jax.block_until_ready(memory)
        adding.append((time.perf_counter() - began) / calls)
        began = time.perf_counter()
        for each in keys:
            memory, *drawn = take(memory, each)
        jax.block_until_ready(drawn)
        drawing.append((time.perf_counter() - began) / calls)
        began = time.perf_counter()
        memory, found = looped(memory, key)
        jax.block_until_ready(found)
        inside.append((time.perf_counter() - began) / loops)
    return {"numbers": numbers, "add": adding, "sample": drawing, "inside": inside}


def ring() -> dict[str, list[float]]:
    """The same of a ring of NumPy arrays, uniform."""
    rng, calls, count = np.random.default_rng(0), GIVEN["calls"], CAPACITY
    seen, after = (np.zeros((CAPACITY, 10, 10, 4), np.float32) for _ in range(2))
    action, ended = np.zeros(CAPACITY, np.int32), np.zeros(CAPACITY, bool)
    reward, one = np.zeros(CAPACITY, np.float32), np.ones((10, 10, 4), np.float32)
    adding, drawing = [], []
    for _ in range(GIVEN["repeats"]):
        began = time.perf_counter()
        for _ in range(calls):
            place = count % CAPACITY
            seen[place], after[place], action[place] = one, one, 3
            reward[place], ended[place] = 3.0, False
            count += 1
        adding.append((time.perf_counter() - began) / calls)
        began = time.perf_counter()
        for _ in range(calls):
            places = rng.integers(0, CAPACITY, BATCH)
            _ = seen[places], after[places], action[places], reward[places], ended[places]
        drawing.append((time.perf_counter() - began) / calls)
    return {"add": adding, "sample": drawing}


def _peer(kind: str) -> dict | None:
    return ask("flashbax", "on_flashbax.py", GIVEN, kind)


def _check(numbers: Any, kind: str) -> float:
    """All is drawn equally often, nothing from outside; the probability of the chi-square."""
    drawn = np.asarray(numbers).reshape(GIVEN["loops"], BATCH, -1)
    if kind == "sequences":
        step = np.diff(drawn, axis=2)
        steady = (step == 1) | (drawn[:, :, 1:] == -1)  # -1: the episode was over
        wrapped = np.abs(step) >= CAPACITY - 2 * GIVEN["loops"]
        assert (steady | wrapped).all(), "sequences follow the order of life"
    first = drawn[:, :, 0].ravel()
    old = first[(first >= GIVEN["loops"] + 7) & (first < CAPACITY)]  # there all the time
    counts = np.histogram(old, PARTS, (GIVEN["loops"] + 7, CAPACITY))[0]
    return float(chisquare(counts).pvalue)


def against(kind: str) -> Callable[[], dict]:
    """A benchmark of one way to draw."""

    def race() -> dict:
        theirs = _peer(kind)
        if theirs is None:
            return MISSING
        mine = ours(kind)
        if kind == "sequences":
            drawn = np.asarray(mine["numbers"])
            crossed = (drawn[:, :, :-1] % 10 == 9) & (drawn[:, :, 1:] >= 0)
            assert not crossed.any(), "no sequence of ours goes on after the end of an episode"
        fair = {"ours": _check(mine["numbers"], kind), "theirs": _check(theirs["numbers"], kind)}
        if kind != "prioritised":  # there, what was replayed is worth less than what was not
            assert min(fair.values()) > RARE, fair
        result: dict[str, Any] = {"version": theirs["version"]}
        result |= {f"chi-square, p of {who}": p for who, p in fair.items()}
        others = {"flashbax": theirs} | ({"a NumPy ring": ring()} if kind == "uniform" else {})
        for who, times in others.items():
            for what in ("add", "sample", "inside"):
                if what not in times:
                    continue
                a, b = mine[what], times[what]
                name = "add and sample inside a loop" if what == "inside" else f"{what} from Python"
                result[f"{name}, against {who}"] = {
                    "warm_seconds": {"ours": statistics.median(a), "theirs": statistics.median(b)},
                    "ratio": statistics.median(b) / statistics.median(a),
                    "ratio_range": [min(b) / max(a), max(b) / min(a)],
                }
        return result

    return race
