"""Free graphs of cells: random with loops, acyclic, small-world, or embedded in space.

Erdos & Renyi (1959); Watts & Strogatz (1998), Nature 393:440. Connections are drawn once, in
NumPy, when a network is built.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from .dense import Dense
from .sparse import Sparse

# Below this share of possible connections an edge list beats a matrix with holes, above it or in
# small networks it does not (measured in `benchmarks/wirings.py`).
SPARSE_BELOW = 0.03
DENSE_UP_TO = 2_000  # cells


def _wire(mask: Bool[np.ndarray, "post pre"]) -> Dense | Sparse:
    post, pre = mask.shape
    if mask.mean() < SPARSE_BELOW and max(mask.shape) > DENSE_UP_TO:
        target, source = np.nonzero(mask)
        return Sparse(jnp.asarray(source), jnp.asarray(target), post, pre)
    return Dense(post, pre, jnp.asarray(mask))


def from_edges(edges: Int[np.ndarray, "edge 2"], *, post: int, pre: int) -> Dense | Sparse:
    """The wiring with these (source, target) pairs; dense or sparse, whichever is faster."""
    edges = np.asarray(edges, int).reshape(-1, 2)
    wrong = (edges < 0) | (edges >= np.array([pre, post]))
    if wrong.any():
        worst = int(np.argmax(wrong.any(1)))
        raise ValueError(
            f"Cells run from 0 to {pre - 1} (source) and {post - 1} (target), but edge {worst} is "
            f"{tuple(int(i) for i in edges[worst])}. Count cells from zero, or make `pre` and "
            "`post` larger."
        )
    mask = np.zeros((post, pre), bool)
    mask[edges[:, 1], edges[:, 0]] = True
    return _wire(mask)


def _check(cells: int, density: float) -> None:
    if cells < 1 or not 0 <= density <= 1:
        raise ValueError(
            f"A graph needs at least one cell and a density between 0 and 1, but got {cells} cells "
            f"and density {density}. The density is the share of all possible connections: for "
            "10 inputs a cell among 200 cells give 10 / 200."
        )


def _choose(odds: Float[np.ndarray, "post pre"], edges: int, seed: int) -> Dense | Sparse:
    """Draw `edges` connections without replacement; cells do not connect to themselves."""
    edges = min(edges, int((odds > 0).sum()))
    picked = np.random.default_rng(seed).choice(
        odds.size, edges, replace=False, p=(odds / odds.sum()).ravel()
    )
    mask = np.zeros(odds.size, bool)
    mask[picked] = True
    return _wire(mask.reshape(odds.shape))


def random(cells: int, density: float, *, seed: int) -> Dense | Sparse:
    """Every connection is as likely as any other; loops of all lengths."""
    _check(cells, density)
    odds = 1.0 - np.eye(cells)
    return _choose(odds, round(density * cells * cells), seed)


def acyclic(cells: int, density: float, *, seed: int) -> Dense | Sparse:
    """Only from earlier cells to later ones: no loops. Density up to about one half."""
    _check(cells, density)
    odds = np.tri(cells, k=-1)
    return _choose(odds, round(density * cells * cells), seed)


def small_world(cells: int, density: float, *, rewire: float = 0.1, seed: int) -> Dense | Sparse:
    """A directed ring of neighbourhoods in which a share `rewire` of sources is drawn anew."""
    _check(cells, density)
    rng = np.random.default_rng(seed)
    near = min(round(density * cells), cells - 1)
    steps = np.array([(k // 2 + 1) * (1 if k % 2 else -1) for k in range(near)], int)
    mask = np.zeros((cells, cells), bool)
    for cell in range(cells):
        sources = (cell + steps) % cells
        new = rng.random(near) < rewire
        others = np.setdiff1d(np.arange(cells), [cell, *sources[~new]])
        mask[cell, sources[~new]] = True
        mask[cell, rng.choice(others, int(new.sum()), replace=False)] = True
    return _wire(mask)


def spatial(
    positions: Float[np.ndarray, "cell axis"], density: float, *, reach: float, seed: int
) -> Dense | Sparse:
    """Near cells connect more often: odds fall as exp(-distance / reach)."""
    positions = np.asarray(positions, float)
    _check(len(positions), density)
    apart = np.linalg.norm(positions[:, None] - positions[None, :], axis=-1)
    odds = np.exp(-apart / reach) * (1 - np.eye(len(positions)))
    return _choose(odds, round(density * len(positions) ** 2), seed)
