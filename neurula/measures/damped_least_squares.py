"""Many small non-linear least-squares fits at once, between bounds.

Marquardt (1963), J. Soc. Indust. Appl. Math. 11:431.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Parameters = Float[np.ndarray, "fit parameter"]
Slopes = Float[np.ndarray, "parameter fit point"]
Bounds = Float[np.ndarray, " parameter"]
Model = Callable[
    [Parameters, Float[np.ndarray, "axis point"]], tuple[Float[np.ndarray, "fit point"], Slopes]
]
BEGIN = 1e-2  # damping, relative to the diagonal
LEAST, MOST = 1e-7, 1e7  # damping


def fit(
    model: Model,
    start: Parameters,
    wanted: Float[np.ndarray, "fit point"],
    points: Float[np.ndarray, "axis point"],
    *,
    low: Bounds,
    high: Bounds,
    steps: int,
) -> tuple[Parameters, Float[np.ndarray, " fit"]]:
    """Parameters of every fit, and the sums of squares that are left.

    `model(parameters, points)` gives values and their slopes. A step is taken where it lowers the
    sum; there damping falls by 3, elsewhere it grows by 4. Parameters at a bound stay there as long
    as the slope leads outwards.
    """
    now = np.clip(start, low, high)
    damping = np.full(len(now), BEGIN)
    value, slopes = model(now, points)
    left = wanted - value
    missed = np.sum(left**2, axis=1)
    for _ in range(steps):
        downhill = np.einsum("kfp,fp->fk", slopes, left)
        held = ((now <= low) & (downhill < 0)) | ((now >= high) & (downhill > 0))
        trial = np.clip(now + _step(slopes, downhill, held, damping), low, high)
        value, fresh = model(trial, points)
        rest = wanted - value
        sums = np.sum(rest**2, axis=1)
        better = sums < missed
        damping = np.clip(np.where(better, damping / 3, damping * 4), LEAST, MOST)
        now = np.where(better[:, None], trial, now)
        slopes = np.where(better[None, :, None], fresh, slopes)
        left = np.where(better[:, None], rest, left)
        missed = np.where(better, sums, missed)
    return now, missed


def _step(
    slopes: Slopes, downhill: Parameters, held: np.ndarray, damping: Float[np.ndarray, " fit"]
) -> Parameters:
    """Solve the damped normal equations of every fit, over parameters that are free."""
    by_fit = slopes.swapaxes(0, 1)
    normal = by_fit @ by_fit.swapaxes(1, 2)
    free = (~held).astype(float)
    normal = normal * free[:, :, None] * free[:, None, :]
    diagonal = np.einsum("fkk->fk", normal)
    most = np.maximum(diagonal.max(1, keepdims=True), 1e-12)
    added = damping[:, None] * np.maximum(diagonal, 1e-6 * most) + held
    normal = normal + added[:, :, None] * np.eye(normal.shape[1])
    return np.linalg.solve(normal, (downhill * free)[..., None])[..., 0]
