"""The two-factor bootstrap: how scores would vary with other subjects and other stimuli.

Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12:e82566. Drawing both at once counts the
measurement noise about three times, drawing one of them alone leaves out the other; together the
three variances give the right one.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from .comparators import Comparison, Subjects, judge
from .weighing import Counts, Vectors, absent

BOTH, SUBJECTS, STIMULI = range(3)  # what is drawn anew


class Resamples(NamedTuple):
    """Scores and ceilings with both, with subjects alone and with stimuli alone drawn anew."""

    scores: Float[np.ndarray, "kind resample model"]
    ceilings: Float[np.ndarray, "kind resample 2"]  # lower, upper
    kept: Bool[np.ndarray, " resample"]  # those with at least three pairs of stimuli


class Variances(NamedTuple):
    """Squared standard errors."""

    scores: Float[np.ndarray, " model"]
    differences: Float[np.ndarray, "model model"]
    to_ceiling: Float[np.ndarray, "model 2"]  # of score minus lower and minus upper ceiling


def drawn(subjects: int, stimuli: int, resamples: int, seed: int) -> tuple[Subjects, Counts]:
    """How often each subject and each stimulus is drawn, for every resample."""
    rng = np.random.default_rng(seed)
    who = rng.multinomial(subjects, np.full(subjects, 1 / subjects), size=resamples)
    what = rng.multinomial(stimuli, np.full(stimuli, 1 / stimuli), size=resamples)
    return who.astype(np.float64), what.astype(np.float64)


def resample(
    models: Vectors, brain: Vectors, comparison: Comparison, who: Subjects, what: Counts
) -> Resamples:
    """Scores and noise ceilings in all resamples, by weighing pairs: exact."""
    from scipy.spatial.distance import squareform

    there = ~absent(models, brain)
    present, joined = what > 0, squareform(there.astype(np.float64), checks=False)
    kept = np.sum((present @ joined) * present, 1) / 2 >= 3
    who, what = who[kept], what[kept]
    everyone = np.ones_like(who)
    by_stimuli = judge(models, brain, comparison, what, [who, everyone])
    whole = judge(models, brain, comparison, np.ones((1, what.shape[1])), [who])
    ceilings = np.stack([by_stimuli.ceilings[0], whole.ceilings[0], by_stimuli.ceilings[1]])
    return Resamples(averaged_over(by_stimuli.scores, whole.scores[0], who), ceilings, kept)


def averaged_over(
    by_stimuli: Float[np.ndarray, "resample model subject"],
    whole: Float[np.ndarray, "model subject"],
    who: Subjects,
) -> Float[np.ndarray, "kind resample model"]:
    """The mean over the subjects drawn: with both, with subjects and with stimuli drawn anew."""
    subjects = whole.shape[1]
    return np.stack(
        [
            np.einsum("bms,bs->bm", by_stimuli, who) / subjects,
            who @ whole.T / subjects,
            by_stimuli.mean(2),
        ]
    )


def variances(found: Resamples, subjects: int, stimuli: int) -> Variances:
    """The corrected variances. For one subject, those over stimuli alone."""
    everything = np.concatenate([found.scores, found.ceilings], axis=2)
    everything = everything - everything.mean(1, keepdims=True)
    covariance = np.einsum("krm,krn->kmn", everything, everything) / (everything.shape[1] - 1)
    own = np.diagonal(covariance, axis1=1, axis2=2)
    apart = own[:, :, None] + own[:, None] - 2 * covariance
    corrected = _corrected(apart, subjects, stimuli)
    return Variances(
        _corrected(own, subjects, stimuli)[:-2], corrected[:-2, :-2], corrected[:-2, -2:]
    )


def _corrected(variance: np.ndarray, subjects: int, stimuli: int) -> np.ndarray:
    """Equation of Schütt et al. (2023) with its small-sample factors and its bounds."""
    b = stimuli / (stimuli - 1)
    if subjects == 1:
        return b * variance[STIMULI]
    a = subjects / (subjects - 1)
    once = a * variance[SUBJECTS], b * variance[STIMULI]
    noise = variance[BOTH] - variance[SUBJECTS] - variance[STIMULI]
    total = once[0] + once[1] - a * b * noise
    return np.minimum(np.maximum(np.maximum(total, once[0]), once[1]), variance[BOTH])
