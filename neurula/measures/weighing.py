"""A resample of stimuli as weights of pairs: products of dissimilarities under many weightings.

Drawing stimuli with replacement draws the pair (i, j) of different stimuli as often as w_i w_j,
where w counts how often each stimulus was drawn; pairs of a stimulus with its own copy are left
out. So every sum over the pairs of a resample is a weighted sum over the pairs of the data: exact,
and a product of matrices for all resamples together.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

Counts = Float[np.ndarray, "resample stimulus"]
Vectors = Float[np.ndarray, "_ pair"]  # rows are models, subjects, or both
Grams = Float[np.ndarray, "resample rdm rdm"]
Sums = Float[np.ndarray, "resample rdm stimulus"]

BLOCK = 2**21  # numbers that are held at a time, 16 MiB


def absent(*vectors: Vectors) -> Bool[np.ndarray, " pair"]:
    """Which pairs are NaN in any row."""
    return np.logical_or.reduce(np.isnan(np.vstack(vectors)), axis=0)


def pair_weights(counts: Counts, pairs: slice = slice(None)) -> Float[np.ndarray, "resample pair"]:
    """How often each pair is drawn: w_i w_j."""
    one, other = np.triu_indices(counts.shape[1], 1)
    return counts[:, one[pairs]] * counts[:, other[pairs]]


def grams(vectors: Vectors, counts: Counts) -> Grams:
    """The products sum_p W_p x_p y_p of all rows x and y, for every resample."""
    rows, pairs = vectors.shape
    if len(counts) == 1:  # the data themselves: no use in making all products first
        return ((vectors * pair_weights(counts)) @ vectors.T)[None]
    first, second = np.triu_indices(rows)
    found = np.zeros((len(counts), len(first)))
    one, other = np.triu_indices(counts.shape[1], 1)
    step = max(1, BLOCK // max(len(counts), len(first)))
    for start in range(0, pairs, step):
        part = slice(start, start + step)
        weights = counts[:, one[part]] * counts[:, other[part]]
        found += weights @ (vectors[first, part] * vectors[second, part]).T
    square = np.empty((len(counts), rows, rows))
    square[:, first, second] = square[:, second, first] = found
    return square


def row_sums(vectors: Vectors, counts: Counts) -> Sums:
    """The sum over the row of each stimulus, sum_b w_b x_ab, for every resample."""
    from scipy.spatial.distance import squareform

    found = np.empty((len(counts), len(vectors), counts.shape[1]))
    for row, vector in enumerate(vectors):
        found[:, row] = counts @ squareform(vector, checks=False)
    return found


def whitened(
    plain: Grams, sums: Sums, counts: Counts, missing: Bool[np.ndarray, "stimulus stimulus"] | None
) -> Grams:
    """The same products after whitening by the covariance of the pairs' sampling errors.

    Dissimilarities that share a stimulus err together. For noise that is alike for all stimuli
    the whitened product is that of the matrices of second moments, centred twice (Diedrichsen et
    al. 2020, arXiv:2007.02789), over the pairs that are there:

        <x, y> = 1/2 sum_p W_p x_p y_p - 1/4 r_x' A^-1 r_y,

    with r the row sums and A = diag(1 + 1/2 pairs of each) + 1/2 (which pairs are there), over all
    that was drawn. Copies of a stimulus have equal rows, so that A acts on the stimuli as
    B = diag(1 + n/2 - w) + 1/2 1 w', which has a closed inverse (Sherman & Morrison 1950), unless
    pairs are missing or one stimulus makes up half of a resample.
    """
    drawn = counts.sum(1)
    diagonal = 1 + drawn[:, None] / 2 - counts
    closed = (diagonal > 0.25).all(1) & (missing is None)
    found = np.empty_like(plain)
    if closed.any():
        w, r, share = counts[closed], sums[closed], 1 / diagonal[closed]
        scaled = (w * share)[:, None] * r
        q = scaled.sum(2)
        rest = 1 + np.sum(w * share, 1) / 2
        outer = q[:, :, None] * (q / rest[:, None])[:, None] / 2
        found[closed] = scaled @ r.transpose(0, 2, 1) - outer
    there = ~np.eye(counts.shape[1], dtype=bool)
    there = there if missing is None else there & ~missing
    for k in np.flatnonzero(~closed):
        w = counts[k]
        matrix = there * w / 2 + np.diag(1 + there @ w / 2)
        found[k] = (sums[k] * w) @ np.linalg.solve(matrix, sums[k].T)
    return plain / 2 - found / 4


def centred(products: Grams, means: Float[np.ndarray, "resample rdm"]) -> Grams:
    """Products of x - mean: the last row is that of ones, whose products are known."""
    m, ones = means, products[:, -1]
    cross = m[:, :, None] * ones[:, None]
    square = (m[:, :, None] * m[:, None]) * products[:, -1, -1, None, None]
    return products - cross - cross.transpose(0, 2, 1) + square


def chunks(counts: Counts, each: int) -> Iterator[slice]:
    """The resamples in parts, so that `each` numbers per resample stay within a block."""
    step = max(1, 4 * BLOCK // max(each, 1))
    for start in range(0, len(counts), step):
        yield slice(start, start + step)
