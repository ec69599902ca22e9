"""NEAT's genes become a network: inputs, hidden cells and outputs, joined as the genes say."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

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
        hidden, first = genes.cells.shape[0], inputs + 1
        ends = inputs, first, first + outputs, first + outputs + hidden
        self.ranges = {
            "input": slice(0, ends[0]),
            "bias": slice(ends[0], ends[1]),
            "output": slice(ends[1], ends[2]),
            "hidden": slice(ends[2], ends[3]),
        }
        self.source = _place(genes, genes.source, ends[2])
        self.target = _place(genes, genes.target, ends[2])
        self.alive = genes.exists & genes.enabled
        self.weight = jnp.where(self.alive, genes.weight, 0.0)
        self.matrix = self.count = None
        if hidden <= DENSE_UP_TO:
            place = self.target * ends[3] + self.source
            both = jnp.stack([self.weight, self.alive.astype(jnp.float32)], axis=1)
            filled = jnp.zeros((ends[3] * ends[3], 2)).at[place].add(both)
            self.matrix, count = jnp.moveaxis(filled.reshape(ends[3], ends[3], 2), 2, 0)
            self.count = count > 0

    def size(self, name: str) -> int:
        return self.ranges[name].stop - self.ranges[name].start

    def bias(self, name: str) -> Float[Array, " cell"]:
        """What connections from the cell of the bias bring to every cell of a population."""
        if self.matrix is not None:
            return self.matrix[self.ranges[name], self.ranges["bias"].start]
        mine, _, hear = self._between("bias", name)
        return jnp.zeros(self.size(name)).at[hear].add(jnp.where(mine, self.weight, 0.0))

    def join(self, source: str, target: str, delay: int) -> Projection:
        """The connections from one population to another."""
        pre, post = self.size(source), self.size(target)
        if self.matrix is not None and self.count is not None:
            block = self.ranges[target], self.ranges[source]
            wiring = Dense(post, pre, self.count[block])
            return Projection(source, target, wiring, self.matrix[block], delay=delay)
        mine, speak, hear = self._between(source, target)
        weight = jnp.where(mine, self.weight, 0.0)
        return Projection(source, target, Sparse(speak, hear, post, pre, mine), weight, delay=delay)

    def _between(self, source: str, target: str) -> tuple[Array, Array, Array]:
        """Which connections run between two populations, and from whom to whom there."""
        pre, post = self.ranges[source], self.ranges[target]
        mine = (self.source >= pre.start) & (self.source < pre.stop) & self.alive
        mine = mine & (self.target >= post.start) & (self.target < post.stop)
        speak = jnp.where(mine, self.source - pre.start, 0)
        return mine, speak, jnp.where(mine, self.target - post.start, 0)


def _place(genes: NeatGenes, cell: Int[Array, " connection"], fixed: int) -> Array:
    place, inside = find(genes.cells, cell)
    return jnp.where(inside, place + fixed, jnp.minimum(cell, fixed - 1))


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
    populations = {name: Population(graph.size(name), kind) for name, kind in kinds.items()}
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
