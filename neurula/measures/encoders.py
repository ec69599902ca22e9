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
    """Partial least squares of all units together, unscaled, 25 components as in Brain-Score.

    X and Y are centred by the training stimuli. Each component is the direction w of X that
    covaries most with Y, the leading left singular vector of X'Y, exact rather than iterated;
    t = X w predicts Y, and X - t t'X / t't goes on to the next. No more components than the
    features have dimensions.
    """
    middle, level = features.mean(0), responses.mean(0)
    left, size, axes = np.linalg.svd(features - middle, full_matrices=False)
    least = 1e-10 * max(size.max(initial=0.0), 1e-2 * np.abs(features).max(initial=0.0))
    train, test = left * size, (shown - middle) @ axes.T  # a rotation, which changes nothing
    wanted, found = responses - level, np.repeat(level[None, :], len(shown), axis=0)
    for _ in range(min(components, np.count_nonzero(size > least))):
        weight = _leading(train.T @ wanted)
        score, guess = train @ weight, test @ weight
        length = score @ score
        if length <= least**2:
            break
        load = score @ train / length
        found += guess[:, None] * (score @ wanted / length)[None, :]
        train, test = train - score[:, None] * load[None, :], test - guess[:, None] * load[None, :]
    return found


def _leading(covariance: Float[np.ndarray, "axis unit"]) -> Float[np.ndarray, " axis"]:
    """The left singular vector of the largest singular value; zeros if there is none."""
    from scipy.linalg import eigh

    wide = covariance.shape[0] <= covariance.shape[1]
    gram = covariance @ covariance.T if wide else covariance.T @ covariance
    vector = eigh(gram, subset_by_index=[len(gram) - 1] * 2)[1][:, 0]
    vector = vector if wide else covariance @ vector
    length = np.linalg.norm(vector)
    return vector / length if length > 0 else np.zeros(len(vector))
