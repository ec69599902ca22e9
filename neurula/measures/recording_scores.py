"""Models against a brain, unit by unit or by kernels, with the intervals that all measures give.

The bootstrap over subjects and stimuli is that of Schütt et al. (2023), eLife 12:e82566.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..contracts import Recording
from .choices import check_choice
from .cka import judge_kernels, resample_kernels
from .comparators import Subjects
from .encoding_scores import ONE, encoding_scores
from .held_out import drawn_folds
from .inference import conclusions, enough
from .kernels import Kernels, linear_kernel, stacked
from .model_scores import ModelScores
from .patterns import averaged, labelled
from .resampling import drawn, variances
from .split_half import split_half
from .weighing import Counts

RecordingMeasure = Literal["cka", "ridge", "pls"]


def score_recordings(
    models: Sequence[Recording],
    brain: Sequence[Recording],
    measure: RecordingMeasure = "cka",
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    folds: int = 5,
    components: int = 25,
    stimulus: str = "stimulus",
    repeat: str = "repeat",
) -> ModelScores:
    """Score every model against every subject of one area, with intervals, ceilings and tests.

    Each recording of `brain` is a subject. Stimuli are matched by name, repeats averaged.

    - "cka": unbiased, linear; no stimulus makes a pair with its own copy (see `kernels`).
    - "ridge", "pls": the median over units of r on held-out stimuli. What is drawn anew are the
      held-out predictions, not the fits (see `encoding_scores`). The ceiling is no bound: no test.

    Raises `ValueError` for other stimuli, fewer than four, nan, and two recordings of one subject.
    """
    _check(measure, models, brain)
    names = labelled(brain[0], stimulus, None).names
    data = [labelled(each, stimulus, names) for each in brain]
    patterns = [averaged(labelled(each, stimulus, names)) for each in models]
    seen, draws = [averaged(d) for d in data], drawn(len(brain), len(names), resamples, seed)
    if measure == "cka":
        rows = zip([*patterns, *seen], [*models, *brain], strict=True)
        kernels = stacked([linear_kernel(each, recording.name) for each, recording in rows])
        found = _kernel_scores(kernels, len(models), draws, level)
    else:
        fold = drawn_folds(len(names), folds, seed)
        pairs = zip(data, [each.labels.get(repeat) for each in brain], strict=True)
        ceilings = [split_half(*pair, fold, seed=seed) for pair in pairs]
        found = encoding_scores(patterns, seen, ceilings, fold, measure, components, draws, level)
    subjects = tuple(each.subject or each.name for each in brain)
    return ModelScores(
        comparison=measure,
        models=tuple(each.name for each in models),
        subjects=subjects,
        level=level,
        stimuli=len(names),
        **found,
    )


def _kernel_scores(
    kernels: Kernels, models: int, draws: tuple[Subjects, Counts], level: float
) -> dict[str, Any]:
    subjects, stimuli = len(kernels) - models, kernels.shape[1]
    found = resample_kernels(kernels, models, *draws)
    kept = enough(found, stimuli)
    once = np.ones((1, stimuli))
    whole = judge_kernels(kernels, models, once, [np.ones((1, subjects))])
    notes = [ONE + "; there is no noise ceiling."] if subjects == 1 else []
    if kept < found.kept.size:
        notes.append(f"{found.kept.size - kept} resamples held fewer than four stimuli: not used.")
    return conclusions(
        whole.scores[0],
        whole.ceilings[0][0],
        variances(found, subjects, stimuli),
        stimuli,
        level,
    ) | {
        "pairs": stimuli * (stimuli - 1) // 2,
        "resamples": kept,
        "notes": tuple(notes),
        "measured": "unbiased linear CKA",
        "bound_by": "Nili et al. 2014, of kernels",
    }


def _check(measure: str, models: Sequence[Recording], brain: Sequence[Recording]) -> None:
    check_choice(measure, RecordingMeasure, "a measure", "score_recordings(models, brain, 'cka')")
    whose = [each.subject or each.name for each in brain]
    for called, names in (("models", [each.name for each in models]), ("subjects", whose)):
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names or twice:
            come = f"{twice[:10]} more than once" if twice else "none"
            raise ValueError(
                f"Expected {called} with names of their own, but got {come}: a score belongs to "
                "one of them. Sessions of a subject are one recording: `joined_sessions(brain, "
                "'repeats')` where they hold the same units, `joined_sessions(brain, 'units')` "
                "where they hold others."
            )
