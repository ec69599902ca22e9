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
# small networks it does not (measured in `benchmarks/storage_of_wirings.py`).
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


def _choose(odds: Float[np.ndarray, "post pre"], density: float, seed: int) -> Dense | Sparse:
    """Draw connections without replacement; cells do not connect to themselves."""
    edges, possible = round(density * odds.size), int((odds > 0).sum())
    if edges > possible:
        raise ValueError(
            f"Density {density} asks for {edges} connections among {len(odds)} cells, but such a "
            f"graph has room for {possible}: no cell connects to itself, an acyclic graph has half "
            "of the others, and in a spatial one the odds of far cells vanish. Use a density of at "
            f"most {possible / odds.size:.3g}, or a longer `reach`."
        )
    mask = np.zeros(odds.size, bool)
    if edges > 0:
        chances = (odds / odds.sum()).ravel()
        rng = np.random.default_rng(seed)
        mask[rng.choice(odds.size, edges, replace=False, p=chances)] = True
    return _wire(mask.reshape(odds.shape))


def random(cells: int, density: float, *, seed: int) -> Dense | Sparse:
    """Every connection is as likely as any other; loops of all lengths."""
    _check(cells, density)
    odds = 1.0 - np.eye(cells)
    return _choose(odds, density, seed)


def acyclic(cells: int, density: float, *, seed: int) -> Dense | Sparse:
    """Only from earlier cells to later ones: no loops. Density up to about one half."""
    _check(cells, density)
    odds = np.tri(cells, k=-1)
    return _choose(odds, density, seed)


def small_world(cells: int, density: float, *, rewire: float = 0.1, seed: int) -> Dense | Sparse:
    """A directed ring of neighbourhoods in which a share `rewire` of sources is drawn anew."""
    _check(cells, density)
    if not 0 <= rewire <= 1:
        raise ValueError(
            f"`rewire` is the share of sources drawn anew, from 0 (a ring) to 1 (random), but got "
            f"{rewire}. Small worlds lie near `rewire=0.1`."
        )
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
    if not reach > 0:
        raise ValueError(
            f"`reach` is the distance over which odds fall to 1/e, but got {reach}: nobody would "
            "be near. Start from a quarter of the sheet, in the units of the positions."
        )
    apart = np.linalg.norm(positions[:, None] - positions[None, :], axis=-1)
    odds = np.exp(-apart / reach) * (1 - np.eye(len(positions)))
    return _choose(odds, density, seed)
