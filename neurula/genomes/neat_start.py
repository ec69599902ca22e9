"""With which structure NEAT begins: none at all, a hidden layer, or a random graph.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, sections 3.4 and 5: a minimal start, and those
of the ablations.
"""

from collections.abc import Iterator
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from .marks import NOTHING, mark
from .neat_genes import NeatGenes, empty

Start = Literal["minimal", "layer", "random"]
FIRST = 100  # "splits" of the cells that are there from the start: no mutation has such


def pairs(
    start: Start, inputs: int, outputs: int, cells: int, *, bias: bool, loops: bool
) -> list[tuple[int, int]]:
    """Connections that a start may hold, by the places of inputs, bias, outputs, hidden cells."""
    if start not in get_args(Start):
        raise ValueError(
            f"NEAT starts {', '.join(map(repr, get_args(Start)))}, but got start={start!r}, which "
            "says nothing of what is there at birth. Use `start='minimal'`, without hidden cells."
        )
    speaking = [*range(inputs), *([inputs] if bias else [])]
    said = range(inputs + 1, inputs + 1 + outputs)
    hidden = range(said.stop, said.stop + cells)
    return list(_pairs(start, speaking, said, hidden, loops))


def _pairs(
    start: Start, speaking: list[int], said: range, hidden: range, loops: bool
) -> Iterator[tuple[int, int]]:
    bias = [] if len(speaking) < said.start else speaking[-1:]
    direct = bias if start == "layer" else speaking
    yield from ((s, t) for s in direct for t in said)
    if start == "minimal":
        return
    yield from ((s, t) for s in speaking for t in hidden)
    yield from ((s, t) for s in hidden for t in said)
    if start == "random":
        yield from ((s, t) for s in hidden for t in hidden if loops or s < t)


def begin(
    room: tuple[int, int],
    found: list[tuple[int, int]],
    fixed: int,
    cells: int,
    *,
    random: bool,
    kinds: int,
    scale: float,
    key: PRNGKeyArray,
) -> NeatGenes:
    """Genes with those connections; if `random`, with 1 to `cells` cells and half of them."""
    places, most = len(found), max(cells, 1)
    draws = jax.random.uniform(key, (2 * places + room[0] + 1,))
    blank = empty(*room)
    marks = mark(
        jnp.zeros(cells, jnp.int32), jnp.zeros(cells, jnp.int32), FIRST + jnp.arange(cells)
    )
    names = jnp.concatenate([jnp.arange(fixed, dtype=jnp.int32), marks])
    source, target = names[np.array(found)[:, 0]], names[np.array(found)[:, 1]]
    born = jnp.full(cells, True)
    there = jnp.full(len(found), True)
    if random:
        born = jnp.arange(cells) <= jnp.floor(draws[-1] * most).astype(jnp.int32)
        alive = jnp.concatenate([jnp.ones(fixed, bool), born])
        ends = alive[np.array(found)[:, 0]] & alive[np.array(found)[:, 1]]
        there = ends & (draws[places : 2 * places] < 0.5)
    innovation = jnp.where(there, mark(source, target, 0), NOTHING)
    order = jnp.argsort(innovation)
    put = lambda old, new: old.at[: len(new)].set(new)  # noqa: E731
    drop = lambda values: jnp.where(there, values, NOTHING)[order]  # noqa: E731
    drawn = scale * (2 * draws[:places] - 1)
    hidden = put(blank.cells, jnp.sort(jnp.where(born, marks, NOTHING)))
    kind = jnp.floor(draws[2 * places : -1] * kinds).astype(jnp.int32)
    return NeatGenes(
        hidden,
        jnp.where(hidden != NOTHING, kind, 0),
        put(blank.innovation, innovation[order]),
        put(blank.source, drop(source)),
        put(blank.target, drop(target)),
        put(blank.weight, jnp.where(there, drawn, 0.0)[order]),
        put(blank.enabled, there[order]),
        blank.refused,
    )


def need(found: list[tuple[int, int]], start: Start, cells: int) -> tuple[int, int]:
    """The room that a start takes: hidden cells, connections."""
    return (0 if start == "minimal" else cells), len(found)
