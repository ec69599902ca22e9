"""Cortical columns: cells in layers, tiled on a sheet, with ports for what comes and goes.

Haeusler & Maass (2007), Cereb. Cortex 17:149; the tables stand in `laminae`. Connections are drawn
once, in NumPy; there are no dynamics here. `neurula.cortical` makes a network of it.
"""

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from .laminae import PORTS, THOMSON, Laminae
from .sparse import Sparse

SPREAD = 0.7  # standard deviation of strengths, in shares of their mean


class Bundle(NamedTuple):
    """Connections, and the strength of each in mV, negative where they inhibit."""

    wiring: Sparse
    strength: Float[np.ndarray, " edge"]


@dataclasses.dataclass(frozen=True, eq=False)
class Laminar:
    """Cells of several kinds in one column or more, and their connections.

    Connection i runs from cell `source[i]` to cell `target[i]`. `places` holds x and y in widths
    of a column, and the depth in layers.
    """

    table: Laminae
    kind: Int[np.ndarray, " cell"]  # places in `table.names`
    column: Int[np.ndarray, " cell"]
    places: Float[np.ndarray, "cell 3"]
    source: Int[np.ndarray, " edge"]
    target: Int[np.ndarray, " edge"]
    strength: Float[np.ndarray, " edge"]  # mV

    @property
    def wiring(self) -> Sparse:
        """All connections, between all cells."""
        cells = len(self.kind)
        return Sparse(jnp.asarray(self.source), jnp.asarray(self.target), cells, cells)

    @property
    def excites(self) -> Bool[np.ndarray, " cell"]:
        """Whether each cell is excitatory."""
        return self.table.excites[self.kind]

    def cells(self, name: str) -> Int[np.ndarray, " found"]:
        """The cells of a kind."""
        if name not in self.table.names:
            raise ValueError(
                f"Expected one of {self.table.names}, the kinds of cells, got {name!r}."
            )
        return np.flatnonzero(self.kind == self.table.names.index(name))

    def between(self, pre: Int[np.ndarray, " pre"], post: Int[np.ndarray, " post"]) -> Bundle:
        """The connections from some cells to some others, both counted in the order given."""
        speaks, hears = np.full((2, len(self.kind)), -1)
        speaks[pre], hears[post] = np.arange(len(pre)), np.arange(len(post))
        source, target = speaks[self.source], hears[self.target]
        here = (source >= 0) & (target >= 0)
        return _bundle(source[here], target[here], self.strength[here], len(post), len(pre))


def column(table: Laminae = THOMSON, *, cells: int = 110, seed: int) -> Laminar:
    """One column of `cells` cells. No cell connects to itself.

    Every pair is connected with the probability of its kinds, and as strongly as their mean, with
    a standard deviation of 0.7 means; what falls below zero is drawn anew, evenly between zero and
    twice the mean (Haeusler & Maass 2007, Methods).
    """
    return sheet(1, 1, table, cells=cells, seed=seed)


def sheet(
    rows: int, columns: int, table: Laminae = THOMSON, *, cells: int = 110, seed: int
) -> Laminar:
    """Columns side by side, `cells` cells each, joined with their four neighbours.

    Lateral connections leave and arrive where `table` has its port "lateral".
    """
    if rows < 1 or columns < 1:
        raise ValueError(
            f"A sheet has a row and a column or more, but got {rows} x {columns}. For a single "
            "column use `column(seed=0)`."
        )
    rng, sizes = np.random.default_rng(seed), table.sizes(cells)
    kind = np.tile(np.repeat(np.arange(len(sizes)), sizes), rows * columns)
    where = np.repeat(np.arange(rows * columns), cells)
    row, along = np.divmod(where, columns)
    corner = np.stack([along, row, kind // 2], axis=1)
    apart = np.abs(row[:, None] - row) + np.abs(along[:, None] - along)
    odds = np.where(apart == 0, table.probability[np.ix_(kind, kind)], 0.0)
    if rows * columns > 1:
        speaks = kind == table.names.index(table.leaves["lateral"])
        odds += np.where(apart == 1, _arriving(table, "lateral")[kind, None] * speaks, 0.0)
    np.fill_diagonal(odds, 0.0)
    target, source = np.nonzero(rng.random(odds.shape) < odds)
    strength = _strengths(table, kind[source], kind[target], rng)
    places = corner + rng.random(corner.shape)
    return Laminar(table, kind, where, places, source, target, strength)


def join(pre: Laminar, post: Laminar, port: str, *, scale: float = 1.0, seed: int) -> Bundle:
    """Connections between two columns or sheets, in through a port of the second.

    They leave the cells that `pre` has for this port. `scale` multiplies all probabilities.
    """
    rng = np.random.default_rng(seed)
    _check(post.table, port, scale)
    speaks = pre.kind == pre.table.names.index(pre.table.leaves[port])
    odds = scale * _arriving(post.table, port)[post.kind, None] * speaks
    target, source = np.nonzero(rng.random(odds.shape) < odds)
    mean = np.full(len(source), post.table.fibre)
    return _bundle(source, target, _spread(mean, rng), len(post.kind), len(pre.kind))


def stream(post: Laminar, port: str, fibres: int, *, scale: float = 1.0, seed: int) -> Bundle:
    """Connections from fibres that come from elsewhere, in through a port."""
    rng = np.random.default_rng(seed)
    _check(post.table, port, scale)
    odds = np.tile(scale * _arriving(post.table, port)[post.kind, None], (1, fibres))
    target, source = np.nonzero(rng.random(odds.shape) < odds)
    mean = np.full(len(source), post.table.fibre)
    return _bundle(source, target, _spread(mean, rng), len(post.kind), fibres)


def _check(table: Laminae, port: str, scale: float) -> None:
    most = max(table.arrives[port].values()) if port in PORTS else 1.0
    if port not in PORTS or not 0 <= scale * most <= 1:
        raise ValueError(
            f"Expected a port, one of {PORTS}, and a scale that makes no probability larger than "
            f"1, but got {port!r} and scale={scale}, where the largest is {scale * most:.3g}. "
            f"Use `scale={1 / most:.3g}` or less."
        )


def _arriving(table: Laminae, port: str) -> np.ndarray:
    return np.array([table.arrives[port].get(name, 0.0) for name in table.names])


def _strengths(table: Laminae, pre: np.ndarray, post: np.ndarray, rng: np.random.Generator):
    mean = table.strength[post, pre]
    return _spread(np.where(mean == 0, table.fibre, mean), rng)


def _spread(mean: np.ndarray, rng: np.random.Generator) -> Float[np.ndarray, " edge"]:
    drawn = rng.normal(1.0, SPREAD, len(mean))
    return mean * np.where(drawn < 0, rng.uniform(0, 2, len(mean)), drawn)


def _bundle(source, target, strength, post: int, pre: int) -> Bundle:
    return Bundle(Sparse(jnp.asarray(source), jnp.asarray(target), post, pre), strength)
