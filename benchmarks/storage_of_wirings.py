"""Where an edge list beats a matrix with holes: the thresholds in `wirings/graphs.py`."""

import jax
import jax.numpy as jnp
import numpy as np

from neurula.weights import fan_in
from neurula.wirings import Dense, Sparse

from .stopwatch import compare


def _drive(cells: int, density: float, batch: int | None) -> dict:
    mask = np.random.default_rng(0).random((cells, cells)) < density
    target, source = np.nonzero(mask)
    dense = Dense(cells, cells, jnp.asarray(mask))
    sparse = Sparse(jnp.asarray(source), jnp.asarray(target), cells, cells)
    matrix = fan_in(dense, key=jax.random.key(0))
    edges = matrix[target, source]
    shape = (cells,) if batch is None else (batch, cells)
    activity = jax.random.normal(jax.random.key(1), shape)
    over = jax.vmap if batch else lambda f: f
    by_edges = jax.jit(over(lambda a: sparse.drive(edges, a)))
    by_matrix = jax.jit(over(lambda a: dense.drive(matrix, a)))
    np.testing.assert_allclose(by_edges(activity), by_matrix(activity), atol=1e-3)
    return compare(lambda: by_edges(activity), lambda: by_matrix(activity), repeats=15)


def sweep() -> dict:
    """Seconds of the matrix over seconds of the edge list, by cells, density and batch."""
    return {
        f"{cells} cells, {density:.0%}, batch {batch or 1}": _drive(cells, density, batch)
        for cells in (500, 2_000, 4_000)
        for density in (0.01, 0.03, 0.1)
        for batch in (None, 32)
    }
