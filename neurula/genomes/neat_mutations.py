"""How NEAT's genes change: weights drift, connections and cells are added.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, section 3.1. Each takes genes and gives genes;
what finds no room is refused, and counted.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from .marks import find, mark
from .neat_genes import NeatGenes, add_cell_gene, add_connection_gene, has

TRIES = 8  # pairs of cells drawn until two are found that are not connected yet
SPLITS = 4  # times that a connection may be split, if it is enabled again


def change_weights(
    genes: NeatGenes, *, replaced: float, step: float, limit: float, key: PRNGKeyArray
) -> NeatGenes:
    """Every weight moves by up to `step`; a share `replaced` is drawn anew from -step to step."""
    at_step, at_choice = jax.random.split(key)
    drawn = jax.random.uniform(at_step, genes.weight.shape, minval=-step, maxval=step)
    new = jax.random.uniform(at_choice, genes.weight.shape) < replaced
    weight = jnp.clip(jnp.where(new, drawn, genes.weight + drawn), -limit, limit)
    return eqx.tree_at(lambda g: g.weight, genes, jnp.where(genes.exists, weight, 0.0))


def split_connection(genes: NeatGenes, *, bias: int, kinds: int, key: PRNGKeyArray) -> NeatGenes:
    """A hidden cell amid a random connection, which is disabled; one from the bias is left alone.

    The connection into the new cell has weight 1, the one out of it the old weight.
    """
    at_place, at_kind = jax.random.split(key)
    able = genes.enabled & genes.exists & (genes.source != bias)
    place = _any_of(able, at_place)
    source, target, weight = genes.source[place], genes.target[place], genes.weight[place]
    cells = mark(source, target, jnp.arange(1, SPLITS + 1))
    taken = jnp.any(cells[:, None] == genes.cells[None, :], axis=1)
    cell = cells[jnp.argmin(taken)]
    into, out = mark(source, cell, 0), mark(cell, target, 0)
    free = able[place] & ~jnp.all(taken)
    free = free & ~has(genes.innovation, into) & ~has(genes.innovation, out) & (into != out)
    room = ~genes.alive[-1] & ~genes.exists[-min(2, genes.exists.shape[0])]
    grown = eqx.tree_at(lambda g: g.enabled, genes, genes.enabled.at[place].set(False))
    grown = add_cell_gene(grown, cell, jax.random.randint(at_kind, (), 0, kinds))
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
    key: PRNGKeyArray,
) -> NeatGenes:
    """A connection between two random cells that have none yet, in this direction.

    Without loops, one that would close a loop is turned round.
    """
    at_source, at_target, at_weight = jax.random.split(key, 3)
    hidden = jnp.sum(genes.alive.astype(jnp.int32), dtype=jnp.int32)
    speak, first = inputs + 1 + (outputs if loops else 0), inputs + 1
    drawn = jax.random.randint(at_source, (TRIES,), 0, speak + hidden)
    source = jnp.where(drawn < speak, drawn, genes.cells[drawn - speak])
    heard = jax.random.randint(at_target, (TRIES,), 0, outputs + hidden)
    target = jnp.where(heard < outputs, heard + first, genes.cells[heard - outputs])
    fine = ~_connected(genes, source, target)
    fine = fine if bias else fine & (source != inputs)
    fine = fine if loops else fine & (source != target)
    chosen = jnp.argmax(fine)
    source, target, fine = source[chosen], target[chosen], fine[chosen]
    if not loops:
        closes = _reaches(genes, target, source)
        source, target = jnp.where(closes, target, source), jnp.where(closes, source, target)
        fine = fine & ~_connected(genes, source[None], target[None])[0]
    weight = jax.random.uniform(at_weight, (), minval=-scale, maxval=scale)
    full = genes.exists[-1]
    grown = add_connection_gene(genes, source, target, weight)
    return _if(fine & ~full, grown, genes, fine & jnp.stack([jnp.zeros((), bool), full]))


def toggle(genes: NeatGenes, *, key: PRNGKeyArray) -> NeatGenes:
    """One connection is disabled, or enabled again."""
    place = _any_of(genes.exists, key)
    turned = genes.enabled.at[place].set(~genes.enabled[place] & genes.exists[place])
    return eqx.tree_at(lambda g: g.enabled, genes, turned)


def change_kind(genes: NeatGenes, *, kinds: int, key: PRNGKeyArray) -> NeatGenes:
    """One hidden cell gets a non-linearity drawn at random."""
    at_place, at_kind = jax.random.split(key)
    place = _any_of(genes.alive, at_place)
    drawn = jnp.where(genes.alive[place], jax.random.randint(at_kind, (), 0, kinds), 0)
    return eqx.tree_at(lambda g: g.kind, genes, genes.kind.at[place].set(drawn))


def _any_of(able: Bool[Array, " place"], key: PRNGKeyArray) -> Int[Array, ""]:
    """A random place among the able ones."""
    return jnp.argmax(jnp.where(able, jax.random.uniform(key, able.shape), -1.0))


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
