"""A linear readout that chooses its penalty.

Hoerl & Kennard (1970), Technometrics 12:55.
"""

import numpy as np
from jaxtyping import Bool, Float

from .agreement import kappa

PENALTIES = tuple(np.geomspace(0.1, 1e4, 11))  # of squared weights of standardised states


def readout(
    states: Float[np.ndarray, "trial cell"],
    truths: Bool[np.ndarray, " trial"],
    penalties: tuple[float, ...] = PENALTIES,
) -> float:
    """Cohen's kappa of a ridge readout that says yes or no, on trials it was not made for.

    The first half of the trials fits the weights for every penalty, the next quarter chooses among
    them, the last one tests.
    """
    fit, end = len(truths) // 2, 3 * len(truths) // 4
    scale = states[:fit].std(0)
    shown = (states - states[:fit].mean(0)) / np.where(scale > 0, scale, 1.0)
    wanted = np.where(truths, 1.0, -1.0)
    middle = wanted[:fit].mean()
    left, size, right = np.linalg.svd(shown[:fit], full_matrices=False)
    along = left.T @ (wanted[:fit] - middle)
    weights = right.T @ (along * size / (size**2 + np.array(penalties)[:, None])).T
    answers = shown @ weights + middle > 0  # (trial, penalty)
    chosen = [kappa(each[fit:end], truths[fit:end]) for each in answers.T]
    return kappa(answers[end:, int(np.argmax(chosen))], truths[end:])
