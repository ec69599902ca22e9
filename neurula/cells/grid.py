"""Cells that fire at the corners of equal triangles that tile the floor.

Hafting, Fyhn, Molden, Moser & Moser (2005), Nature 436:801; as a sum of three waves: Solstad, Moser
& Einevoll (2006), Hippocampus 16:1026; modules: Stensola et al. (2012), Nature 492:72.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .spatial import AbstractSpatialCells


class GridCells(AbstractSpatialCells):
    """Modules of cells that share spacing and orientation and differ in phase.

    Equations: with k_j = 4 pi / (sqrt(3) spacing) (cos, sin)(orientation + 30 deg + j 60 deg),
    c the cell's offset (m), and g the mean of cos(k_j . (x - c)) over j = 0, 1, 2,

        rate = peak max(0, (g - threshold) / (1 - threshold)).

    Threshold 0 rectifies; -1/2 is the smooth grid of Solstad et al., which is never cut. Fields are
    `spacing` apart, one of them is at the offset, and a neighbour lies in the direction
    `orientation`. Cells are in order of modules. Raises `ValueError` for spacings that are not
    positive, or where modules differ in number.
    """

    offset: Float[Array, "module cell 2"]  # m, a field of each cell
    spacing: Float[Array, " _"]  # m, of each module, between neighbouring fields
    orientation: Float[Array, " _"]  # rad from the x axis towards a neighbouring field, of each
    peak: float = 10.0  # Hz
    threshold: float = 0.0  # of the mean of the waves, from -1/2 to below 1

    def __check_init__(self):
        counts = {len(self.offset), len(self.spacing), len(self.orientation)}
        if len(counts) > 1 or not -0.5 <= self.threshold < 1:
            raise ValueError(
                f"Grid cells need one spacing and one orientation for each of {len(self.offset)} "
                f"modules and a threshold from -0.5 to below 1, got {len(self.spacing)}, "
                f"{len(self.orientation)} and {self.threshold}. Use for example "
                "grid_cells(4, 25, spacings=(0.3, 0.42, 0.59, 0.83), key=key)."
            )

    def rates(
        self, position: Float[Array, "2"], direction: Float[Array, ""]
    ) -> Float[Array, " cell"]:
        del direction
        angles = self.orientation[:, None] + jnp.deg2rad(jnp.array([[30.0, 90.0, 150.0]]))
        size = 4 * jnp.pi / (np.sqrt(3) * self.spacing)
        waves = size[:, None, None] * jnp.stack([jnp.cos(angles), jnp.sin(angles)], -1)
        # cos(a - b) = cos a cos b + sin a sin b: the animal's share is that of modules, not cells
        here = jnp.einsum("mjx,x->mj", waves, position)
        there = jnp.einsum("mjx,mcx->mcj", waves, self.offset)
        both = lambda phase: jnp.concatenate([jnp.cos(phase), jnp.sin(phase)], -1)  # noqa: E731
        mean = jnp.einsum("mj,mcj->mc", both(here), both(there)).ravel() / 3
        return self.peak * jnp.maximum((mean - self.threshold) / (1 - self.threshold), 0.0)


def grid_cells(
    modules: int = 4,
    count: int = 25,
    *,
    spacings: Sequence[float] | None = None,
    peak: float = 10.0,
    threshold: float = 0.0,
    key: PRNGKeyArray,
) -> GridCells:
    """`count` cells in each of some modules, with phases and orientations drawn at random.

    Without `spacings` (m) the first module has 0.3 m, each other one 1.42 times the one before
    (Stensola et al.).
    """
    fits = spacings is None or (len(spacings) == modules and min(spacings, default=0) > 0)
    if modules < 1 or count < 1 or not fits:
        raise ValueError(
            f"Grid cells come in 1 module or more of 1 cell or more, with a spacing above 0 m for "
            f"each, got {modules=}, {count=}, {spacings=}. Use for example "
            "grid_cells(2, 25, spacings=(0.3, 0.42), key=key)."
        )
    at_phase, at_turn = jax.random.split(key)
    chosen = jnp.asarray(0.3 * 1.42 ** np.arange(modules) if spacings is None else spacings)
    turns = jax.random.uniform(at_turn, (modules,), maxval=jnp.pi / 3)
    phase = jax.random.uniform(at_phase, (modules, count, 2))
    lattice = jnp.stack([turns, turns + jnp.pi / 3], 1)  # directions of two neighbouring fields
    axes = jnp.stack([jnp.cos(lattice), jnp.sin(lattice)], -1) * chosen[:, None, None]
    offset = jnp.einsum("mca,max->mcx", phase, axes)
    return GridCells(offset, chosen.astype(jnp.float32), turns, peak, threshold)
