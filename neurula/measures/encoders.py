"""Linear maps from features of a model to units of a brain, fitted to training stimuli alone.

Hoerl & Kennard (1970), Technometrics 12:55 (ridge); Golub, Heath & Wahba (1979), Technometrics
21:215 (leave-one-out from one decomposition); Wold, Sjöström & Eriksson (2001), Chemom. Intell.
Lab. Syst. 58:109 (partial least squares).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

PENALTIES = tuple(np.geomspace(1e-3, 1e4, 15))  # of the mean squared singular value

Features = Float[np.ndarray, "train feature"]
Responses = Float[np.ndarray, "train unit"]
Shown = Float[np.ndarray, "test feature"]


class Ridge(NamedTuple):
    """What is predicted for the test stimuli, and the penalty that each unit chose."""

    predicted: Float[np.ndarray, "test unit"]
    penalty: Float[np.ndarray, " unit"]


def ridge(
    features: Features, responses: Responses, shown: Shown, penalties: tuple[float, ...] = PENALTIES
) -> Ridge:
    """Ridge regression of all units by one singular value decomposition.

    Features are standardised by the training stimuli. Each unit takes the penalty with the least
    squared error of leaving one training stimulus out, which is exact without any refit:
    (y_i - f_i) / (1 - h_ii). A penalty is a multiple of the mean squared singular value, so that
    it means the same for few features and for many.
    """
    middle, scale = features.mean(0), features.std(0)
    scale = np.where(scale > 1e-12 * np.abs(features).max(0), scale, 1.0)
    left, size, right = np.linalg.svd((features - middle) / scale, full_matrices=False)
    level = responses.mean(0)
    along = left.T @ (responses - level)
    lengths, grid = size**2, np.asarray(penalties, dtype=np.float64)
    ground = grid * max(lengths.mean(), np.finfo(float).tiny)
    errors = np.stack([_left_out(left, lengths, along, responses - level, each) for each in ground])
    chosen = errors.argmin(0)
    weights = right.T @ (along * size[:, None] / (lengths[:, None] + ground[chosen][None, :]))
    return Ridge((shown - middle) / scale @ weights + level, grid[chosen])


def _left_out(
    left: np.ndarray, lengths: np.ndarray, along: np.ndarray, centred: np.ndarray, penalty: float
) -> Float[np.ndarray, " unit"]:
    """The mean squared error of every unit, each stimulus predicted from all others."""
    kept = lengths / (lengths + penalty)
    rest = 1 - 1 / len(left) - (left**2) @ kept
    return np.mean(((centred - left @ (kept[:, None] * along)) / rest[:, None]) ** 2, axis=0)


def partial_least_squares(
    features: Features, responses: Responses, shown: Shown, components: int = 25
) -> Float[np.ndarray, "test unit"]:
    """Partial least squares of all units together, unscaled, as in Brain-Score.

    No more components than the centred features have dimensions.
    """
    from sklearn.cross_decomposition import PLSRegression

    most = min(components, int(np.linalg.matrix_rank(features - features.mean(0))))
    if most == 0:
        return np.repeat(responses.mean(0, keepdims=True), len(shown), axis=0)
    return PLSRegression(most, scale=False, max_iter=1000).fit(features, responses).predict(shown)
