"""Where a network's numbers lie while it runs on the event engine.

Cells are kept in blocks of 64. Within a block, each quantity (a potential, a conductance, what
arrives) is one row, and the rows of a block lie side by side: a step touches each block once, and a
compiler sees that rows do not overlap.
"""

import re
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ..arrivals import rest, tires
from ..network import Network
from ..populations import Population, Projection
from .translate import Body

BLOCK = 64  # cells


class Cells:
    """One population's blocks, and the code of one step for one cell of it."""

    def __init__(self, network: Network, index: int, stimulated: bool):
        self.index, self.name = index, network.order[index]
        self.population: Population = network.populations[self.name]
        self.size, self.neuron = self.population.size, self.population.neuron
        self.blocks = -(-self.size // BLOCK)
        self.spikes = self.neuron.emits == "spikes"
        self.stimulated = stimulated and self.name in network.senses
        before = network.senses[: network.senses.index(self.name)] if self.stimulated else ()
        self.first = sum(network.inputs[name] for name in before)  # of the stimulus
        self.rows: list[str] = []  # names of quantities, in order
        self.start: dict[str, np.ndarray | float] = {}
        self.into: dict[str, str] = {}  # by projection: the row that arrivals are added to
        self.body = Body()
        self.heard = [q for q in network.projections if q.target == self.name]
        self.tiring = [q for q in network.projections if q.source == self.name and tires(q)]
        self._write(network)
        rings = [j for j, q in enumerate(self.heard) if slots(q) > 1]
        self.ringed = [f"in{j}" for j in rings]  # rows that are fetched from buffers

    def row(self, name: str, start: Any = 0.0) -> str:
        """Add a row. Gives its name, which stands for the cell's number in the code."""
        if name not in self.rows:
            self.rows.append(name)
            self.start[name] = start
        return name

    def leaves(self, name: str, state: Any) -> list[str]:
        """Rows for the leaves of a state."""
        return [self.row(f"{name}_{i}", x) for i, x in enumerate(jax.tree.leaves(state))]

    def _write(self, network: Network) -> None:
        """The code of a step: what comes in, the cell, what goes out."""
        self.stores: dict[str, str] = {}  # row -> expression
        ports: dict[str, list[str]] = {port: [] for port in self.neuron.ports}
        if self.stimulated:
            ports[self.neuron.ports[0]].append(self.row("stimulus"))
        for q in self.heard:
            ports[q.port].append(self._receive(q, network))
        drives = [" + ".join(found) or "f32(0)" for found in ports.values()]
        drives = [self.body.name(d) if " " in d else d for d in drives]
        state, tree = jax.tree.flatten(self.neuron.init(self.size))
        names = self.leaves("cell", state)
        noise = [self.row("noise")] if self.neuron.noisy else []

        def step(leaves, drive, *noise):
            state = jax.tree.unflatten(tree, leaves)
            after, activity = self.neuron.step(state, drive, *noise or (None,), dt=network.dt)
            return *jax.tree.leaves(after), activity

        *after, activity = self.body.include(
            lambda *x: step(x[: len(names)], *x[len(names) :]), *names, drives, *noise,
            size=self.size,
        )  # fmt: skip
        self.stores |= dict(zip(names, map(str, after), strict=True))
        self.stores[self.row("activity")] = self.activity = str(activity)
        for q in self.tiring:
            self._send(q, network)
        for i, values in enumerate(self.body.arrays):
            self.row(f"a{i}", values)

    def _receive(self, q: Projection, network: Network) -> str:
        where = rank(q, self.heard)
        arriving = self.row(f"in{where}")
        if slots(q) == 1:  # delivered into the row itself
            self.stores[arriving] = "f32(0)"
        if q.synapse is None:
            return arriving
        state, tree = jax.tree.flatten(rest(q)[1])
        names, synapse = self.leaves(f"felt{where}", state), q.synapse

        def receive(*x):
            state = jax.tree.unflatten(tree, x[:-1])
            after, drive = synapse.receive(state, x[-1], dt=network.dt)
            return *jax.tree.leaves(after), drive

        written = len(self.body.lines)
        *after, drive = self.body.include(receive, *names, arriving, size=self.size)
        self._shortcut(q, arriving, self.body.lines[written:])
        self.stores |= dict(zip(names, map(str, after), strict=True))
        return str(drive)

    def _shortcut(self, q: Projection, arriving: str, lines: list[str]) -> None:
        """Let weights go straight into a state to which arrivals are only ever added.

        Two numbers less are moved for every cell and step.
        """
        used = [line for line in lines if re.search(rf"\b{arriving}\b", line)]
        sums = [re.fullmatch(rf"(\w+) = (felt\w+) \+ {arriving}", line) for line in used]
        if slots(q) > 1 or len(used) != 1 or sums[0] is None:
            return
        total, state = sums[0].groups()
        if sum(bool(re.search(rf"\b{state}\b", line)) for line in lines) > 1:
            return
        self.body.lines[self.body.lines.index(used[0])] = f"{total} = {state}"
        self.rows.remove(arriving)
        del self.stores[arriving]
        self.into[q.name] = state

    def _send(self, q: Projection, network: Network) -> None:
        where, synapse = rank(q, self.tiring), q.synapse
        assert synapse is not None  # it tires
        state, tree = jax.tree.flatten(rest(q)[0])
        names = self.leaves(f"sender{where}", state)

        def send(*x):
            after, sent = synapse.send(jax.tree.unflatten(tree, x[:-1]), x[-1], dt=network.dt)
            return *jax.tree.leaves(after), sent

        *after, sent = self.body.include(send, *names, self.activity, size=self.size)
        self.stores |= dict(zip(names, map(str, after), strict=True))
        self.stores[self.row(f"sent{where}")] = str(sent)

    @property
    def room(self) -> int:
        """Numbers that the population's blocks hold."""
        return self.blocks * len(self.rows) * BLOCK

    def fresh(self) -> np.ndarray:
        """The blocks of a population at rest, one after the other."""
        data = np.zeros(self.room, np.float32)
        for name in self.rows:
            self.put(data, name, self.start[name])
        return data

    def _view(self, data: np.ndarray, name: str) -> np.ndarray:
        return data.reshape(self.blocks, len(self.rows), BLOCK)[:, self.rows.index(name)]

    def put(self, data: np.ndarray, name: str, values: Any) -> None:
        """Write one quantity of all cells; what pads the last block repeats the last cell."""
        full = np.broadcast_to(np.asarray(values, np.float32), (self.size,))
        padded = np.pad(full, (0, self.blocks * BLOCK - self.size), mode="edge")
        self._view(data, name)[:] = padded.reshape(self.blocks, BLOCK)

    def get(self, data: np.ndarray, name: str) -> np.ndarray:
        """One quantity of all cells."""
        return self._view(data, name).reshape(-1)[: self.size].copy()

    def place(self, cells: np.ndarray, name: str) -> np.ndarray:
        """Where a quantity of some cells lies."""
        block, within = np.divmod(cells, BLOCK)
        return (block * len(self.rows) + self.rows.index(name)) * BLOCK + within


def slots(projection: Projection) -> int:
    """Steps that a projection's buffer holds: a power of two."""
    return 1 << (max(projection.delay, 1) - 1).bit_length()


def rank(projection: Projection, among: Sequence[Projection]) -> int:
    """Where a projection stands, by name: a layout may serve other networks of equal parts."""
    return [each.name for each in among].index(projection.name)
