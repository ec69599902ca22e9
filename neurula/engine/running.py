"""One network on its way through time, on the event engine."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..arrivals import tires
from ..network import Network, NetworkState
from ..plastic import PlasticState
from ..populations import Projection
from .compiled import load
from .connections import Connections
from .layout import Cells, rank
from .source import IN_RING, INTO, RINGS, WIDTH, source

ROOM = 4096  # spikes for which there is room at first


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
        self.network, self.state, self.steps, self.time = network, state, steps, 0
        if like is not None and _same_parts(network, like.network):  # the same code
            self.cells, self.loop, self.kinds = like.cells, like.loop, like.kinds
        else:
            order = range(len(network.order))
            self.cells = [Cells(network, i, stimuli is not None) for i in order]
            self._compile()
        self.stimuli = np.zeros((0, 0), np.float32) if stimuli is None else stimuli
        self.past = {line: np.asarray(past) for line, past in state.past.items()}
        begins = np.cumsum([0, *(p.room for p in self.cells)])
        self.data = np.concatenate([p.fresh() for p in self.cells])
        self.views = [self.data[a:b] for a, b in itertools.pairwise(begins)]
        self.connections = Connections(network, self.cells, begins.tolist())
        self.rings = np.zeros(self.connections.room, np.float32)
        self._tabulate(begins)
        self._watch(watch, begins)
        self.found = np.zeros(1, np.int64)
        self.when, self.who = np.empty((2, ROOM + self.fired.size), np.int32)
        self.more: tuple[Any, ...] = ()  # what the loop is given besides
        self._begin()

    def _compile(self) -> None:
        """Make the loop, and know which kind each population is."""
        code, self.kinds = source(self.cells, cache=True)
        self.loop = load(code)

    def _tabulate(self, begins: np.ndarray) -> None:
        """A table with a row for each population, and what all of them write to."""
        sizes, numbers = [p.size for p in self.cells], [p.body.numbers for p in self.cells]
        self.first = np.cumsum([0, *sizes])  # the number of each population's first cell
        self.fired = np.empty(self.first[-1], np.int32)
        self.numbers = np.array([x for given in numbers for x in given] or [0], np.float32)
        at = np.cumsum([0, *map(len, numbers)])
        most = max((len(p.ringed) for p in self.cells), default=0)
        self.table = np.zeros((len(self.cells), RINGS + 2 * most), np.int64)
        for k, p in enumerate(self.cells):
            names = [p.heard[int(row.removeprefix("in"))].name for row in p.ringed]
            rings = [x for name in names for x in self.connections.rings[name]]
            row = [self.kinds[k], p.size, begins[k], at[k], self.first[k], int(p.spikes), p.first]
            self.table[k, : RINGS + len(rings)] = [*row, *rings]

    def _watch(self, watch: Mapping[str, Sequence[int]], begins: np.ndarray) -> None:
        """Where the watched cells' numbers lie, one population after the other."""
        self.watch = {name: np.asarray(cells, np.int64) for name, cells in watch.items()}
        places = []
        for p, begin in zip(self.cells, begins, strict=False):
            rows = [name for name in p.rows if name.startswith("cell_")] + ["activity"]
            cells = self.watch.get(p.name, np.zeros(0, np.int64))
            places.append(begin + np.concatenate([p.place(cells, name) for name in rows]))
        self.look = np.concatenate(places).astype(np.int64)
        self.parts = np.cumsum([x.size for x in places])[:-1]
        self.seen: list[np.ndarray] = []

    @property
    def traces(self) -> dict[str, list[np.ndarray]]:
        """What was watched, by population: (time, quantity and cell)."""
        found = [np.split(seen, self.parts, axis=1) for seen in self.seen]
        names = [p.name for p in self.cells]
        return {name: [parts[names.index(name)] for parts in found] for name in self.watch}

    def _halves(self, q: Projection) -> list[tuple[str, Cells, Any]]:
        """Where the two halves of a synapse live, and what they hold at the beginning."""
        by_name = {p.name: p for p in self.cells}
        speaks, hears = by_name[q.source], by_name[q.target]
        sending, felt = self.state.synapses.get(q.name, (None, None))
        sender = f"sender{rank(q, speaks.tiring)}" if tires(q) else ""
        return [(sender, speaks, sending), (f"felt{rank(q, hears.heard)}", hears, felt)]

    def _begin(self) -> None:
        """Start from the network's state: cells, synapses, and what is on its way."""
        for p, view in zip(self.cells, self.views, strict=True):
            for i, leaf in enumerate(jax.tree.leaves(self.state.cells[p.name])):
                p.put(view, f"cell_{i}", leaf)
        for index, q in enumerate(self.network.projections):
            for kind, home, half in self._halves(q):
                for i, leaf in enumerate(jax.tree.leaves(half)):
                    home.put(self.views[home.index], f"{kind}_{i}", leaf)
            if q.delay > 0:
                self._on_its_way(index, q)

    def _on_its_way(self, index: int, q: Projection) -> None:
        lists, row = self.connections, self.connections.table[index]
        past = self.past[q.name if tires(q) else q.source]
        into = self.rings if row[IN_RING] else self.data
        for age, cell in np.argwhere(past):  # 0: the newest
            there = lists.of(index, int(cell))
            places = lists.places[there].astype(np.int64)
            late = np.full(places.size, q.delay) if q.delays is None else lists.delays[there]
            due = late - 1 - age  # steps from now
            amounts = past[age, cell] * lists.weights[there]
            places += row[INTO] + due * row[WIDTH]
            np.add.at(into, places[due >= 0], amounts[due >= 0])

    def advance(self, end: int) -> None:
        """Run until the step `end`; at the end of the run, know what is on its way."""
        longest = max((len(past) for past in self.past.values()), default=0)
        self._run(min(end, self.steps - longest))
        while self.time < end:
            self._run(self.time + 1)
            self._remember()

    def _run(self, end: int) -> None:
        key, clock = np.zeros(2, np.uint32), 0
        if self.state.clock is not None:
            key, clock = np.asarray(jax.random.key_data(self.state.clock[0])), self.state.clock[1]
        chance = np.uint32(key[0]), np.uint32(key[1]), int(clock)
        lists = self.connections
        while self.time < end:
            self._make_room()
            seen = np.empty((end - self.time, self.look.size), np.float32)
            reached = self.loop(
                self.time, end, self.steps - 1, *chance, self.stimuli, self.table, lists.table,
                self.data, self.numbers, self.fired, self.rings, lists.starts, lists.places,
                lists.weights, lists.delays, self.found, self.when, self.who, self.look, seen,
                *self.more,
            )  # fmt: skip
            self.seen.append(seen[: reached - self.time])
            self.time = reached

    def _make_room(self) -> None:
        """Let the lists of spikes grow where they could be full after the next step."""
        if self.found[0] + self.fired.size > self.when.size:
            more = np.empty((2, self.when.size + self.fired.size), np.int32)
            self.when, self.who = (
                np.concatenate([old, new])
                for old, new in zip((self.when, self.who), more, strict=True)
            )

    def spikes(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Steps and cells of all spikes, by population that has any."""
        begin = np.searchsorted(self.when[: self.found[0]], 0)  # before: of an earlier run
        lived = slice(begin, self.found[0])
        when, who = self.when[lived], self.who[lived]
        found = {}
        for p, first in zip(self.cells, self.first, strict=False):
            if p.spikes:
                mine = (who >= first) & (who < first + p.size)
                found[p.name] = when[mine], who[mine] - first
        return found

    def finish(self) -> NetworkState | PlasticState:
        """The state at the end."""
        return self._cells_now()

    def _cells_now(self) -> NetworkState:
        def taken(kind: str, home: Cells, like: Any) -> Any:
            leaves, tree = jax.tree.flatten(like)
            view = self.views[home.index]
            return jax.tree.unflatten(
                tree, [jnp.asarray(home.get(view, f"{kind}_{i}")) for i in range(len(leaves))]
            )

        cells = {p.name: taken("cell", p, self.state.cells[p.name]) for p in self.cells}
        joined = [q for q in self.network.projections if q.name in self.state.synapses]
        synapses = {q.name: tuple(taken(*half) for half in self._halves(q)) for q in joined}
        past = {line: jnp.asarray(past) for line, past in self.past.items()}
        clock = self.state.clock
        if clock is not None:
            clock = clock[0], jnp.asarray(np.uint32(clock[1]) + np.uint32(self.time))
        return NetworkState(cells, past, clock, synapses)

    def _remember(self) -> None:
        """Note what every cell says now, as the newest of what delayed projections will carry."""
        now = {p.name: p.get(v, "activity") for p, v in zip(self.cells, self.views, strict=True)}
        for p, view in zip(self.cells, self.views, strict=True):
            now |= {q.name: p.get(view, f"sent{i}") for i, q in enumerate(p.tiring)}
        self.past = {
            line: np.concatenate([now[line][None], old[:-1]]) for line, old in self.past.items()
        }


def _same_parts(one: Network, other: Network) -> bool:
    """Whether networks differ in wirings and weights alone, so that their loops are the same."""

    def parts(network: Network) -> Any:
        joins = [(p.name, p.port, p.delay, p.synapse) for p in network.projections]
        return network.populations, network.dt, network.senses, joins

    return bool(eqx.tree_equal(parts(one), parts(other)))
