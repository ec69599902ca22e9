"""Folds of stimuli, and the correlation of what is predicted with what is held out.

Each fold has a fit of its own, learned without it. Where a fold lies above the mean, the others lie
below, and where a fit finds little its predictions are small: over all folds at once even pure
noise would be predicted, with the wrong sign. So both sides are standardised within each fold; r is
then the mean over folds of the r in each, which is zero on average where there is nothing to find.
"""

import numpy as np
from jaxtyping import Float, Int

from .patterns import LEAST, Matrix
from .weighing import Counts

Folds = Int[np.ndarray, " stimulus"]
ByUnit = Float[np.ndarray, "resample unit"]


def drawn_folds(stimuli: int, folds: int, seed: int) -> Folds:
    """Which fold each stimulus is held out with: as equal in size as can be, by chance.

    Raises `ValueError` where there would be fewer than two folds, or four stimuli in one.
    """
    if folds < 2 or stimuli // folds < LEAST:
        most = stimuli // LEAST
        mend = (
            f"Write `folds={most}` or fewer, at least 2."
            if most > 1
            else "Take at least 8 stimuli, or a measure that predicts nothing: `measure='cka'`."
        )
        raise ValueError(
            f"Expected at least 2 folds of at least {LEAST} stimuli, but {stimuli} stimuli in "
            f"{folds} folds leave {stimuli // max(folds, 1)}: a correlation over fewer says "
            f"nothing, and without a second fold nothing is held out. {mend}"
        )
    return np.random.default_rng(seed).permutation(np.arange(stimuli) % folds)


def correlations(predicted: Matrix, observed: Matrix, fold: Folds, counts: Counts) -> ByUnit:
    """The mean over folds of Pearson's r, of every unit, in every resample of stimuli.

    A fold counts as often as it has stimuli, and not at all where a side does not vary in it; if
    that is so in all folds, r is NaN. In a resample, r = sum_f S_f(x, y) / sqrt(sum_f S_f(x, x)
    sum_f S_f(y, y)) with x and y as standardised in the data, where S_f sums products of deviations
    from the mean of fold f, each stimulus counted as often as it was drawn.
    """
    shown, seen = np.zeros_like(predicted), np.zeros_like(observed)
    for each in np.unique(fold):
        part = fold == each
        one, other = _standardised(predicted[part]), _standardised(observed[part])
        varied = (one != 0).any(0, keepdims=True) & (other != 0).any(0, keepdims=True)
        shown[part], seen[part] = np.where(varied, one, 0), np.where(varied, other, 0)
    together, first, second = (
        _within(a, b, fold, counts) for a, b in ((shown, seen), (shown, shown), (seen, seen))
    )
    least = 1e-12 * len(fold)
    flat = (first <= least) | (second <= least)
    return np.where(flat, np.nan, together) / np.sqrt(np.where(flat, 1, first * second))


def _standardised(values: Matrix) -> Matrix:
    """Mean 0, variance 1; 0 where nothing but rounding is left."""
    rest = values - values.mean(0)
    size = np.sqrt(np.mean(rest**2, axis=0))
    flat = size <= 1e-12 * np.abs(values).max(0)
    return np.where(flat[None, :], 0, rest) / np.where(flat, 1, size)


def _within(one: Matrix, other: Matrix, fold: Folds, counts: Counts) -> ByUnit:
    found = np.zeros((len(counts), one.shape[1]))
    for each in np.unique(fold):
        part = fold == each
        weight = counts[:, part]
        size = np.maximum(weight.sum(1, keepdims=True), 1)
        found += weight @ (one[part] * other[part])
        found -= (weight @ one[part]) * (weight @ other[part]) / size
    return found
