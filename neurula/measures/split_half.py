"""How well a unit repeats itself: the correlation of two halves of its repeats.

Spearman (1910), Br. J. Psychol. 3:271; Brown (1910), Br. J. Psychol. 3:296.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from .held_out import Folds, correlations
from .patterns import LEAST, Labelled, Matrix, totals


class Ceiling(NamedTuple):
    """The reliability of every unit, `None` without repeats, and what there is to say of it."""

    values: Float[np.ndarray, " unit"] | None
    note: str


def split_half(
    data: Labelled,
    repeats: tuple[Any, ...] | None,
    fold: Folds,
    *,
    splits: int = 20,
    seed: int = 0,
) -> Ceiling:
    """Split-half r of each unit, taken to all repeats by Spearman and Brown.

    `repeats` names the repeat of each sample, so that both halves hold whole runs; without it, the
    repeats of a stimulus are numbered as they come. Halves hold h of R repeats, drawn `splits`
    times; r is their mean correlation (within folds, as that of predictions), and the ceiling
    k r / (1 + (k - 1) r) with k = R / h. It is the share of the variance of the mean response that
    would repeat. A noiseless model could correlate with that mean up to its root.
    """
    number = _numbered(data, repeats)
    size = int(number.max()) + 1
    if size < 2:
        return Ceiling(None, "One response to each stimulus: there is no ceiling.")
    half, rng = size // 2, np.random.default_rng(seed)
    found, shared = [], []
    for _ in range(1 if size == 2 else splits):
        order = rng.permutation(size)
        first, second = _half(data, number, order[:half]), _half(data, number, order[half:][:half])
        there = ~np.isnan(first[:, 0] + second[:, 0])
        shared.append(int(there.sum()))
        if shared[-1] >= LEAST:
            once = np.ones((1, shared[-1]))
            found.append(correlations(first[there], second[there], fold[there], once)[0])
    stimuli = f"{min(shared)} to {max(shared)} of {len(fold)} stimuli have repeats in both halves"
    if not found:
        return Ceiling(None, f"Only {stimuli}: there is no ceiling.")
    mean, factor = np.mean(found, axis=0), size / half
    note = "" if min(shared) == len(fold) else f"The ceiling rests on part: {stimuli}."
    with np.errstate(divide="ignore"):  # r = -1 has no ceiling, and no finite number either
        return Ceiling(factor * mean / (1 + (factor - 1) * mean), note)


def _half(data: Labelled, number: np.ndarray, repeats: np.ndarray) -> Matrix:
    """The mean response to every stimulus over these repeats; NaN where there is none."""
    part = np.isin(number, repeats)
    total, count = totals(data._replace(values=data.values[part], stimulus=data.stimulus[part]))
    return np.where(count > 0, total.T, np.nan).T / np.maximum(count, 1)[:, None]


def _numbered(data: Labelled, repeats: tuple[Any, ...] | None) -> np.ndarray:
    """The number of the repeat that each sample belongs to."""
    if repeats is not None:
        return np.unique([str(each) for each in repeats], return_inverse=True)[1]
    seen: dict[int, int] = {}
    found = []
    for each in data.stimulus.tolist():
        found.append(seen.get(each, 0))
        seen[each] = found[-1] + 1
    return np.array(found)
