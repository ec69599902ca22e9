"""Likeness of networks in three ways, on scales from untrained pairs to pairs of one kind.

Errors in common: Geirhos, Meding & Wichmann (2020), NeurIPS 33; representations: Kornblith et al.
(2019), ICML 97:3519; cells: Li et al. (2016), ICLR, arXiv:1511.07543.
"""

import jax
import numpy as np
from jaxtyping import Float

from ..experiment import Gate, Outcomes
from ..measures import kappa, matched_correlation
from ..measures.kernels import linear_kernel

ERRORS, CKA, TUNING, WEIGHTS = "errors in common", "CKA", "tuning of cells", "weights of cells"
MEASURES = (ERRORS, CKA, TUNING, WEIGHTS)
LEVELS = {"behaviour": (ERRORS,), "representation": (CKA,), "implementation": (TUNING, WEIGHTS)}
APART, LEAST = 10.0, 0.05  # points of accuracy; of a scale
Table = dict[str, Float[np.ndarray, "way way seed seed"]]  # by measure


class Scale:
    """Likeness of all pairs, and where it lies between its ends."""

    def __init__(self, outcomes: Outcomes, ways: tuple[str, ...], sham: str):
        arms, self.ways = (*ways, sham), ways
        kept = {arm: jax.tree.map(np.float64, outcomes[arm].kept) for arm in arms}
        self.trained, self.untrained = (alike(kept, arms, before) for before in ("", "untrained "))
        self.seeds = len(kept[sham]["right"])
        self.apart = 1.0 - np.eye(self.seeds)[None]  # pairs of a seed with itself do not count
        self.all = np.ones((1, len(self.ways)))

    def ends(
        self, name: str, who: np.ndarray, pairs: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Likeness of untrained pairs, of pairs, and of pairs of one implementation: (resample)."""
        n = len(self.ways)
        weight = (pairs * self.apart).reshape(len(pairs), -1)
        weight = weight / weight.sum(1, keepdims=True)
        trained, untrained = (
            (weight @ table[name][:n, :n].reshape(n * n, -1).T).reshape(-1, n, n)
            for table in (self.trained, self.untrained)
        )
        others = who[:, :, None] * who[:, None, :] * (1 - np.eye(n))
        others = others / others.sum((1, 2), keepdims=True)
        mean = lambda table: np.sum(table * others, axis=(1, 2))  # noqa: E731
        own = np.einsum("raa,ra->r", trained, who / who.sum(1, keepdims=True))
        return mean(untrained), mean(trained), own

    def level(
        self, level: str, who: np.ndarray, pairs: np.ndarray, zero: bool = False
    ) -> Float[np.ndarray, " resample"]:
        """Where pairs of a level lie, the mean over its measures."""
        places = []
        for name in LEVELS[level]:
            low, found, high = self.ends(name, who, pairs)
            low = np.zeros_like(low) if zero else low
            places.append((found - low) / (high - low))
        return np.mean(places, axis=0)

    def each_way(self, level: str) -> Float[np.ndarray, " way"]:
        """Where pairs of an implementation with all others lie."""
        n, every = len(self.ways), []
        for name in LEVELS[level]:
            low, found, high = (np.zeros(n) for _ in range(3))
            ones = self.apart[0] / self.apart.sum()
            means = [np.sum(t[name][:n, :n] * ones, (2, 3)) for t in (self.trained, self.untrained)]
            for way in range(n):
                rest = np.arange(n) != way
                low[way], found[way] = means[1][way, rest].mean(), means[0][way, rest].mean()
                high[way] = (means[0][way, way] + np.diag(means[0])[rest].mean()) / 2
            every.append((found - low) / (high - low))
        return np.mean(every, axis=0)

    def each_seed(self, name: str) -> Float[np.ndarray, " seed"]:
        """Where pairs of a seed with all others lie, by one measure."""
        pairs = np.eye(self.seeds)[:, :, None] * np.ones((1, 1, self.seeds))
        low, found, high = self.ends(name, np.repeat(self.all, self.seeds, 0), pairs)
        return (found - low) / (high - low)

    def gates(self, outcomes: Outcomes) -> tuple[Gate, ...]:
        """Whether networks learned about equally well, scales have a length, and goals count."""
        right = {way: 100 * float(np.mean(outcomes[way].score)) for way in self.ways}
        worst, best = (f(right, key=lambda way: right[way]) for f in (min, max))
        once = np.ones((1, self.seeds, self.seeds))
        ends = {name: [float(x[0]) for x in self.ends(name, self.all, once)] for name in MEASURES}
        low, _, high = ends[ERRORS]
        lost = self.trained[ERRORS][len(self.ways), : len(self.ways)] * self.apart
        aimless = float(lost.sum() / self.apart.sum() / len(self.ways))
        place = (aimless - low) / (high - low)
        lengths = ", ".join(f"{name} {a:.2f} to {b:.2f}" for name, (a, _, b) in ends.items())
        return (
            Gate(f"accuracies of all implementations lie within {APART:g} points",
                 right[best] - right[worst] <= APART,
                 f"{right[worst]:.1f} % ({worst}) to {right[best]:.1f} % ({best})"),
            Gate(f"every scale is longer than {LEAST:g}",
                 min(b - a for a, _, b in ends.values()) > LEAST, lengths),
            Gate("networks without an aim do not err as the others do: below 0.2 of the scale",
                 place < 0.2, f"{place:.2f}"),
        )  # fmt: skip


def alike(kept: dict[str, dict[str, np.ndarray]], arms: tuple[str, ...], before: str) -> Table:
    """Likeness of every network of an arm and a seed with every other one."""
    found: dict[str, list[np.ndarray]] = {
        name: [one for arm in arms for one in kept[arm][f"{before}{name}"]]
        for name in ("right", "cells", "weights")
    }
    kernels = np.stack([kernel(cells).ravel() for cells in found["cells"]])
    many, half = len(kernels), len(found["cells"][0]) // 2
    cells, weights = np.stack(found["cells"]), np.stack(found["weights"]).swapaxes(1, 2)
    table = {
        ERRORS: np.ones((many, many)),
        CKA: kernels @ kernels.T,
        TUNING: matched_correlation(cells[:, :half], cells[:, half:]),
        WEIGHTS: matched_correlation(weights, weights),
    }
    right = np.stack(found["right"]) > 0
    for i in range(many):
        for j in range(i):
            table[ERRORS][i, j] = table[ERRORS][j, i] = kappa(right[i], right[j])
    by_arm = len(arms), many // len(arms)
    return {name: t.reshape(*by_arm, *by_arm).swapaxes(1, 2) for name, t in table.items()}


def kernel(cells: Float[np.ndarray, "picture cell"]) -> Float[np.ndarray, "picture picture"]:
    """What linear CKA (unbiased) compares, of length 1; nothing where all cells are silent."""
    try:
        return linear_kernel(cells, "cells")
    except ValueError:
        return np.zeros((len(cells), len(cells)))
