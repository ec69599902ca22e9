"""How NEAT's genes change: weights drift, connections and cells are added.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, section 3.1. Each takes genes and gives genes;
what finds no room is refused, and counted. Chance comes as uniform numbers, since one call for
all of them compiles and runs several times faster than one for each.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .marks import FEW, find, mark
from .neat_genes import NeatGenes, add_cell_gene, add_connection_genes

TRIES = 8  # pairs of cells drawn until two are found that are not connected yet
SPLITS = 4  # times that a connection may be split, if it is enabled again
SMALL, ELDER = 15, 0.7  # with fewer connections, the chance that each is split before later ones


def change_weights(
    genes: NeatGenes,
    *,
    replaced: float,
    step: float | Float[Array, ""],
    limit: float,
    draws: Float[Array, "2 connection"],
) -> NeatGenes:
    """Every weight moves by up to `step`; a share `replaced` is drawn anew from -step to step."""
    moved = step * (2 * draws[0] - 1)
    weight = jnp.where(draws[1] < replaced, moved, genes.weight + moved)
    weight = jnp.where(genes.exists, jnp.clip(weight, -limit, limit), 0.0)
    return eqx.tree_at(lambda g: g.weight, genes, weight)


class Addition(eqx.Module):
    """What a mutation would add: a connection, or a cell with two connections.

    `able` says whether there is anything to add and room for it, `lack` what room is missing: for
    a cell, for connections.
    """

    able: Bool[Array, ""]
    lack: Bool[Array, "2"]
    source: Int[Array, ""]
    target: Int[Array, ""]
    weight: Float[Array, ""]
    split: Int[Array, ""]  # the place of the connection that is split
    cell: Int[Array, ""]  # its mark
    marks: Int[Array, "2"]  # of connections: into it and out of it, or twice the one


def split_connection(genes: NeatGenes, *, bias: int, draw: Float[Array, ""]) -> Addition:
    """A hidden cell amid a connection; one from the bias is left alone.

    A random one, but in small genomes rather one whose mark is low: otherwise cells come in chains,
    since those just added bring most of the connections that can be split.
    """
    able = genes.enabled & genes.exists & (genes.source != bias)
    small = ~genes.exists[min(SMALL, genes.exists.shape[0]) - 1]
    rank = jnp.floor(jnp.log1p(-draw) / np.log(1 - ELDER)).astype(jnp.int32)
    place = jnp.where(small, _nth(able, rank), _any_of(able, draw))
    source, target = genes.source[place], genes.target[place]
    cells = mark(source, target, jnp.arange(1, SPLITS + 1))
    taken = jnp.any(cells[:, None] == genes.cells[None, :], axis=1)
    cell = cells[jnp.argmin(taken)]
    marks = mark(jnp.stack([source, cell]), jnp.stack([cell, target]), 0)
    new = able[place] & ~jnp.all(taken) & (marks[0] != marks[1])
    new = new & ~jnp.any(find(genes.innovation, marks)[1])
    full = genes.exists[-min(2, genes.exists.shape[0])]
    lack = new & jnp.stack([genes.alive[-1], ~genes.alive[-1] & full])
    weight = genes.weight[place]
    return Addition(new & ~jnp.any(lack), lack, source, target, weight, place, cell, marks)


def connect(
    genes: NeatGenes,
    *,
    inputs: int,
    outputs: int,
    bias: bool,
    loops: bool,
    scale: float,
    draws: Float[Array, " number"],
) -> Addition:
    """A connection between two random cells that have none yet, in this direction.

    Without loops, one that would close a loop is turned round. `draws`: 2 * TRIES + 1 numbers.
    """
    hidden = jnp.sum(genes.alive.astype(jnp.int32), dtype=jnp.int32)
    speak, first = inputs + 1 + (outputs if loops else 0), inputs + 1
    drawn = _whole(draws[:TRIES], speak + hidden)
    source = jnp.where(drawn < speak, drawn, genes.cells[jnp.maximum(drawn - speak, 0)])
    heard = _whole(draws[TRIES : 2 * TRIES], outputs + hidden)
    inside = genes.cells[jnp.maximum(heard - outputs, 0)]
    target = jnp.where(heard < outputs, heard + first, inside)
    ends = (source, target) if loops else (jnp.append(source, target), jnp.append(target, source))
    marks = mark(*ends, 0)
    _, there = find(genes.innovation, marks)
    new = ~there[:TRIES]
    new = new if bias else new & (source != inputs)
    new = new if loops else new & (source != target)
    chosen = jnp.argmax(new)
    source, target, new = source[chosen], target[chosen], new[chosen]
    if not loops:
        closes = _reaches(genes, target, source)
        source, target = jnp.where(closes, target, source), jnp.where(closes, source, target)
        chosen = jnp.where(closes, chosen + TRIES, chosen)
        new = new & ~there[chosen]
    full = new & genes.exists[-1]
    lack = jnp.stack([jnp.zeros((), bool), full])
    weight = scale * (2 * draws[2 * TRIES] - 1)
    none = jnp.zeros((), jnp.int32)
    twice = jnp.broadcast_to(marks[chosen], 2)
    return Addition(new & ~full, lack, source, target, weight, none, none, twice)


def grow(
    genes: NeatGenes,
    cell: tuple[Array, Addition],
    wire: tuple[Array, Addition],
    *,
    kinds: int,
    draw: Float[Array, ""],
) -> NeatGenes:
    """One addition, the other or none, by the truth that comes first; refusals are counted.

    The connection into a new cell has weight 1, the one out of it that of the connection which is
    split and disabled.
    """
    split, join = cell[0] & cell[1].able, wire[0] & wire[1].able
    born, new = cell[1], wire[1]
    disabled = split & (places(genes.enabled) == born.split)
    refused = genes.refused + ((cell[0] & born.lack) | (wire[0] & new.lack)).astype(jnp.int32)
    genes = eqx.tree_at(
        lambda g: (g.enabled, g.refused), genes, (genes.enabled & ~disabled, refused)
    )
    genes = add_cell_gene(genes, born.cell, _whole(draw, kinds), split)
    pick = lambda one, other: jnp.where(split, one, other)  # noqa: E731
    ends = pick(born.source, new.source), pick(born.cell, new.target)
    return add_connection_genes(
        genes,
        jnp.stack([ends[0], born.cell]),
        jnp.stack([ends[1], born.target]),
        jnp.stack([pick(jnp.ones(()), new.weight), born.weight]),
        jnp.stack([split | join, split]),
        marks=jnp.stack([pick(born.marks[0], new.marks[0]), born.marks[1]]),
    )


def toggle(genes: NeatGenes, *, draw: Float[Array, ""]) -> NeatGenes:
    """One connection is disabled, or enabled again."""
    chosen = (places(genes.exists) == _any_of(genes.exists, draw)) & genes.exists
    return eqx.tree_at(lambda g: g.enabled, genes, genes.enabled ^ chosen)


def change_kind(genes: NeatGenes, *, kinds: int, draws: Float[Array, "2"]) -> NeatGenes:
    """One hidden cell gets a non-linearity drawn at random."""
    chosen = (places(genes.alive) == _any_of(genes.alive, draws[0])) & genes.alive
    return eqx.tree_at(
        lambda g: g.kind, genes, jnp.where(chosen, _whole(draws[1], kinds), genes.kind)
    )


def places(values: Array) -> Int[Array, " place"]:
    """0, 1, 2, ..."""
    return jnp.arange(values.shape[0], dtype=jnp.int32)


def _whole(draw: Float[Array, "..."], below: Array | int) -> Int[Array, "..."]:
    """An integer from 0, out of a uniform number."""
    below = jnp.asarray(below, jnp.int32)
    drawn = jnp.floor(draw * below.astype(jnp.float32)).astype(jnp.int32)
    return jnp.minimum(drawn, below - 1)


def _any_of(able: Bool[Array, " place"], draw: Float[Array, ""]) -> Int[Array, ""]:
    """A random place among the able ones; 0 if there is none."""
    return _nth(able, _whole(draw, jnp.sum(able.astype(jnp.int32), dtype=jnp.int32)))


def _nth(able: Bool[Array, " place"], rank: Int[Array, ""]) -> Int[Array, ""]:
    """The place of the able one of that rank, counted from 0; the last if there are fewer."""
    count = jnp.cumsum(able.astype(jnp.int32), dtype=jnp.int32)
    return jnp.argmax(count > jnp.minimum(rank, count[-1] - 1))


def _reaches(genes: NeatGenes, start: Array, goal: Array) -> Bool[Array, ""]:
    """Whether there is a way from one cell to another, over connections enabled or not."""
    if genes.cells.shape[0] <= FEW:  # comparing is faster than scattering
        leaves = genes.cells[:, None] == genes.source[None, :]
        ends = (genes.target[:, None] == genes.cells[None, :]) & genes.alive[None, :]

        def reach(reached: Array) -> Array:
            active = jnp.any(leaves & reached[:, None], axis=0)
            return jnp.any(ends & active[:, None], axis=0)
    else:
        source, inside = find(genes.cells, genes.source)
        target, within = find(genes.cells, genes.target)
        none = jnp.zeros_like(genes.alive)

        def reach(reached: Array) -> Array:
            return none.at[target].max(reached[source] & inside & within)

    def spread(seen: tuple) -> tuple:
        reached = seen[0] | reach(seen[0])
        return reached, jnp.any(reached != seen[0])

    begin = genes.cells == start
    going = jnp.any(begin) & jnp.any(genes.cells == goal)
    reached, _ = jax.lax.while_loop(lambda seen: seen[1], spread, (begin, going))
    return jnp.any(reached & (genes.cells == goal))
