"""Kernels of stimuli, centred so that the products of two of them are unbiased.

Song, Smola, Gretton, Bedo & Borgwardt (2012), J. Mach. Learn. Res. 13:1393 (HSIC_1); Székely &
Rizzo (2014), Ann. Statist. 42:2382 (the same as a product of centred matrices).

With K_ij = x_i . x_j, take out what a stimulus has with all others: K~_ij = K_ij - a_i - a_j, where
the a_i are such that sum_j K~_ij = 0 over j != i. Then sum over i != j of K~_ij L~_ij is n (n - 3)
times HSIC_1, whose mean is the squared covariance of the two sides, with no bias. A product of the
stimulus with itself never enters, so that noise of one stimulus does not look like a relation.

A resample of stimuli weighs the pair i != j by w_i w_j, and a pair of copies by nothing, for it is
no independent pair. The a_i then solve sum_j w_j K~_ij = 0. For any weights, the mean is the
squared covariance times a factor that is the same for all pairs of kernels: their ratio keeps it
out, and lies between -1 and 1.
"""

import numpy as np
from jaxtyping import Bool, Float

from ..free_memory import afford
from .patterns import Matrix
from .weighing import Counts, Grams

Kernel = Float[np.ndarray, "stimulus stimulus"]
Kernels = Float[np.ndarray, "row stimulus stimulus"]
TINY = 1e-12  # of the length before centring: what is left is rounding

SQUARE = "they grow with the square of the number of stimuli"


def linear_kernel(patterns: Matrix, name: str) -> Kernel:
    """K~ of a (stimulus, unit) matrix, scaled to unit length, zero on the diagonal.

    Raises `ValueError` for patterns that are all the same, or all equally far from each other.
    """
    n = len(patterns)
    afford(8 * 4 * n**2, f"Kernels of {n} stimuli", SQUARE, "Take fewer stimuli.")
    scale = np.abs(patterns).max(initial=0.0)
    shown = patterns / (scale if scale > 0 else 1.0)
    size = np.linalg.norm(shown @ shown.T)
    shown = shown - shown.mean(0)
    kernel = shown @ shown.T
    np.fill_diagonal(kernel, 0.0)
    own = kernel.sum(1)
    share = own / (n - 2) - own.sum() / (2 * (n - 1) * (n - 2))
    kernel -= share[:, None] + share[None, :]
    np.fill_diagonal(kernel, 0.0)
    length = np.linalg.norm(kernel)
    if not length > TINY * size:
        raise ValueError(
            f"Expected responses that make some stimuli more alike than others, but the {n} "
            f"patterns of {name!r} ({patterns.shape[1]} units) are all the same, or all equally "
            "far apart: nothing remains that a comparison of kernels could use. Are all units "
            "constant, or is each stimulus a unit of its own? Look at `responses.std(0)`."
        )
    return kernel / length


def stacked(kernels: list[Kernel]) -> Kernels:
    """All kernels in one array, if it fits. Raises `MemoryError`."""
    n = len(kernels[0])
    afford(
        8 * (len(kernels) + 2) * n**2,
        f"{len(kernels)} kernels of {n} stimuli",
        SQUARE,
        "Take fewer.",
    )
    return np.stack(kernels)


def usable(counts: Counts) -> Bool[np.ndarray, " resample"]:
    """Which resamples have a kernel: four stimuli or more, none of them half of all draws."""
    distinct = np.count_nonzero(counts, axis=1)
    return (distinct >= 4) & (2 * counts.max(1) < counts.sum(1))


def products(kernels: Kernels, models: int, counts: Counts) -> Grams:
    """Weighted products of kernels; of the first `models` rows not among each other."""
    rows, total = len(kernels), counts.sum(1)
    found = np.zeros((len(counts), rows, rows))
    sums = [counts @ kernel for kernel in kernels]  # sum_j w_j K_ij: (resample, stimulus)
    rest = 1 / (total[:, None] - 2 * counts)
    whole = 1 + np.sum(counts * rest, 1)
    for one in range(rows):
        level = np.sum(counts * sums[one] * rest, 1) / whole
        share = counts * (sums[one] - level[:, None]) * rest  # w_i a_i
        for other in {one, *range(max(one, models), rows)}:
            plain = np.einsum("bi,bi->b", counts @ (kernels[one] * kernels[other]), counts)
            product = plain - 2 * np.einsum("bi,bi->b", share, sums[other])
            found[:, one, other] = found[:, other, one] = product
    return found
