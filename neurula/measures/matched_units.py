"""Whether two networks have the same cells, whatever their order.

Li, Yosinski, Clune, Lipson & Hopcroft (2016), ICLR, arXiv:1511.07543.
"""

import numpy as np
from jaxtyping import Float


def matched_correlation(
    one: Float[np.ndarray, "stimulus unit"],
    other: Float[np.ndarray, "stimulus unit"],
    held_one: Float[np.ndarray, "held unit"],
    held_other: Float[np.ndarray, "held unit"],
) -> float:
    """Mean Pearson's r of held-out responses of units that were matched one to one.

    Units are matched by the assignment with the largest sum of correlations over the first stimuli.
    With the same stimuli on both sides chance pushes the number up, the more the fewer there are.
    Units that do not vary have a correlation of 0.
    """
    from scipy.optimize import linear_sum_assignment

    mine, theirs = linear_sum_assignment(_correlations(one, other), maximize=True)
    return float(_correlations(held_one, held_other)[mine, theirs].mean())


def _correlations(
    one: Float[np.ndarray, "stimulus unit"], other: Float[np.ndarray, "stimulus unit"]
) -> Float[np.ndarray, "unit unit"]:
    return _standard(one).T @ _standard(other)


def _standard(responses: Float[np.ndarray, "stimulus unit"]) -> np.ndarray:
    """Columns of mean 0 and length 1; zeros where nothing varies."""
    centred = responses - responses.mean(0)
    length = np.linalg.norm(centred, axis=0)
    flat = length <= 1e-9 * np.maximum(np.linalg.norm(responses, axis=0), 1e-300)
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, length))
