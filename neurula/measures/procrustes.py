"""How alike two shapes are, once rotated onto each other.

Williams, Kunz, Kornblith & Linderman (2021), NeurIPS 34:4738 (angle, a metric); Ding, Denain &
Steinhardt (2021), NeurIPS 34:1556 (squared distance); Schönemann (1966), Psychometrika 31:1.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float

from ..contracts import Recording
from .choices import check_choice
from .patterns import Matrix, averaged, labelled

Form = Literal["similarity", "angle", "distance"]


def procrustes(
    model: Recording, brain: Recording, form: Form = "similarity", *, stimulus: str = "stimulus"
) -> float:
    """Orthogonal Procrustes of two recordings, centred and scaled to unit Frobenius norm.

    Stimuli are matched by name, repeats averaged; the numbers of units may differ (the smaller
    side is padded with zeros). With the nuclear norm s = ||X'Y||_*:

    - "similarity": s, 0 to 1, 1 for the same up to rotation, reflection, shift and one scale;
    - "angle": arccos(s), 0 to pi/2 rad, which obeys the triangle inequality (Williams 2021);
    - "distance": 2 - 2 s, the squared distance after the best rotation (Ding 2021).

    There is no correction for chance: with many units and few stimuli s is large for unrelated
    responses too, so compare with those of a null model. Raises `ValueError` for other stimuli,
    fewer than four, nan, and responses that do not vary.
    """
    check_choice(form, Form, "a form", "procrustes(model, brain)")
    other = labelled(brain, stimulus, None)
    one = _shape(averaged(labelled(model, stimulus, other.names)), model.name)
    aligned = np.linalg.svd(one.T @ _shape(averaged(other), brain.name), compute_uv=False).sum()
    aligned = min(float(aligned), 1.0)  # beyond it is rounding
    if form == "similarity":
        return aligned
    # twice the arc sine keeps the digits of small angles, which the arc cosine loses
    return (
        2 - 2 * aligned if form == "distance" else float(2 * np.arcsin(np.sqrt((1 - aligned) / 2)))
    )


def _shape(patterns: Matrix, name: str) -> Float[np.ndarray, "sample axis"]:
    """Coordinates along the principal axes, which are no more than stimuli: unit norm."""
    centred = patterns - patterns.mean(0)
    length = np.linalg.norm(centred)
    if not length > 1e-12 * np.linalg.norm(patterns):
        raise ValueError(
            f"Expected responses that vary, but all {len(patterns)} patterns of {name!r} are the "
            "same: a single point has no shape. Are all units constant? Look at "
            "`responses.std(0)`."
        )
    left, size, _ = np.linalg.svd(centred / length, full_matrices=False)
    return left * size
