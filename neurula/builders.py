"""Ready-made networks: layered ones, free graphs of cells, and from and to NetworkX."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int8, PRNGKeyArray

from .contracts import AbstractNeuron, AbstractWiring
from .network import Network
from .neurons import Rate
from .populations import Population, Positions, Projection
from .weights import fan_in
from .wirings import Dense, from_edges

if TYPE_CHECKING:
    import networkx


def layered(
    sizes: Sequence[int],
    *,
    neuron: Callable[[int], AbstractNeuron] | None = None,
    wirings: Sequence[AbstractWiring] | None = None,
    gain: float | Float[Array, ""] = 1.0,
    delay: int = 0,
    dt: float = 1.0,
    key: PRNGKeyArray,
) -> Network:
    """Layers from "input" over "hidden1", "hidden2", ... to "output".

    `neuron(size)` makes the cells of a hidden layer (tanh rate cells with a bias unless given);
    the output is linear with a bias. `wirings` replace the dense ones, in order. With `delay` 0
    the whole network is one step, with 1 activity takes a step per layer.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(
            f"A layered network needs at least an input and an output layer with a cell each, but "
            f"got sizes {list(sizes)}. For example `layered([64, 128, 10], key=key)`."
        )
    neuron = neuron or (lambda size: Rate("tanh", jnp.zeros(size)))
    hidden = [f"hidden{i}" for i in range(1, len(sizes) - 1)]
    names = ["input", *hidden, "output"]
    cells = [Rate("identity"), *map(neuron, sizes[1:-1]), Rate("identity", jnp.zeros(sizes[-1]))]
    wirings = wirings or [Dense(b, a) for a, b in itertools.pairwise(sizes)]
    if len(wirings) != len(sizes) - 1:
        raise ValueError(
            f"{len(sizes)} layers are joined by {len(sizes) - 1} wirings, but got {len(wirings)}. "
            "Give one per pair of neighbours, from the input to the output."
        )
    keys = jax.random.split(key, len(wirings))
    joins = zip(names[:-1], names[1:], wirings, keys, strict=True)
    return Network(
        {n: Population(s, c) for n, s, c in zip(names, sizes, cells, strict=True)},
        [Projection(a, b, w, fan_in(w, key=k, gain=gain), delay=delay) for a, b, w, k in joins],
        senses=["input"],
        voices=["output"],
        dt=dt,
    )


def looped(
    network: Network,
    loops: Sequence[tuple[str, str]],
    *,
    gain: float | Float[Array, ""] = 1.0,
    key: PRNGKeyArray,
) -> Network:
    """The network with further connections of all cells, heard a step later: (source, target).

    A population with itself is lateral, from a later to an earlier one is feedback.
    """
    more = []
    for (source, target), k in zip(loops, jax.random.split(key, len(loops)), strict=True):
        wiring = Dense(network.populations[target].size, network.populations[source].size)
        more.append(Projection(source, target, wiring, fan_in(wiring, key=k, gain=gain)))
    return Network(
        network.populations,
        [*network.projections, *more],
        senses=network.senses,
        voices=network.voices,
        dt=network.dt,
    )


def free(
    graph: AbstractWiring,
    *,
    inputs: int,
    outputs: int,
    neuron: AbstractNeuron | None = None,
    sensory: Sequence[int] | None = None,
    motor: Sequence[int] | None = None,
    gain: float | Float[Array, ""] = 1.0,
    sign: Int8[Array, " cell"] | None = None,
    positions: Float[np.ndarray, "cell axis"] | None = None,
    dt: float = 1.0,
    key: PRNGKeyArray,
) -> Network:
    """A graph of cells, loops and all: activity needs one step per connection.

    `inputs` numbers reach the cells listed in `sensory`, and `outputs` linear read-out cells listen
    to those in `motor` (all cells unless given). `gain` is the spectral radius of a random graph's
    weights. The graph is population "cells".
    """
    cells = graph.shape[0]
    neuron = neuron or Rate("tanh", jnp.zeros(cells))
    to_cells, to_loop, to_output = jax.random.split(key, 3)

    def chosen(listed: Sequence[int] | None, what: str) -> np.ndarray:
        these = np.arange(cells) if listed is None else np.unique(np.asarray(listed, int))
        if len(these) == 0 or these.min() < 0 or these.max() >= cells:
            raise ValueError(
                f"`{what}` lists cells of the graph, 0 to {cells - 1}, but got {these.tolist()}."
            )
        return np.isin(np.arange(cells), these)

    hear, speak = chosen(sensory, "sensory"), chosen(motor, "motor")
    enter = Dense(cells, inputs, jnp.asarray(np.tile(hear[:, None], (1, inputs))))
    leave = Dense(outputs, cells, jnp.asarray(np.tile(speak[None, :], (outputs, 1))))
    places = None if positions is None else Positions(jnp.asarray(positions, jnp.float32))
    return Network(
        {
            "input": Population(inputs, Rate("identity")),
            "cells": Population(cells, neuron, places),
            "output": Population(outputs, Rate("identity", jnp.zeros(outputs))),
        },
        [
            Projection("input", "cells", enter, fan_in(enter, key=to_cells), delay=0),
            Projection(
                "cells", "cells", graph, fan_in(graph, key=to_loop, gain=gain, sign=sign), sign=sign
            ),
            Projection("cells", "output", leave, fan_in(leave, key=to_output), delay=0),
        ],
        senses=["input"],
        voices=["output"],
        dt=dt,
    )


def from_networkx(graph: "networkx.DiGraph", **settings: Any) -> Network:
    """A free network with one cell per node and one connection per edge, source to target.

    Edge attribute `weight`, where all edges have it, gives the weights; node attribute `position`
    gives the positions. `settings` are those of `free`.
    """
    if not graph.is_directed() or graph.is_multigraph() or len(graph) == 0:
        raise ValueError(
            f"`from_networkx` takes a directed graph with a node and at most one edge from a node "
            f"to another, but got a {type(graph).__name__} of {len(graph)} nodes. Which way a "
            "connection runs has to be said: `networkx.DiGraph(graph)` makes both directions of "
            "undirected edges, and joins parallel ones."
        )
    nodes = {node: i for i, node in enumerate(graph.nodes)}
    edges = np.array([(nodes[a], nodes[b]) for a, b in graph.edges], int).reshape(-1, 2)
    wiring = from_edges(edges, post=len(nodes), pre=len(nodes))
    places = [place for _, place in graph.nodes(data="position") if place is not None]
    if len(places) == len(nodes):
        settings = {"positions": np.array(places, float)} | settings
    network = free(wiring, **settings)
    weights = [w for _, _, w in graph.edges(data="weight") if w is not None]
    if not weights or len(weights) < len(edges):
        return network
    matrix = np.zeros((len(nodes), len(nodes)), np.float32)
    matrix[edges[:, 1], edges[:, 0]] = weights
    weight = matrix if isinstance(wiring, Dense) else matrix[wiring.target, wiring.source]

    def place(p: Projection) -> Projection:
        if p.name != "cells->cells":
            return p
        return dataclasses.replace(p, weight=jnp.asarray(weight))

    return network.edit(place)


def to_networkx(network: Network) -> "networkx.DiGraph":
    """A directed graph of cells, named (population, index), with weights, delays and positions."""
    import networkx

    graph = networkx.DiGraph()
    for name, population in network.populations.items():
        for cell in range(population.size):
            graph.add_node((name, cell), population=name)
            if population.positions is not None:
                place = tuple(float(x) for x in population.positions.places[cell])
                graph.nodes[name, cell]["position"] = place
    for p in network.projections:
        post, pre = p.wiring.shape
        number = jnp.arange(pre, dtype=jnp.float32), jnp.arange(post, dtype=jnp.float32)
        delays = p.delay
        if p.delays is not None:
            delays = p.wiring.spread(p.delays.astype(jnp.float32))
        edges = (*p.wiring.ends(*number), p.wiring.spread(p.weight), delays)
        sources, targets, weights, delays = np.broadcast_arrays(*map(np.asarray, edges))
        exists = p.wiring.exists
        there = np.ones(weights.shape, bool) if exists is None else np.asarray(exists)
        found = zip(*(x[there] for x in (sources, targets, weights, delays)), strict=True)
        for a, b, w, d in found:
            edge = (p.source, int(a)), (p.target, int(b))
            graph.add_edge(*edge, weight=float(w), delay=int(d), port=p.port)
    return graph
