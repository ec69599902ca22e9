"""One network on its way through time, on the event engine."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..arrivals import tires
from ..network import Network, NetworkState
from .compiled import load
from .layout import Cells, Rows
from .source import source

ROOM = 4096  # spikes of a population for which there is room at first


class Run:
    """The arrays of a network, the compiled loop, and what has been recorded so far."""

    engine = "events"

    def __init__(
        self,
        network: Network,
        state: NetworkState,
        stimuli: np.ndarray | None,
        watch: Mapping[str, Sequence[int]],
        steps: int,
        like: "Run | None" = None,
    ):
        self.network, self.state, self.steps = network, state, steps
        order = range(len(network.order))
        if like is not None and _same_parts(network, like.network):  # the same code
            self.cells = like.cells
        else:
            self.cells = [Cells(network, i, stimuli is not None) for i in order]
        self.by_name = {p.name: p for p in self.cells}
        self.rows = [
            Rows(q, i, self.by_name[q.source], self.by_name[q.target])
            for i, q in enumerate(network.projections)
        ]
        self.loop = load(source(self.cells, self.rows, cache=True))
        self.past = {line: np.asarray(past) for line, past in state.past.items()}
        self.stimuli = np.zeros((0, 0), np.float32) if stimuli is None else stimuli
        self.data = [p.fresh() for p in self.cells]
        self.rings = [r.buffer() for r in self.rows]
        self.counts = np.zeros(len(self.cells), np.int64)
        self.when = [np.empty(ROOM + p.size if p.spikes else 0, np.int32) for p in self.cells]
        self.who = [np.empty_like(x) for x in self.when]
        self.fired = [np.empty(p.size, np.int32) for p in self.cells]
        self.numbers = [np.array(p.body.numbers, np.float32) for p in self.cells]
        self.watch = {name: np.asarray(cells, np.int64) for name, cells in watch.items()}
        self.look = [self._places(p) for p in self.cells]
        self.traces: dict[str, list[np.ndarray]] = {name: [] for name in watch}
        self.time = 0
        self._begin()

    def _places(self, p: Cells) -> np.ndarray:
        rows = [name for name in p.rows if name.startswith("cell_")] + ["activity"]
        cells = self.watch.get(p.name, np.zeros(0, np.int64))
        return np.concatenate([p.place(cells, name) for name in rows])

    def _begin(self) -> None:
        """Start from the network's state: cells, synapses, and what is on its way."""
        for p, data in zip(self.cells, self.data, strict=True):
            for i, leaf in enumerate(jax.tree.leaves(self.state.cells[p.name])):
                p.put(data, f"cell_{i}", leaf)
        for r, ring in zip(self.rows, self.rings, strict=True):
            for kind, home, half in self._halves(r):
                for i, leaf in enumerate(jax.tree.leaves(half)):
                    home.put(self.data[home.index], f"{kind}_{i}", leaf)
            self._on_its_way(r, ring)

    def _halves(self, r: Rows) -> list[tuple[str, Cells, Any]]:
        """Where the two halves of a synapse live, and what they hold at the beginning."""
        sending, felt = self.state.synapses.get(r.projection.name, (None, None))
        heard = f"felt{r.listening.heard.index(r.projection)}"
        if r.projection not in r.speaking.tiring:
            return [("", r.speaking, sending), (heard, r.listening, felt)]
        sender = f"sender{r.speaking.tiring.index(r.projection)}"
        return [(sender, r.speaking, sending), (heard, r.listening, felt)]

    def _on_its_way(self, r: Rows, ring: np.ndarray) -> None:
        p = r.projection
        if p.delay == 0:
            return
        past = np.asarray(self.state.past[p.name if tires(p) else p.source])
        into = ring if r.slots > 1 else self.data[r.listening.index]
        for age, cell in np.argwhere(past):  # 0: the newest
            there = slice(r.starts[cell], r.starts[cell + 1])
            late = np.full(r.weights[there].size, p.delay) if r.delays is None else r.delays[there]
            due = late - 1 - age  # steps from now
            slot = due * r.width if r.slots > 1 else 0 * due
            coming = due >= 0
            amounts = past[age, cell] * r.weights[there]
            np.add.at(into, (slot + r.places[there])[coming], amounts[coming])

    def advance(self, end: int) -> None:
        """Run until the step `end`; at the end of the run, know what is on its way."""
        longest = max((len(past) for past in self.past.values()), default=0)
        self._run(min(end, self.steps - longest))
        while self.time < end:
            self._run(self.time + 1)
            self._remember()

    def _run(self, end: int) -> None:
        while self.time < end:
            for i, p in enumerate(self.cells):
                if p.spikes and self.counts[i] + p.size > self.when[i].size:
                    more = np.empty(self.when[i].size + p.size, np.int32)
                    self.when[i] = np.concatenate([self.when[i], more])
                    self.who[i] = np.concatenate([self.who[i], more])
            seen = [np.empty((end - self.time, x.size), np.float32) for x in self.look]
            reached = self.loop(*self._arguments(end, seen))
            for p, found in zip(self.cells, seen, strict=True):
                if p.name in self.traces:
                    self.traces[p.name].append(found[: reached - self.time])
            self.time = reached

    def _arguments(self, end: int, seen: list[np.ndarray]) -> list[Any]:
        key, clock = np.zeros(2, np.uint32), 0
        if self.state.clock is not None:
            key, clock = np.asarray(jax.random.key_data(self.state.clock[0])), self.state.clock[1]
        listed = [
            self.time,
            end,
            self.steps - 1,
            np.uint32(key[0]),
            np.uint32(key[1]),
            int(clock),
            self.counts,
        ]
        listed.append(self.stimuli)
        by_cells = (self.data, self.numbers, self.fired, self.when, self.who, self.look, seen)
        for arrays in zip(*by_cells, strict=True):
            listed += arrays
        for r, ring in zip(self.rows, self.rings, strict=True):
            delays = np.zeros(0, np.int32) if r.delays is None else r.delays
            listed += [ring, r.starts, r.places, r.weights, delays]
        return listed

    def spikes(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Steps and cells of all spikes, by population that has any."""
        lists = zip(self.cells, self.counts, self.when, self.who, strict=True)
        return {p.name: (when[:n], who[:n]) for p, n, when, who in lists if p.spikes}

    def finish(self) -> NetworkState:
        """The state at the end of `live`."""
        cells, synapses = {}, {}
        for p, data in zip(self.cells, self.data, strict=True):
            tree = jax.tree.structure(self.state.cells[p.name])
            leaves = [jnp.asarray(p.get(data, f"cell_{i}")) for i in range(tree.num_leaves)]
            cells[p.name] = jax.tree.unflatten(tree, leaves)
        for r in self.rows:
            if r.projection.name not in self.state.synapses:
                continue
            halves = []
            for kind, home, half in self._halves(r):
                tree, data = jax.tree.structure(half), self.data[home.index]
                names = [f"{kind}_{i}" for i in range(tree.num_leaves)]
                halves.append(
                    jax.tree.unflatten(tree, [jnp.asarray(home.get(data, n)) for n in names])
                )
            synapses[r.projection.name] = (halves[0], halves[1])
        clock = self.state.clock
        clock = (
            None
            if clock is None
            else (clock[0], jnp.asarray(np.uint32(clock[1]) + np.uint32(self.time)))
        )
        past = {line: jnp.asarray(past) for line, past in self.past.items()}
        return NetworkState(cells, past, clock, synapses)

    def _remember(self) -> None:
        """Note what every cell says now, as the newest of what delayed projections will carry."""
        now = {p.name: p.get(d, "activity") for p, d in zip(self.cells, self.data, strict=True)}
        for r in self.rows:
            if tires(r.projection):
                home, sent = r.speaking, f"sent{r.speaking.tiring.index(r.projection)}"
                now[r.projection.name] = home.get(self.data[home.index], sent)
        self.past = {
            line: np.concatenate([now[line][None], old[:-1]]) for line, old in self.past.items()
        }


def _same_parts(one: Network, other: Network) -> bool:
    """Whether networks differ in wirings and weights alone, so that their loops are the same."""

    def parts(network: Network) -> Any:
        joins = [(p.name, p.port, p.delay, p.synapse) for p in network.projections]
        return network.populations, network.dt, network.senses, joins

    return bool(eqx.tree_equal(parts(one), parts(other)))
