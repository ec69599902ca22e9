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

    - "cka": unbiased linear CKA. Stimuli drawn anew weigh pairs of different stimuli, and a
      stimulus drawn twice makes no pair with itself (see `kernels`). Ceiling: how subjects agree.
    - "ridge", "pls": the median over units of r on held-out stimuli. A stimulus drawn twice would
      be trained on and tested at once, so folds are drawn and fitted once, and what is drawn anew
      are the held-out predictions, and subjects. The interval is for other test stimuli, given
      these fits. Ceiling: split-half reliability; no test is made against it, as it is no bound.

    Raises `ValueError` for other stimuli, fewer than four, nan, and two recordings of one subject.
    """
    check_choice(measure, RecordingMeasure, "a measure", "score_recordings(models, brain, 'cka')")
    _check_names(models, brain)
    names = labelled(brain[0], stimulus, None).names
    data = [labelled(each, stimulus, names) for each in brain]
    patterns = [averaged(labelled(each, stimulus, names)) for each in models]
    draws = drawn(len(brain), len(names), resamples, seed)
    if measure == "cka":
        named = zip([*patterns, *map(averaged, data)], [*models, *brain], strict=True)
        kernels = stacked([linear_kernel(each, recording.name) for each, recording in named])
        found = _kernel_scores(kernels, len(models), draws, level)
    else:
        fold = drawn_folds(len(names), folds, seed)
        repeats = [each.labels.get(repeat) for each in brain]
        ceilings = [split_half(d, r, fold, seed=seed) for d, r in zip(data, repeats, strict=True)]
        seen = [averaged(each) for each in data]
        found = encoding_scores(patterns, seen, ceilings, fold, measure, components, draws, level)
    return ModelScores(
        comparison=measure,
        models=tuple(each.name for each in models),
        subjects=tuple(each.subject or each.name for each in brain),
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
    lower, upper = whole.ceilings[0][0]
    notes = [ONE + "; there is no noise ceiling."] if subjects == 1 else []
    if kept < found.kept.size:
        notes.append(f"{found.kept.size - kept} resamples held fewer than four stimuli: not used.")
    return conclusions(
        whole.scores[0],
        (lower, upper) if subjects > 1 else None,
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


def _check_names(models: Sequence[Recording], brain: Sequence[Recording]) -> None:
    whose = [each.subject or each.name for each in brain]
    for called, names in (("models", [each.name for each in models]), ("subjects", whose)):
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names or twice:
            come = f"{twice[:10]} more than once" if twice else "none"
            raise ValueError(
                f"Expected {called} with names of their own, but got {come}: a score belongs to "
                "one of them. Sessions of a subject are one recording: with the same units, put "
                "the samples below each other, `np.vstack(sessions)`, with their labels; with "
                "other units, average over repeats and put them beside each other, `np.hstack`."
            )
