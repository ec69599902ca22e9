"""A network on its way through time whose weights learn at spikes, on the event engine."""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..plastic import Plastic, PlasticState
from ..populations import Projection, keep_sign
from ..rules.local import Diary, times
from .compiled import load
from .learning_source import AFTER, BEFORE, HEAR, LEARN, MORE, POST, PRE, SHIFT, parts
from .plasticity import Lessons, check_learning, scalar
from .running import Run
from .source import DELAY, source


class PlasticRun(Run):
    """A run in which synapses are visited when a spike arrives and when their cell fires."""

    def __init__(
        self,
        plastic: Plastic,
        state: PlasticState,
        stimuli: np.ndarray | None,
        watch: Mapping[str, Sequence[int]],
        steps: int,
    ):
        self.plastic, self.start = plastic, state
        network = plastic.now(state)
        _check_signs(network.projections)
        names = [p.name for p in network.projections]
        self.learning = [names.index(name) for name in state.diary.memory]
        self.delays = [network.projections[n].delay for n in self.learning]
        rewards = None
        if plastic.rewarded and stimuli is not None:
            stimuli, rewards = np.ascontiguousarray(stimuli[:, :-1]), stimuli[:, -1]
        self.rewards = np.zeros(0, np.float32) if rewards is None else rewards.copy()
        # Spikes wait in the list of all spikes for their arrival, so no buffer is needed.
        shorter = [
            dataclasses.replace(p, delay=min(p.delay, 1)) if n in self.learning else p
            for n, p in enumerate(network.projections)
        ]
        network = eqx.tree_at(lambda net: net.projections, network, tuple(shorter))
        super().__init__(network, state.cells, stimuli, watch, steps)

    def _compile(self) -> None:
        projections = self.network.projections
        cells = {p.name: p for p in self.cells}
        for n in self.learning:
            check_learning(projections[n], cells)
        self.rule = scalar(self.plastic, [projections[n] for n in self.learning])
        text = {"MORE": MORE, "HEAR": HEAR, "LEARN": LEARN, "PARTS": parts(self.rule)}
        code, self.kinds = source(self.cells, cache=True, more=text)
        self.loop = load(code)

    def _begin(self) -> None:
        lists, projections = self.connections, self.network.projections
        cells = {p.name: p for p in self.cells}
        pairs = [(n, projections[n]) for n in self.learning]
        self.lessons = it = Lessons(pairs, cells, lists, self.start, self.delays)
        for n, delay in zip(self.learning, self.delays, strict=True):
            if delay > 0:
                lists.table[n, DELAY] = -1  # nothing is sent: it is heard
        marks = np.zeros((it.longest, len(self.cells), 2), np.int64)
        self._recall(marks)
        numbers = np.array(self.rule.body.numbers or [0], np.float32)
        lasts = [tau for side in times(self.plastic.rule) for tau in side]
        dt = self.network.dt
        fades = np.array([math.exp(-dt / tau) if tau else 0 for tau in lasts], np.float32)
        rate = np.float32(self.plastic.rate)
        fired_at = np.full(self.fired.size, -1, np.int64)
        self.more = (
            it.table, numbers, fades, self.rule.forget, rate, self.rewards, marks, it.traces,
            it.targets, it.begins, it.backs, it.speakers, it.signs, it.memory, it.since,
            it.arrived, fired_at,
        )  # fmt: skip
        super()._begin()

    def _recall(self, marks: np.ndarray) -> None:
        """Write the spikes that are on their way into the list of spikes, oldest first."""
        ages = range(len(marks) - 2, -1, -1)  # 0: the newest, of step -1
        for age in ages:
            for k, p in enumerate(self.cells):
                past = self.past.get(p.name, np.zeros((0, 0)))
                cells = np.flatnonzero(past[age]) if p.spikes and age < len(past) else []
                marks[(-1 - age) % len(marks), k] = self.found[0], len(cells)
                for cell in cells:
                    self._make_room()
                    self.when[self.found[0]] = -1 - age
                    self.who[self.found[0]] = self.first[k] + cell
                    self.found[0] += 1

    def _on_its_way(self, index: int, q: Projection) -> None:
        if index not in self.learning:
            super()._on_its_way(index, q)

    def finish(self) -> PlasticState:
        """The state at the end."""
        it, weights = self.lessons, list(self.start.weights)
        before, after = (len(side) for side in times(self.plastic.rule))
        pre, post, memory = {}, {}, {}
        begin = 0
        rows = it.table.tolist()
        for n, at, row in zip(self.learning, it.positions, rows, strict=True):
            name, first = self.network.projections[n].name, begin - row[SHIFT]
            found = self.connections.weights[first : first + at.size]
            weights[n] = _returned(weights[n], at, found)
            pre[name] = _rows(it.traces, row[BEFORE], row[PRE], before)
            post[name] = _rows(it.traces, row[AFTER], row[POST], after)
            memory[name] = self._memory(name, at, slice(begin, begin + at.size))
            begin += at.size
        return PlasticState(self._cells_now(), tuple(weights), Diary(pre, post, memory))

    def _memory(self, name: str, at: np.ndarray, own: slice) -> Any:
        """What the synapses of a projection remember by now."""
        late = self.time - 1 - self.lessons.since[own]
        leaves, tree = jax.tree.flatten(self.start.diary.memory[name])
        kept = zip(leaves, self.lessons.memory, self.rule.forget, strict=False)
        return jax.tree.unflatten(
            tree, [_returned(leaf, at, now[own] * forget**late) for leaf, now, forget in kept]
        )


def _returned(like: Array, at: np.ndarray, values: np.ndarray) -> Array:
    """An array in the layout of a wiring, with new values where there are connections."""
    flat = np.array(like).reshape(-1)
    flat[at] = values
    return jnp.asarray(flat.reshape(like.shape))


def _rows(flat: np.ndarray, start: int, size: int, count: int) -> tuple[Array, ...]:
    ends = [start + n * size for n in range(count + 1)]
    return tuple(jnp.asarray(flat[a:b].copy()) for a, b in itertools.pairwise(ends))


def _check_signs(projections: Sequence[Projection]) -> None:
    wrong = [p.name for p in projections if p.sign is not None and _astray(p)]
    if wrong:
        raise ValueError(
            f"Weights of {wrong} begin on the wrong side of zero for their `sign`; a network that "
            "learns would lose them after its first step. Begin with `network.constrain()`."
        )


def _astray(p: Projection) -> bool:
    return not np.array_equal(np.asarray(keep_sign(p).weight), np.asarray(p.weight))
