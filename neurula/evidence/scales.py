"""Scales on which bounded scores are compared: near 1, a point of accuracy is not a point.

Warton & Hui (2011), Ecology 92:3. Half an error is added to both sides, so that a perfect run
stays finite (Haldane 1956, Ann. Hum. Genet. 20:309).
"""

import numpy as np
from jaxtyping import Float


def _errors(score: np.ndarray, examples: int) -> tuple[np.ndarray, np.ndarray]:
    score = np.asarray(score, dtype=np.float64)
    if examples < 1 or (score < 0).any() or (score > 1).any():
        raise ValueError(
            f"Expected shares in [0, 1] of at least one example, but got {score.min():g} to "
            f"{score.max():g} of {examples} examples. Only shares have errors to take the "
            "logarithm of. Divide counts by their number: `score = correct / examples`."
        )
    return score * examples + 0.5, (1 - score) * examples + 0.5


def log_error(score: Float[np.ndarray, "*any"], *, examples: int) -> Float[np.ndarray, "*any"]:
    """Minus the logarithm of the error of a share in [0, 1]: 0.69 more is half the error.

    `examples` is the number that the share was counted over. Raises `ValueError` outside [0, 1].
    """
    right, wrong = _errors(score, examples)
    return np.log(right + wrong) - np.log(wrong)


def logit(score: Float[np.ndarray, "*any"], *, examples: int) -> Float[np.ndarray, "*any"]:
    """The logarithm of the odds of a share in [0, 1], counted over `examples`.

    Raises `ValueError` outside [0, 1].
    """
    right, wrong = _errors(score, examples)
    return np.log(right) - np.log(wrong)
