"""Scores of models that predict units, as the mean over subjects of the median over units.

What is drawn anew are held-out predictions and subjects, not the stimuli of the fits: a stimulus
drawn twice would lie in the training and in the test fold at once.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from .comparators import Subjects
from .held_out import Folds, correlations
from .inference import conclusions, enough
from .model_scores import Units
from .predictivity import Regression, middle, over_ceiling, predictions, remarks
from .resampling import Resamples, averaged_over, variances
from .split_half import Ceiling
from .weighing import Counts, chunks

ONE = "One subject: the interval holds for other stimuli, not for other subjects"
NAMES = {"ridge": "ridge regression", "pls": "partial least squares"}


def encoding_scores(
    models: Sequence[np.ndarray],
    brain: Sequence[np.ndarray],
    ceilings: Sequence[Ceiling],
    fold: Folds,
    regression: Regression,
    components: int,
    draws: tuple[Subjects, Counts],
    level: float,
) -> dict[str, Any]:
    """The fields of `ModelScores` that follow from predicting every unit of every subject."""
    fits = [predictions(each, brain, fold, regression, components=components)[0] for each in models]
    once = np.ones((1, len(fold)))
    raw = [
        np.stack([correlations(fit[s], seen, fold, once)[0] for fit in fits])
        for s, seen in enumerate(brain)
    ]
    units = tuple(Units(r, each.values) for r, each in zip(raw, ceilings, strict=True))
    whole = np.array([[middle(r[m]) for r in raw] for m in range(len(models))])
    _check_varied(whole)
    found = _resampled(fits, brain, fold, whole, draws)
    kept = enough(found, len(fold))
    errors = variances(found, len(brain), len(fold))
    said = conclusions(whole, None, errors, len(fold), level)  # no test: the ceiling is no bound
    errors = errors._replace(scores=2 * errors.scores)
    above = conclusions(whole, None, errors, len(fold), level)["above_zero"]
    ceiling, share = _ceiling(units)
    return said | {
        "above_zero": above,
        "ceiling": None if ceiling is None else (ceiling, ceiling),
        "share": share,
        "units": units,
        "pairs": None,
        "resamples": kept,
        "notes": _notes(units, ceilings),
        "measured": f"{NAMES[regression]}, {fold.max() + 1} folds: median r of held-out stimuli",
        "bound": "split-half ceiling, median over units",
        "bound_by": "Spearman-Brown",
    }


def _resampled(
    fits: Sequence[Sequence[np.ndarray]],
    brain: Sequence[np.ndarray],
    fold: Folds,
    whole: Float[np.ndarray, "model subject"],
    draws: tuple[Subjects, Counts],
) -> Resamples:
    who, what = draws
    medians = np.empty((len(what), *whole.shape))
    for m, fit in enumerate(fits):
        for s, seen in enumerate(brain):
            for part in chunks(what, 8 * seen.shape[1]):
                drawn = correlations(fit[s], seen, fold, what[part])
                medians[part, m, s] = _medians(drawn)
    kept = np.isfinite(medians.sum((1, 2)))
    scores = averaged_over(medians[kept], whole, who[kept])
    return Resamples(scores, np.zeros((*scores.shape[:2], 2)), kept)  # ceilings: not resampled


def _medians(found: Float[np.ndarray, "resample unit"]) -> Float[np.ndarray, " resample"]:
    if not np.isnan(found).any():
        return np.median(found, axis=1)
    return np.array([middle(each) for each in found])


def _ceiling(units: Sequence[Units]) -> tuple[float | None, np.ndarray | None]:
    """The mean over subjects of the medians of ceilings, and of raw / ceiling by model."""
    found, shares = [], []
    for each in units:
        if each.ceiling is None:
            return None, None
        found.append(middle(each.ceiling))
        shares.append([middle(row) for row in over_ceiling(each.raw, each.ceiling)])
    return float(np.mean(found)), np.mean(shares, axis=0)


def _notes(units: Sequence[Units], ceilings: Sequence[Ceiling]) -> tuple[str, ...]:
    notes = [ONE + "."] if len(units) == 1 else []
    notes.append(
        "Folds and fits were made once; held-out predictions were resampled, so that no stimulus "
        "was trained on and tested at once. The interval does not hold for other training stimuli."
    )
    notes.extend(each.note for each in ceilings if each.note)
    there = [each.ceiling for each in units if each.ceiling is not None]
    joined = np.concatenate(there) if len(there) == len(units) else None
    notes.extend(remarks(np.hstack([each.raw for each in units]), joined, ""))
    return tuple(dict.fromkeys(notes))


def _check_varied(whole: np.ndarray) -> None:
    if np.isnan(whole).any():
        model, subject = np.argwhere(np.isnan(whole))[0]
        raise ValueError(
            f"Expected responses that vary, but model {model} gives no correlation with any unit "
            f"of subject {subject}: the predictions, or all units, are constant. Look at "
            "`responses.std(0)` on both sides."
        )
