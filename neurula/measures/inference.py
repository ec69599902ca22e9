"""Which model matches the brain, and how sure that is: for other subjects and other stimuli.

Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12:e82566; Nili et al. (2014), PLoS
Comput. Biol. 10:e1003553 (noise ceiling).
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from ..contracts import Dissimilarities
from .comparators import Comparison, judge
from .matching import affordable, check_comparison, matched, vectors
from .model_scores import ModelScores, Tests
from .multiplicity import benjamini_hochberg, holm
from .resampling import Resamples, Variances, drawn, resample, variances
from .weighing import Vectors, absent


def score_models(
    models: Dissimilarities,
    brain: Dissimilarities,
    comparison: Comparison = "rho-a",
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> ModelScores:
    """Score every model against every subject, with intervals, noise ceiling and tests.

    Stimuli are matched by name, sessions of a subject are averaged. Pairs that are NaN in any
    model or subject are left out for all, so that all are judged on the same pairs. With one
    subject the bootstrap is over stimuli alone and there is no ceiling. Raises `ValueError` for
    other stimuli, fewer than four, and dissimilarities of zero variance.
    """
    check_comparison(comparison)
    models = matched(models, brain)
    rows, data = vectors(models, comparison), vectors(brain, comparison)
    left_out = _left_out(rows, data)
    subjects, stimuli = len(data), len(brain.stimuli)
    affordable(rows, data)
    found = resample(rows, data, comparison, *drawn(subjects, stimuli, resamples, seed))
    kept = enough(found, stimuli)
    whole = judge(rows, data, comparison, np.ones((1, stimuli)), [np.ones((1, subjects))])
    errors = variances(found, subjects, stimuli)
    concluded = conclusions(whole.scores[0], whole.ceilings[0][0], errors, stimuli, level)
    return ModelScores(
        comparison=comparison,
        models=models.subjects,
        subjects=brain.subjects,
        level=level,
        stimuli=stimuli,
        pairs=rows.shape[1] - left_out,
        resamples=kept,
        notes=_notes(brain, left_out, resamples - kept),
        **concluded,
    )


def conclusions(
    raw: Float[np.ndarray, "model subject"],
    bounds: Float[np.ndarray, "2"] | None,
    errors: Variances,
    stimuli: int,
    level: float,
) -> dict[str, Any]:
    """Intervals and tests by Student's t, with the degrees of freedom of the smaller sample.

    `bounds` are the ends of the noise ceiling; one subject has none.
    """
    from scipy.special import stdtrit

    subjects, score = raw.shape[1], raw.mean(1)
    degrees = (min(subjects, stimuli) if subjects > 1 else stimuli) - 1
    half = stdtrit(degrees, 0.5 + level / 2) * np.sqrt(np.maximum(errors.scores, 0))
    known = bounds is not None and subjects > 1
    ceiling = (float(bounds[0]), float(bounds[1])) if known else None
    above, differ, short = _tests(score, ceiling, errors, degrees)
    return {
        "raw": raw,
        "score": score,
        "low": score - half,
        "high": score + half,
        "ceiling": ceiling,
        "variance": errors.scores,
        "difference_variance": errors.differences,
        "ceiling_variance": None if ceiling is None else errors.to_ceiling[:, 0],
        "above_zero": above,
        "differ": differ,
        "from_ceiling": short,
        "degrees": degrees,
    }


def _left_out(models: Vectors, brain: Vectors) -> int:
    missing = absent(models, brain)
    if np.count_nonzero(~missing) < 6:
        raise ValueError(
            f"Models and subjects share {np.count_nonzero(~missing)} of {missing.size} pairs of "
            "stimuli, but at least 6 are needed (those of four stimuli), and all are judged on "
            "the same pairs. Leave out whoever lacks most: "
            "`np.isnan(brain.values).mean((1, 2))`."
        )
    return int(np.count_nonzero(missing))


def enough(found: Resamples, stimuli: int) -> int:
    """How many resamples are of use. Raises `ValueError` if a variance cannot be had from them."""
    kept = int(np.count_nonzero(found.kept))
    if kept < 2:
        raise ValueError(
            f"Only {kept} of {found.kept.size} resamples of {stimuli} stimuli hold three pairs, "
            "but a variance needs at least 2. Too many pairs are missing, or `resamples` is too "
            "small: `score_models(models, brain, resamples=1000)`."
        )
    return kept


def _tests(
    score: np.ndarray, ceiling: tuple[float, float] | None, errors: Variances, degrees: int
) -> tuple[Tests, Tests, Tests | None]:
    """Student's t: above zero one-sided; between models and from the ceiling two-sided."""
    from scipy.special import stdtr

    def over(effect: np.ndarray, variance: np.ndarray) -> np.ndarray:
        return effect / np.sqrt(np.maximum(variance, np.finfo(float).eps))

    above = stdtr(degrees, -over(score, errors.scores))
    one, other = np.triu_indices(len(score), 1)
    apart = over(score[one] - score[other], errors.differences[one, other])
    between = 2 * stdtr(degrees, -np.abs(apart))
    differ = Tests(*(_square(each, len(score)) for each in _corrected(between)))
    if ceiling is None:
        return _corrected(above), differ, None
    short = over(score - ceiling[0], errors.to_ceiling[:, 0])
    return _corrected(above), differ, _corrected(2 * stdtr(degrees, -np.abs(short)))


def _corrected(p: np.ndarray) -> Tests:
    return Tests(p, holm(p), benjamini_hochberg(p))


def _square(values: np.ndarray, size: int) -> np.ndarray:
    """A symmetric matrix from its upper triangle, 1 on the diagonal."""
    found = np.ones((size, size))
    one, other = np.triu_indices(size, 1)
    found[one, other] = found[other, one] = values
    return found


def _notes(brain: Dissimilarities, left_out: int, dropped: int) -> tuple[str, ...]:
    notes = []
    if len(brain.subjects) == 1:
        notes.append(
            "One subject: there is no noise ceiling, and the interval holds for other stimuli, "
            "not for other subjects."
        )
    if brain.values.shape[1] > 1:
        notes.append(f"Up to {brain.values.shape[1]} sessions of each subject were averaged.")
    if left_out:
        pairs = brain.values.shape[2]
        notes.append(
            f"{left_out} of {pairs} pairs are missing in a model or subject and were left out "
            "for all."
        )
    if dropped:
        notes.append(f"{dropped} resamples held fewer than three pairs and were not used.")
    return tuple(notes)
