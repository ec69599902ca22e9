"""A network, cell by cell, from left to right as far as activity has to go."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go

from ..contracts import AbstractNeuron
from ..network import Network
from . import theme
from .graph import graph


class _Graph(NamedTuple):
    """Cells in a row, population after population, and the connections that have a weight."""

    place: dict[str, np.ndarray]  # cells of each population
    kinds: list[str]
    names: list[str]
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray


def network(network: Network, *, strongest: int = 600) -> go.Figure:
    """Draw cells and connections, senses on the left and voices on the right.

    A cell stands one place further right than the last of those that it listens to; in a network
    with loops, where the shortest way from the senses leads to.
    Marks tell senses, voices and the non-linearities of other cells apart, colour and dashes the
    signs of weights. Connections of weight 0 are left out, and so are cells with none but senses
    and voices; the figure says so, and that only the `strongest` connections are drawn where there
    are more.
    """
    found = _read(network)
    size = len(found.kinds)
    fixed = np.isin(np.arange(size), np.concatenate([
        found.place[name] for name in (*network.senses, *network.voices)
    ]))  # fmt: skip
    used = fixed.copy()
    used[found.source] = used[found.target] = True
    kept = np.flatnonzero(used)
    new = np.cumsum(used) - 1
    weight = np.zeros((len(kept), len(kept)), np.float32)
    weight[new[found.target], new[found.source]] = found.weight
    senses, voices = (
        new[np.concatenate([found.place[name] for name in names])]
        for names in (network.senses, network.voices)
    )
    level = _levels(weight, senses)
    others = np.setdiff1d(np.arange(len(kept)), voices)
    level[voices] = max(level[others].max(initial=0) + 1, level[voices].max())
    figure = graph(
        weight,
        positions=_places(weight, level),
        groups=[found.kinds[i] for i in kept],
        names=[found.names[i] for i in kept],
        strongest=strongest,
    )
    figure.update_yaxes(scaleanchor=None)
    if size > len(kept):
        words = f"cells without connections, left out: {size - len(kept)}"
        theme.note(figure, words, x=1, y=0, xanchor="right", yanchor="top", font_size=11)
    return figure


def _read(network: Network) -> _Graph:
    place, kinds, names = {}, [], []
    for name, population in network.populations.items():
        place[name] = np.arange(population.size) + len(kinds)
        role = {True: name}.get(name in (*network.senses, *network.voices), "")
        said = _nonlinearities(population.neuron, population.size)
        kinds += [role or kind for kind in said]
        names += [f"{name} {i}, {kind}" for i, kind in enumerate(said)]
    ends = [np.zeros((0, 3), np.float32)]
    for p in network.projections:
        numbers = (jnp.asarray(place[name], jnp.float32) for name in (p.source, p.target))
        edges = np.broadcast_arrays(*p.wiring.ends(*numbers), p.wiring.spread(p.weight))
        exists = np.True_ if p.wiring.exists is None else np.asarray(p.wiring.exists)
        there = np.broadcast_to(exists, edges[2].shape) & (edges[2] != 0)
        ends.append(np.stack([np.asarray(x)[there] for x in edges], 1))
    source, target, weight = np.concatenate(ends).T
    return _Graph(place, kinds, names, source.astype(int), target.astype(int), weight)


def _nonlinearities(neuron: AbstractNeuron, size: int) -> list[str]:
    """What each cell does to its drive, in a word."""
    table, choice = getattr(neuron, "table", None), getattr(neuron, "choice", None)
    if table is not None:
        picked = np.zeros(size, int) if choice is None else np.asarray(choice)
        return [str(table[i]) for i in picked]
    return [str(getattr(neuron, "nonlinearity", type(neuron).__name__))] * size


def _levels(weight: np.ndarray, senses: np.ndarray) -> np.ndarray:
    """The longest way to each cell, (cell,); with loops, the shortest way from the senses."""
    import networkx as nx

    whole = nx.from_numpy_array((weight != 0).T, create_using=nx.DiGraph)
    level = np.zeros(len(weight), int)
    if nx.is_directed_acyclic_graph(whole):
        for cell in nx.topological_sort(whole):
            level[cell] = max((level[before] + 1 for before in whole.predecessors(cell)), default=0)
        return level
    near = nx.multi_source_dijkstra_path_length(whole, set(senses.tolist()), weight=None)
    return np.array([near.get(cell, 1) for cell in range(len(weight))], int)


def _places(weight: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Columns by level; within them cells near the middle of those that they are joined to."""
    joined = (weight != 0) | (weight != 0).T
    height = np.zeros(len(level))
    for _ in range(4):
        for column in np.unique(level):
            some = np.flatnonzero(level == column)
            near = joined[some] & (level != column)
            middle = (near @ height) / np.maximum(near.sum(1), 1)
            order = np.argsort(middle, kind="stable") if height.any() else np.arange(len(some))
            height[some[order]] = (np.arange(len(some)) - (len(some) - 1) / 2) * 1.0
        if not height.any():
            break
    widest = np.bincount(level).max(initial=1)
    for column in np.unique(level):
        some = level == column
        height[some] *= widest / max(some.sum(), 1)
    within = ((joined & (level[:, None] == level[None, :])).sum(1) > 0).astype(float)
    rank = np.argsort(np.argsort(height + widest * level))
    aside = 0.18 * within * np.cos(np.pi * rank)  # so that lines within a column can be seen
    return np.stack([level + aside, -height], 1)
