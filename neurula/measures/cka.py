"""Centred kernel alignment: which pairs of stimuli are alike, in a model and in a brain.

Kornblith, Norouzi, Lee & Hinton (2019), ICML 97:3519; Nguyen, Raghu & Kornblith (2021), ICLR
(unbiased, with HSIC_1 of Song et al. 2012). No minibatches: all stimuli at once.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from ..contracts import Recording
from .choices import check_choice
from .comparators import TINY, Judged, Subjects, ceilings, over
from .kernels import Kernels, linear_kernel, products, usable
from .patterns import averaged, labelled
from .resampling import Resamples, averaged_over
from .weighing import Counts, chunks

Estimator = Literal["unbiased", "biased"]


def cka(
    model: Recording,
    brain: Recording,
    estimator: Estimator = "unbiased",
    *,
    stimulus: str = "stimulus",
) -> float:
    """Linear CKA of two recordings: 1 for the same up to rotation, shift and one scale.

    Stimuli are matched by name, repeats averaged. "unbiased": HSIC_1(K, L) / sqrt(HSIC_1(K, K)
    HSIC_1(L, L)), near 0 for unrelated responses (and below it as often as above), at most 1.
    "biased": ||Y'X||^2 / (||X'X|| ||Y'Y||) of centred X and Y, as first published; it rises towards
    1 with the number of units, related or not, and is here for the comparison with older numbers.

    Raises `ValueError` for other stimuli, fewer than four, nan, and responses that do not vary.
    """
    check_choice(estimator, Estimator, "an estimator", "cka(model, brain)")
    other = labelled(brain, stimulus, None)
    one = averaged(labelled(model, stimulus, other.names))
    if estimator == "biased":
        return _biased(one, averaged(other), (model.name, brain.name))
    kernels = linear_kernel(one, model.name), linear_kernel(averaged(other), brain.name)
    return float(np.sum(kernels[0] * kernels[1]))


def cka_table(
    ones: Sequence[Float[np.ndarray, "stimulus _"]],
    others: Sequence[Float[np.ndarray, "stimulus _"]],
) -> Float[np.ndarray, "one other"]:
    """Unbiased linear CKA of every matrix of responses with every other; rows are the stimuli.

    Raises `ValueError` for responses that do not vary.
    """
    kernels = [
        np.stack([linear_kernel(each, f"{who} {k + 1}").ravel() for k, each in enumerate(many)])
        for who, many in (("one", ones), ("other", others))
    ]
    return kernels[0] @ kernels[1].T


def _biased(
    one: Float[np.ndarray, "stimulus unit"],
    other: Float[np.ndarray, "stimulus other_unit"],
    names: tuple[str, str],
) -> float:
    kernels = []
    for patterns, name in ((one, names[0]), (other, names[1])):
        linear_kernel(patterns, name)  # refuses what does not vary
        centred = patterns - patterns.mean(0)
        kernel = centred @ centred.T
        kernels.append(kernel / np.linalg.norm(kernel))
    return float(np.sum(kernels[0] * kernels[1]))


def judge_kernels(
    kernels: Kernels, models: int, counts: Counts, draws: list[Subjects] | None = None
) -> Judged:
    """CKA of every model with every subject, and ceilings, in every resample of stimuli.

    The first `models` kernels are the models'. Pools of subjects are means of their kernels, each
    scaled to unit length, which no other pool exceeds in mean CKA. `draws`: as in `judge`.
    """
    found, draws = [], draws or []
    for part in chunks(counts, len(kernels) ** 2 + 4 * len(kernels) * counts.shape[1]):
        gram = products(kernels, models, counts[part])
        own = np.diagonal(gram, axis1=1, axis2=2)
        own = np.where(own > TINY * own.max(0), own, 0.0)
        scores = over(gram[:, :models, models:], own[:, :models, None] * own[:, None, models:])
        among, lengths = gram[:, models:, models:], np.sqrt(own[:, models:])
        mine = [each if len(counts) == 1 else each[part] for each in draws]
        found.append(Judged(scores, [ceilings(among, lengths, each) for each in mine]))
    bounds = [np.concatenate([each.ceilings[k] for each in found]) for k in range(len(draws))]
    return Judged(np.concatenate([each.scores for each in found]), bounds)


def resample_kernels(kernels: Kernels, models: int, who: Subjects, what: Counts) -> Resamples:
    """Scores and noise ceilings in all resamples; those without a kernel are left out."""
    kept: Bool[np.ndarray, " resample"] = usable(what)
    who, what = who[kept], what[kept]
    by_stimuli = judge_kernels(kernels, models, what, [who, np.ones_like(who)])
    once: Float[np.ndarray, "1 stimulus"] = np.ones((1, what.shape[1]))
    whole = judge_kernels(kernels, models, once, [who])
    bounds = np.stack([by_stimuli.ceilings[0], whole.ceilings[0], by_stimuli.ceilings[1]])
    return Resamples(averaged_over(by_stimuli.scores, whole.scores[0], who), bounds, kept)
