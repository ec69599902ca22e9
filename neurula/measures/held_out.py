"""Folds of stimuli, and the correlation of what is predicted with what is held out.

Each fold has a model and a mean of its own, learned without it. Where a fold lies above the mean,
the others lie below: correlated over all folds at once, even pure noise would be predicted, with
the wrong sign. So deviations are taken from the mean of each fold, and only then put together.
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
    """Pearson's r within folds, of every unit, in every resample of stimuli.

    r = sum_f S_f(x, y) / sqrt(sum_f S_f(x, x) sum_f S_f(y, y)), where S_f is the sum of products of
    deviations from the mean of fold f, each stimulus counted as often as it was drawn. NaN where a
    side does not vary.
    """
    shown, seen = np.zeros_like(predicted), np.zeros_like(observed)
    for each in np.unique(fold):
        part = fold == each
        shown[part] = predicted[part] - predicted[part].mean(0)
        seen[part] = observed[part] - observed[part].mean(0)
    together, first, second = (
        _within(a, b, fold, counts) for a, b in ((shown, seen), (shown, shown), (seen, seen))
    )
    fixed = (_flat(shown, predicted) | _flat(seen, observed))[None, :]
    least = 1e-12 * np.stack([(shown**2).sum(0), (seen**2).sum(0)])
    fixed = fixed | (first <= least[0][None, :]) | (second <= least[1][None, :])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(fixed, np.nan, together / np.sqrt(first * second))


def _within(one: Matrix, other: Matrix, fold: Folds, counts: Counts) -> ByUnit:
    found = np.zeros((len(counts), one.shape[1]))
    for each in np.unique(fold):
        part = fold == each
        weight = counts[:, part]
        size = np.maximum(weight.sum(1, keepdims=True), 1)
        found += weight @ (one[part] * other[part])
        found -= (weight @ one[part]) * (weight @ other[part]) / size
    return found


def _flat(deviations: Matrix, values: Matrix) -> np.ndarray:
    return np.abs(deviations).max(0) <= 1e-12 * np.abs(values).max(0)
