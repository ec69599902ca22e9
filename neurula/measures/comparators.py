"""How alike two sets of dissimilarities are, for any number of resamples at once.

Kriegeskorte et al. (2008), Front. Syst. Neurosci. 2:4; Nili et al. (2014), PLoS Comput. Biol.
10:e1003553 (tau-a, noise ceiling); Diedrichsen et al. (2020), arXiv:2007.02789 (whitening); Schütt
et al. (2023), eLife 12:e82566 (rho-a).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from .weighing import Counts, Grams, Vectors, absent, centred, chunks, grams, row_sums, whitened

Comparison = Literal[
    "cosine",
    "correlation",
    "whitened cosine",
    "whitened correlation",
    "spearman",
    "rho-a",
    "tau-a",
]
RANKS = ("spearman", "rho-a", "tau-a")
TINY = 1e-12  # of the usual squared length; below, a resample has no variance: similarity 0

Subjects = Float[np.ndarray, "draw subject"]  # how often each subject is drawn


class Judged(NamedTuple):
    """Similarities of models and subjects, and noise ceilings, by resample."""

    scores: Float[np.ndarray, "resample model subject"]
    ceilings: list[Float[np.ndarray, "draw 2"]]  # lower, upper; for each set of draws of subjects


def judge(
    models: Vectors,
    brain: Vectors,
    comparison: Comparison,
    counts: Counts,
    draws: Sequence[Subjects] = (),
) -> Judged:
    """Compare every model with every subject in every resample of stimuli.

    Pairs that are NaN in any row are left out of all. `draws` has one row for each resample, or,
    for a single resample, any number: the ceilings of the subjects so drawn. Lower: each subject
    with the pool of all others; upper: with the pool of all (Nili 2014). Pools are means of what
    the comparison looks at: ranks, or dissimilarities scaled to unit length or unit variance.
    """
    missing = absent(models, brain)
    if comparison in RANKS:
        from .ranked import judge_ranks

        return judge_ranks(models, brain, comparison, counts, draws, missing)
    correlation = comparison.endswith("correlation")
    vectors = np.vstack([models, brain, np.ones((1, models.shape[1]))])
    vectors[:, missing] = 0.0
    if correlation:  # nothing changes, but sums keep their digits
        means = vectors[:-1].sum(1, keepdims=True) / max(1, np.count_nonzero(~missing))
        vectors[:-1, ~missing] -= means
    found = [
        _one(vectors, len(models), comparison, counts[part], [d[part] for d in draws], missing)
        if len(counts) > 1
        else _one(vectors, len(models), comparison, counts, draws, missing)
        for part in chunks(counts, len(vectors) * (counts.shape[1] + len(vectors)))
    ]
    ceilings = [np.concatenate([each.ceilings[k] for each in found]) for k in range(len(draws))]
    return Judged(np.concatenate([each.scores for each in found]), ceilings)


def _one(
    vectors: Vectors,
    models: int,
    comparison: Comparison,
    counts: Counts,
    draws: Sequence[Subjects],
    missing: Bool[np.ndarray, " pair"],
) -> Judged:
    products = plain = grams(vectors, counts)
    means = plain[:, :, -1] / np.maximum(plain[:, -1:, -1], 1)
    if comparison.startswith("whitened"):
        holes = None
        if missing.any():
            from scipy.spatial.distance import squareform

            holes = squareform(missing, checks=False).astype(bool)
        products = whitened(plain, row_sums(vectors, counts), counts, holes)
    if comparison.endswith("correlation"):
        products, plain = centred(products, means), centred(plain, means)
    products, plain = products[:, :-1, :-1], plain[:, :-1, :-1]
    own = np.diagonal(products, axis1=1, axis2=2)
    own = np.where(own > TINY * own.max(0), own, 0.0)
    scores = over(
        products[:, :models, models:],
        own[:, :models, None] * own[:, None, models:],
    )
    lengths = np.sqrt(np.diagonal(plain, axis1=1, axis2=2))[:, models:]
    brain = products[:, models:, models:]
    return Judged(scores, [ceilings(brain, lengths, each) for each in draws])


def over(product: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """The product over the root of the squared lengths; 0 where one of them is 0."""
    positive = squares > 0
    return np.where(positive, product, 0.0) / np.sqrt(np.where(positive, squares, 1.0))


def ceilings(
    brain: Grams, lengths: Float[np.ndarray, "resample subject"], drawn: Subjects
) -> Float[np.ndarray, "draw 2"]:
    """Lower and upper ceiling from the products between subjects alone."""
    share = drawn / np.where(lengths > 0, lengths, 1.0)
    own = np.diagonal(brain, axis1=1, axis2=2)
    product = (brain @ share[:, :, None])[:, :, 0]
    total = np.sum(share * product, 1, keepdims=True)
    upper = over(product, total * own)
    rest = total - 2 * share * product + share**2 * own
    lower = over(product - share * own, rest * own)
    return mean_of_drawn(lower, upper, drawn)


def mean_of_drawn(
    lower: Float[np.ndarray, "draw subject"],
    upper: Float[np.ndarray, "draw subject"],
    drawn: Subjects,
) -> Float[np.ndarray, "draw 2"]:
    """The mean over the subjects that were drawn, each once, as in rsatoolbox.

    Where only one was drawn there are no others, and the pool is this subject.
    """
    there = drawn > 0
    distinct = there.sum(1)
    lower = np.where(distinct[:, None] > 1, lower, upper)
    bounds = np.stack([lower, upper], 2)
    return np.sum(np.where(there[:, :, None], bounds, 0.0), 1) / distinct[:, None]
