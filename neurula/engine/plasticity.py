"""A local rule as scalar code that is asked only at spikes, and the tables that it works on."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..plastic import Plastic, PlasticState
from ..populations import Projection
from ..rules.local import AbstractLocalRule, End, Synapse, times
from .connections import Connections, sorted_edges
from .layout import Cells
from .translate import Body

SOME = 16  # synapses on which a rule is tried


class Scalar(NamedTuple):
    """A rule's change as code for one synapse: names of what goes in, code of what comes out."""

    body: Body
    given: list[str]
    results: list[str]  # the change of the weight, then the memory
    forget: np.ndarray  # what a step without spikes leaves of each number of the memory


def scalar(plastic: Plastic, learning: Sequence[Projection]) -> Scalar:
    """The code of a rule. Raises `ValueError` where a rule changes weights without spikes."""
    rule, dt = plastic.rule, plastic.network.dt
    before, after = times(rule)
    memory, tree = jax.tree.flatten(_memory(rule, learning))
    sides = ["pre", "post"], [f"before{n}" for n in range(len(before))]
    given = [*sides[0], *sides[1], *(f"after{n}" for n in range(len(after))), "weight"]
    given += [*(f"memory{n}" for n in range(len(memory))), *["reward"] * plastic.rewarded]

    def change(*x: Any) -> list[Any]:
        first = iter(x)
        pre, post = next(first), next(first)
        traces = tuple(next(first) for _ in before), tuple(next(first) for _ in after)
        weight, kept = next(first), jax.tree.unflatten(tree, [next(first) for _ in memory])
        ends, third = (End(pre, traces[0]), End(post, traces[1])), next(first, None)
        moved, new = rule.change(Synapse(*ends, weight, kept, third, dt))
        return [jnp.broadcast_to(moved, weight.shape), *jax.tree.leaves(new)]

    forget = _forgetting(rule, change, (before, after), len(memory), plastic.rewarded)
    body = Body()
    found = body.include(lambda *x: tuple(change(*x)), *given, size=SOME)
    if body.arrays:
        raise _refusal(rule, "holds a number for every synapse")
    return Scalar(body, given, [str(code) for code in found], forget)


def _memory(rule: AbstractLocalRule, learning: Sequence[Projection]) -> Any:
    """What a synapse remembers, which must be its own."""
    memory: Any = None
    for p in learning:
        memory, room = rule.edge_memory(p.wiring), p.wiring.spread(p.weight).shape
        if any(jnp.shape(leaf) != room for leaf in jax.tree.leaves(memory)):
            raise _refusal(rule, "remembers numbers that are not one for each connection")
    return memory


def _forgetting(rule: AbstractLocalRule, change: Any, lasts: Any, leaves: int, heard: bool) -> Any:
    """Ask a rule what happens without spikes: nothing to the weight, and memories only fade."""
    rng = np.random.default_rng(0)
    drawn = lambda low, high: jnp.asarray(rng.uniform(low, high, SOME), jnp.float32)  # noqa: E731
    nothing = jnp.zeros(SOME)
    traces = [drawn(0, 3) if tau else nothing for side in lasts for tau in side]
    still = [nothing, nothing, *traces, drawn(-2, 2)]
    silence = [nothing] if heard else []
    asked = jax.jit(change)
    _, *ones = asked(*still, *[jnp.ones(SOME)] * leaves, *silence)
    memory = [drawn(-2, 2) for _ in range(leaves)]
    moved, *kept = asked(*still, *memory, *silence)
    forget = np.array([one[0] for one in ones], np.float64)
    fades = all(
        np.allclose(new, factor * old, rtol=1e-5, atol=1e-7)
        for new, factor, old in zip(kept, forget, memory, strict=True)
    )
    if np.any(np.asarray(moved)):
        raise _refusal(rule, "changes weights between spikes")
    if not fades:
        raise _refusal(rule, "remembers what does not fade at a constant rate between spikes")
    return forget


def _refusal(rule: AbstractLocalRule, why: str) -> ValueError:
    return ValueError(
        f"{type(rule).__name__} {why}, but the event engine visits a synapse only when a spike "
        'arrives or its cell fires. Use `engine="jax"`.'
    )


def check_learning(p: Projection, cells: dict[str, Cells]) -> None:
    """Refuse a projection whose weights cannot be taught event by event."""
    why = ""
    if not (cells[p.source].spikes and cells[p.target].spikes):
        why = "joins cells that do not spike"
    elif p.synapse is not None and jax.tree.leaves(p.synapse.init(1, 1)[0]):
        why = "has synapses that tire"
    elif (
        jax.eval_shape(p.wiring.spread, p.weight).shape != p.weight.shape
        or not np.array_equal(p.wiring.spread(p.weight), p.weight)
    ):  # fmt: skip
        why = "shares weights between connections"
    if why:
        raise ValueError(
            f"Projection {p.name} learns and {why}; the event engine teaches connections between "
            'cells that spike, one weight each. Use `engine="jax"`.'
        )


class Lessons:
    """What the learning projections of a network keep: a table, reverse lists, traces, memory."""

    def __init__(
        self,
        learning: Sequence[tuple[int, Projection]],  # with their places in the network
        cells: dict[str, Cells],
        lists: Connections,
        state: PlasticState,
        delays: Sequence[int],
    ):
        self.positions = [positions(q) for _, q in learning]
        self.longest = max(delays, default=0) + 1
        traces, table, targets, begins, backs, speakers = [], [], [], [], [], []
        signs, memory = [], []
        edges = heard = said = room = 0
        for (index, q), delay, at in zip(learning, delays, self.positions, strict=True):
            post, pre = q.wiring.shape
            starts, target, *_ = sorted_edges(q)
            before, after = (side[q.name] for side in (state.diary.pre, state.diary.post))
            table.append(
                (index, delay, cells[q.source].index, cells[q.target].index, pre, post, room,
                 room + len(before) * pre, edges - lists.of(index, 0).start, heard, said)
            )  # fmt: skip
            traces += [np.asarray(x, np.float32) for x in (*before, *after)]
            room += len(before) * pre + len(after) * post
            back = np.argsort(target, kind="stable")
            begins.append(np.searchsorted(target[back], np.arange(post + 1)) + edges)
            speakers.append(np.repeat(np.arange(pre), np.diff(starts))[back])
            backs.append(back + edges)
            targets.append(target)
            signs.append(np.zeros(pre) if q.sign is None else np.asarray(q.sign))
            leaves = jax.tree.leaves(state.diary.memory[q.name])
            memory.append(np.array([np.asarray(x).reshape(-1)[at] for x in leaves], np.float32))
            memory[-1] = memory[-1].reshape(len(leaves), at.size)
            edges, heard, said = edges + at.size, heard + post + 1, said + pre
        self.table = np.array(table, np.int64).reshape(-1, 11)
        self.traces = _joined(traces, np.float32)
        self.targets, self.begins = _joined(targets, np.int32), _joined(begins, np.int64)
        self.backs, self.speakers = _joined(backs, np.int64), _joined(speakers, np.int32)
        self.signs = _joined(signs, np.float32)
        self.memory = np.concatenate(memory, axis=1) if memory else np.zeros((0, 0), np.float32)
        self.since = np.full(edges, -1, np.int64)  # the step that a synapse's memory is of
        self.arrived = np.full(said, -1, np.int64)  # the step at which a cell was last heard


def positions(q: Projection) -> np.ndarray:
    """Where in a projection's weights each connection lies, in the order of the event engine."""
    post, pre = q.wiring.shape
    source, _ = q.wiring.ends(jnp.arange(pre, dtype=jnp.float32), jnp.zeros(post))
    flat = np.broadcast_to(np.asarray(source), q.weight.shape).reshape(-1)
    there = np.arange(flat.size)
    if q.wiring.exists is not None:
        there = there[np.asarray(q.wiring.exists).reshape(-1)]
    return there[np.argsort(flat[there], kind="stable")]


def _joined(parts: Sequence[np.ndarray], kind: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0, kind), *(np.asarray(x, kind) for x in parts)])
