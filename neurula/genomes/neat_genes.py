"""What a NEAT genome inherits: lists of cells and of connections, sorted by historical marks.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, section 3.1.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .marks import NOTHING, mark


class NeatGenes(eqx.Module):
    """Genes of cells and of connections, each in ascending order of marks, empty places last.

    `source` and `target` are marks of cells: inputs are 0, 1, ..., then the cell of the bias, then
    outputs; hidden cells have the marks in `cells`. `refused` counts the mutations in this line
    of descent for which there was no room: of cells, of connections.
    """

    cells: Int[Array, " cell"]
    kind: Int[Array, " cell"]  # of non-linearity: an index into the genome's table
    innovation: Int[Array, " connection"]
    source: Int[Array, " connection"]
    target: Int[Array, " connection"]
    weight: Float[Array, " connection"]
    enabled: Bool[Array, " connection"]
    refused: Int[Array, "2"]

    @property
    def exists(self) -> Bool[Array, " connection"]:
        """Which places hold a connection, enabled or not."""
        return self.innovation != NOTHING

    @property
    def alive(self) -> Bool[Array, " cell"]:
        """Which places hold a hidden cell."""
        return self.cells != NOTHING

    def sizes(self) -> tuple[Int[Array, ""], Int[Array, ""]]:
        """How many hidden cells, and how many connections."""
        return _count(self.alive), _count(self.exists)

    def full(self) -> Bool[Array, "2"]:
        """Whether there is no more place for a cell, for a connection."""
        return jnp.stack([self.alive[-1], self.exists[-1]])


def empty(cells: int, connections: int) -> NeatGenes:
    """Room for so many hidden cells and connections."""
    blank = jnp.full(connections, NOTHING, jnp.int32)
    return NeatGenes(
        jnp.full(cells, NOTHING, jnp.int32), jnp.zeros(cells, jnp.int32),
        blank, blank, blank, jnp.zeros(connections), jnp.zeros(connections, bool),
        jnp.zeros(2, jnp.int32),
    )  # fmt: skip


def add_cell_gene(genes: NeatGenes, cell: Array, kind: Array, really: Array) -> NeatGenes:
    """The genes with one more hidden cell, if `really`. There must be room, and none like it."""
    index = _inserted(genes.cells, cell[None], really[None])
    cells = jnp.append(genes.cells, cell)[index]
    return eqx.tree_at(
        lambda g: (g.cells, g.kind), genes, (cells, jnp.append(genes.kind, kind)[index])
    )


def add_connection_genes(
    genes: NeatGenes,
    source: Int[Array, " new"],
    target: Int[Array, " new"],
    weight: Float[Array, " new"],
    really: Bool[Array, " new"],
    *,
    marks: Int[Array, " new"] | None = None,
) -> NeatGenes:
    """The genes with those new connections that are `really` there, enabled. The same holds.

    `marks` are those of the new connections, for who knows them already.
    """
    marks = mark(source, target, 0) if marks is None else marks
    index = _inserted(genes.innovation, marks, really)
    put = lambda old, new: jnp.concatenate([old, new])[index]  # noqa: E731
    return NeatGenes(
        genes.cells,
        genes.kind,
        put(genes.innovation, marks),
        put(genes.source, source),
        put(genes.target, target),
        put(genes.weight, weight),
        put(genes.enabled, jnp.ones(len(marks), bool)),
        genes.refused,
    )


def _inserted(
    marks: Int[Array, " place"], new: Int[Array, " new"], really: Bool[Array, " new"]
) -> Int[Array, " place"]:
    """What each place takes to keep the order: an index into the old ones and then the new ones."""
    lower = really[None, :] & (new[None, :] < new[:, None])
    at = _counts(marks[None, :] < new[:, None]) + _counts(lower)
    at = jnp.where(really, at, len(marks))[:, None]
    here = jnp.arange(len(marks), dtype=jnp.int32)[None, :]
    moved = here[0] - _counts((at < here).T)
    taken = here == at
    first = jnp.argmax(taken, axis=0).astype(jnp.int32)
    return jnp.where(jnp.any(taken, axis=0), len(marks) + first, moved)


def _count(them: Array) -> Int[Array, ""]:
    return jnp.sum(them.astype(jnp.int32), dtype=jnp.int32)


def _counts(them: Bool[Array, "row column"]) -> Int[Array, " row"]:
    return jnp.sum(them.astype(jnp.int32), axis=1, dtype=jnp.int32)
