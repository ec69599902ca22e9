"""Comparisons that look at the order of dissimilarities only: Spearman's rho, rho-a and tau-a.

Ranks are taken anew in every resample, among the pairs that it holds, from levels that were found
once. rho-a and tau-a do not correct for ties: a model that ties what the brain tells apart loses
(Nili et al. 2014, PLoS Comput. Biol. 10:e1003553; Schütt et al. 2023, eLife 12:e82566).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from .comparators import Comparison, Judged, Subjects, mean_of_drawn, over
from .weighing import Counts, Vectors, pair_weights


class Ranked(NamedTuple):
    """The pairs of one resample, with how often each is drawn."""

    ranks: Int[np.ndarray, "rdm pair"]  # doubled and centred
    levels: Int[np.ndarray, "rdm pair"]
    size: int  # number of levels
    weights: Int[np.ndarray, " pair"]


def judge_ranks(
    models: Vectors,
    brain: Vectors,
    comparison: Comparison,
    counts: Counts,
    draws: Sequence[Subjects],
    missing: Bool[np.ndarray, " pair"],
) -> Judged:
    """`judge` for comparisons of ranks."""
    from .rank_loops import rank_levels

    vectors = np.vstack([models, brain])[:, ~missing]
    levels = np.empty(vectors.shape, np.int32)
    for row, vector in zip(levels, vectors, strict=True):
        row[:] = np.unique(vector, return_inverse=True)[1]
    del vectors  # with thousands of stimuli every copy counts
    size, many = int(levels.max()) + 1, len(models)
    scores = np.empty((len(counts), many, len(brain)))
    ceilings = [np.empty((max(len(each), len(counts)), 2)) for each in draws]
    for k, count in enumerate(counts):
        weights = pair_weights(count[None])[0, ~missing].astype(np.int64)
        there = np.flatnonzero(weights)
        ranks = np.empty((len(levels), there.size), np.int64)
        found = Ranked(ranks, levels, size, weights)
        if there.size < weights.size:
            found = Ranked(ranks, levels[:, there], size, weights[there])
        rank_levels(found.levels, size, found.weights, ranks)
        scores[k] = _scores(found, many, comparison)
        one = slice(k, k + 1) if len(counts) > 1 else slice(None)
        for ceiling, each in zip(ceilings, draws, strict=True):
            ceiling[one] = _ceilings(found, many, comparison, each[one])
    return Judged(scores, ceilings)


def _scores(found: Ranked, models: int, comparison: Comparison) -> np.ndarray:
    if comparison == "tau-a":
        from .rank_loops import concordances

        first, second = found.levels[:models], found.levels[models:]
        return concordances(first, second, found.size, found.weights) / _all(found, comparison)
    ranks = found.ranks.astype(np.float64)
    weighted = ranks * found.weights
    products = weighted[:models] @ ranks[models:].T
    if comparison == "rho-a":
        return products / _all(found, comparison)
    own = np.einsum("rp,rp->r", weighted, ranks)
    return over(products, own[:models, None] * own[None, models:])


def _ceilings(
    found: Ranked, models: int, comparison: Comparison, drawn: Subjects
) -> Float[np.ndarray, "draw 2"]:
    from .rank_loops import pooled

    ranks, levels = found.ranks[models:], found.levels[models:]
    kendall = comparison == "tau-a"
    times = drawn.astype(np.int64)
    products, squares = pooled(ranks, levels, found.size, found.weights, times, kendall)
    if comparison == "spearman":
        own = np.sum(ranks.astype(np.float64) ** 2 * found.weights, 1)
        bounds = over(products, squares * own[:, None])
    else:
        bounds = products / _all(found, comparison)
    return mean_of_drawn(bounds[:, :, 0], bounds[:, :, 1], drawn)


def _all(found: Ranked, comparison: Comparison) -> float:
    """The largest product there can be: of ranks without ties."""
    n = float(found.weights.sum())
    return n * (n - 1) / 2 if comparison == "tau-a" else (n**3 - n) / 3
