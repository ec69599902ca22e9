"""How NEAT's genes change: weights drift, connections and cells are added.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, section 3.1. Each takes genes and gives genes;
what finds no room is refused, and counted. Chance comes as uniform numbers, since one call for
all of them compiles and runs several times faster than one for each.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .marks import find, mark
from .neat_genes import NeatGenes, add_cell_gene, add_connection_gene, has

TRIES = 8  # pairs of cells drawn until two are found that are not connected yet
SPLITS = 4  # times that a connection may be split, if it is enabled again


def change_weights(
    genes: NeatGenes,
    *,
    replaced: float,
    step: float,
    limit: float,
    draws: Float[Array, "2 connection"],
) -> NeatGenes:
    """Every weight moves by up to `step`; a share `replaced` is drawn anew from -step to step."""
    moved = step * (2 * draws[0] - 1)
    weight = jnp.where(draws[1] < replaced, moved, genes.weight + moved)
    weight = jnp.where(genes.exists, jnp.clip(weight, -limit, limit), 0.0)
    return eqx.tree_at(lambda g: g.weight, genes, weight)


def split_connection(
    genes: NeatGenes, *, bias: int, kinds: int, draws: Float[Array, "2"]
) -> NeatGenes:
    """A hidden cell amid a random connection, which is disabled; one from the bias is left alone.

    The connection into the new cell has weight 1, the one out of it the old weight.
    """
    able = genes.enabled & genes.exists & (genes.source != bias)
    place = _any_of(able, draws[0])
    source, target, weight = genes.source[place], genes.target[place], genes.weight[place]
    cells = mark(source, target, jnp.arange(1, SPLITS + 1))
    taken = jnp.any(cells[:, None] == genes.cells[None, :], axis=1)
    cell = cells[jnp.argmin(taken)]
    into, out = mark(source, cell, 0), mark(cell, target, 0)
    free = able[place] & ~jnp.all(taken)
    free = free & ~has(genes.innovation, into) & ~has(genes.innovation, out) & (into != out)
    room = ~genes.alive[-1] & ~genes.exists[-min(2, genes.exists.shape[0])]
    grown = eqx.tree_at(
        lambda g: g.enabled, genes, genes.enabled & (places(genes.enabled) != place)
    )
    grown = add_cell_gene(grown, cell, _whole(draws[1], kinds))
    grown = add_connection_gene(grown, source, cell, jnp.ones(()))
    grown = add_connection_gene(grown, cell, target, weight)
    lack = free & jnp.stack([genes.alive[-1], ~genes.alive[-1] & ~room])
    return _if(free & room, grown, genes, lack)


def connect(
    genes: NeatGenes,
    *,
    inputs: int,
    outputs: int,
    bias: bool,
    loops: bool,
    scale: float,
    draws: Float[Array, " number"],
) -> NeatGenes:
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
    fine = ~_connected(genes, source, target)
    fine = fine if bias else fine & (source != inputs)
    fine = fine if loops else fine & (source != target)
    chosen = jnp.argmax(fine)
    source, target, fine = source[chosen], target[chosen], fine[chosen]
    if not loops:
        closes = _reaches(genes, target, source)
        source, target = jnp.where(closes, target, source), jnp.where(closes, source, target)
        fine = fine & ~_connected(genes, source[None], target[None])[0]
    full = genes.exists[-1]
    grown = add_connection_gene(genes, source, target, scale * (2 * draws[2 * TRIES] - 1))
    return _if(fine & ~full, grown, genes, fine & jnp.stack([jnp.zeros((), bool), full]))


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
    rank = jnp.cumsum(able.astype(jnp.int32), dtype=jnp.int32)
    return jnp.argmax(rank > _whole(draw, rank[-1]))


def _connected(
    genes: NeatGenes, source: Int[Array, " pair"], target: Int[Array, " pair"]
) -> Bool[Array, " pair"]:
    """Which pairs are connected already."""
    marks = mark(source, target, 0)
    return jnp.any(marks[:, None] == genes.innovation[None, :], axis=1)


def _reaches(genes: NeatGenes, start: Array, goal: Array) -> Bool[Array, ""]:
    """Whether there is a way from one cell to another, over connections enabled or not."""
    source, from_cell = find(genes.cells, genes.source)
    target, to_cell = find(genes.cells, genes.target)
    inner = from_cell & to_cell

    def spread(seen: tuple) -> tuple:
        reached, _ = seen
        more = reached.at[target].max(reached[source] & inner)
        return more, jnp.any(more != reached)

    begin = genes.cells == start
    reached, _ = jax.lax.while_loop(lambda seen: seen[1], spread, (begin, jnp.any(begin)))
    return jnp.any(reached & (genes.cells == goal))


def _if(able: Bool[Array, ""], new: NeatGenes, old: NeatGenes, lack: Bool[Array, "2"]) -> NeatGenes:
    """The new genes where it was possible, else the old ones with one more refusal."""
    genes = jax.tree.map(lambda a, b: jnp.where(able, a, b), new, old)
    refused = old.refused + lack.astype(jnp.int32)
    return eqx.tree_at(lambda g: g.refused, genes, refused)
