"""NEAT's genes become a network: inputs, hidden cells and outputs, joined as the genes say."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ..contracts import AbstractNeuron
from ..network import Network, Population, Projection
from ..neurons import Heterogeneous, Rate
from ..neurons.rate import Nonlinearity
from ..wirings import Dense, Sparse
from .marks import find
from .neat_genes import NeatGenes

DENSE_UP_TO = 64  # hidden cells; beyond, lists of connections take less memory than matrices


class _Graph:
    """Connections by the place of their cells: inputs, the bias, outputs, then hidden cells."""

    def __init__(self, genes: NeatGenes, inputs: int, outputs: int):
        self.inputs, self.outputs, self.hidden = inputs, outputs, genes.cells.shape[0]
        self.source = self._place(genes, genes.source)
        self.target = self._place(genes, genes.target)
        self.alive = genes.exists & genes.enabled
        self.weight = jnp.where(self.alive, genes.weight, 0.0)
        first = inputs + 1
        self.ranges = {
            "input": (0, inputs),
            "output": (first, first + outputs),
            "hidden": (first + outputs, first + outputs + self.hidden),
        }

    def _place(self, genes: NeatGenes, cell: Int[Array, " connection"]) -> Array:
        place, inside = find(genes.cells, cell)
        fixed = self.inputs + 1 + self.outputs
        return jnp.where(inside, place + fixed, jnp.minimum(cell, fixed - 1))

    def bias(self, name: str) -> Float[Array, " cell"]:
        """What connections from the cell of the bias bring to every cell of a population."""
        first, end = self.ranges[name]
        mine = self._within(self.target, name) & (self.source == self.inputs)
        place = jnp.where(mine, self.target - first, 0)
        return jnp.zeros(end - first).at[place].add(jnp.where(mine, self.weight, 0.0))

    def join(self, source: str, target: str, delay: int) -> Projection:
        """The connections from one population to another."""
        mine = self._within(self.source, source) & self._within(self.target, target)
        mine = mine & self.alive
        pre, post = (self._size(name) for name in (source, target))
        speak = jnp.where(mine, self.source - self.ranges[source][0], 0)
        hear = jnp.where(mine, self.target - self.ranges[target][0], 0)
        weight = jnp.where(mine, self.weight, 0.0)
        if self.hidden > DENSE_UP_TO:
            wiring = Sparse(speak, hear, post, pre, mine)
            return Projection(source, target, wiring, weight, delay=delay)
        mask = jnp.zeros((post, pre), bool).at[hear, speak].max(mine)
        matrix = jnp.zeros((post, pre)).at[hear, speak].add(weight)
        return Projection(source, target, Dense(post, pre, mask), matrix, delay=delay)

    def _size(self, name: str) -> int:
        first, end = self.ranges[name]
        return end - first

    def _within(self, place: Array, name: str) -> Bool[Array, " connection"]:
        first, end = self.ranges[name]
        return (place >= first) & (place < end)


def network(
    genes: NeatGenes,
    inputs: int,
    outputs: int,
    *,
    nonlinearities: tuple[Nonlinearity, ...],
    output: Nonlinearity,
    loops: bool,
) -> Network:
    """The network that the enabled connections make."""
    graph = _Graph(genes, inputs, outputs)
    kinds: dict[str, AbstractNeuron[Any]] = {
        "input": Rate("identity"),
        "hidden": _hidden(nonlinearities, genes, graph.bias("hidden")),
        "output": Rate(output, graph.bias("output")),
    }
    populations = {name: Population(graph._size(name), kind) for name, kind in kinds.items()}
    ways = [("input", "hidden", 0), ("input", "output", 0), ("hidden", "output", 0)]
    ways.append(("hidden", "hidden", 1))
    if loops:
        ways += [("output", "hidden", 1), ("output", "output", 1)]
    joined = [graph.join(*way) for way in ways]
    return Network(populations, joined, senses=["input"], voices=["output"])


def _hidden(
    table: tuple[Nonlinearity, ...], genes: NeatGenes, bias: Float[Array, " cell"]
) -> AbstractNeuron[Any]:
    if len(table) == 1:  # which more learning rules know
        return Rate(table[0], bias)
    return Heterogeneous(table, genes.kind, bias)


def depth(genes: NeatGenes) -> Int[Array, ""]:
    """How many hidden cells lie on the longest way; the capacity where ways form loops."""
    source, from_cell = find(genes.cells, genes.source)
    target, to_cell = find(genes.cells, genes.target)
    inner = from_cell & to_cell & genes.enabled
    most = genes.cells.shape[0]
    level = genes.alive.astype(jnp.int32)

    def deeper(_: Array, level: Array) -> Array:
        reached = jnp.where(inner, level[source] + 1, 0)
        return jnp.minimum(level.at[target].max(reached), most)

    return jnp.max(jax.lax.fori_loop(0, most, deeper, level))
