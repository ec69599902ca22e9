"""Two sets of dissimilarities over the same pairs: stimuli matched by name, sessions averaged."""

import warnings
from typing import get_args

import numpy as np
from jaxtyping import Float

from ..contracts import Dissimilarities
from ..free_memory import PAIRS, afford
from .comparators import RANKS, Comparison
from .patterns import LEAST
from .weighing import BLOCK, Vectors


def check_comparison(comparison: str) -> None:
    """Raise `ValueError` that lists the comparisons there are."""
    if comparison not in get_args(Comparison):
        raise ValueError(
            f"Expected a comparison among {', '.join(get_args(Comparison))}, but got "
            f"{comparison!r}, which has no formula here. Write `comparison='rho-a'`."
        )


def matched(first: Dissimilarities, second: Dissimilarities) -> Dissimilarities:
    """`first` in the order of `second`. Raises `ValueError` that lists names only one has."""
    if first.stimuli == second.stimuli:
        return first
    there, wanted = set(first.stimuli), set(second.stimuli)
    lacks = [name for name in second.stimuli if name not in there]
    more = [name for name in first.stimuli if name not in wanted]
    if lacks or more:
        raise ValueError(
            f"Both sides need the same stimuli, but the first ({len(there)}) lacks {len(lacks)} "
            f"of the second ({lacks[:10]}) and has {len(more)} others ({more[:10]}). Pairs are "
            "matched by the names of their stimuli; those without a counterpart mean nothing. "
            "Keep what both have: `names = [s for s in brain.stimuli if s in models.stimuli]`, "
            "`models.select(names)`, `brain.select(names)`."
        )
    return first.select(second.stimuli)


def vectors(found: Dissimilarities, comparison: Comparison) -> Vectors:
    """One row for each subject, the mean over the sessions in which a pair was measured.

    Sessions are pooled as subjects are: ranks, or values scaled to unit length or variance.

    Raises `ValueError` for fewer than four stimuli, infinite values and rows without variance.
    """
    if len(found.stimuli) < LEAST:
        raise ValueError(
            f"Expected at least {LEAST} stimuli, but got {len(found.stimuli)}: that is "
            f"{len(found.stimuli) * (len(found.stimuli) - 1) // 2} pairs, and any two orders of "
            "so few agree by chance. Take a recording with more stimuli."
        )
    values = np.asarray(found.values)
    if values.dtype.kind not in "fiub":
        raise ValueError(
            f"The dissimilarities are of the type {values.dtype}, but real numbers were expected: "
            "others have no order and no length. Convert them: `values.real.astype(float)`."
        )
    values = values.astype(np.float64)
    if np.isinf(values).any():
        who = [found.subjects[k] for k in np.flatnonzero(np.isinf(values).any((1, 2)))]
        raise ValueError(
            f"Expected finite dissimilarities, or nan for missing ones, but {who} have infinite "
            "ones, with which every mean is infinite. Mark them as missing: "
            "`np.where(np.isinf(values), np.nan, values)`."
        )
    if values.shape[1] == 1:
        rows = values[:, 0]
    else:
        scaled = np.stack([[_scaled(row, comparison) for row in each] for each in values])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a pair that no session has: NaN
            rows = np.nanmean(scaled, axis=1)
    check_spread(rows, found.subjects, comparison)
    return rows


def _scaled(row: Float[np.ndarray, " pair"], comparison: Comparison) -> np.ndarray:
    """A session as it enters the mean of a subject: what the comparison looks at, to one scale."""
    there = ~np.isnan(row)
    found = np.full_like(row, np.nan)
    if comparison in RANKS:
        from scipy.stats import rankdata

        found[there] = rankdata(row[there]) / (np.count_nonzero(there) + 1)
        return found
    centre = row[there].mean() if comparison.endswith("correlation") and there.any() else 0.0
    length = np.sqrt(np.mean((row[there] - centre) ** 2)) if there.any() else 1.0
    found[there] = (row[there] - centre) / (length if length > 0 else 1.0)
    return found


def check_spread(
    rows: Float[np.ndarray, "rdm pair"], names: tuple[str, ...], comparison: Comparison
) -> None:
    """Raise `ValueError` that names rows that are all nan, all zero, or all equal."""
    there = ~np.isnan(rows)
    high = np.where(there, rows, -np.inf).max(1)
    low = np.where(there, rows, np.inf).min(1)
    size = np.maximum(np.abs(high), np.abs(low))
    spread = size if comparison.endswith("cosine") else high - low
    flat = [names[k] for k in np.flatnonzero(~there.any(1) | (spread <= 1e-12 * size))]
    if flat:
        raise ValueError(
            f"Expected dissimilarities that differ between pairs, but those of {flat[:10]} have "
            f"zero variance (or are all missing): {comparison} divides by it. Are all units or "
            "patterns constant, or the weights of the network zero? Look at "
            "`np.nanstd(dissimilarities.values, axis=-1)`, and leave these rows out."
        )


def affordable(first: Vectors, second: Vectors) -> None:
    """Raise `MemoryError` where comparing them would need more than there is."""
    rows, pairs = len(first) + len(second), first.shape[1]
    afford(
        8 * 5 * (rows + 1) * pairs + 6 * 8 * 4 * BLOCK,
        f"{rows} rows of {pairs} dissimilarities and their ranks",
        PAIRS,
        "Compare fewer models at a time, or fewer stimuli: `models.select(names)`.",
    )
