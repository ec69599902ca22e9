"""Principal components that may not be negative, as weights and rates of cells may not.

Dordek, Soudry, Meir & Derdikman (2016), eLife 5:e10094 (grid cells from place cells); Montanari &
Richard (2016), IEEE Trans. Inf. Theory 62:1458; the power method that climbs to them: Journee,
Nesterov, Richtarik & Sepulchre (2010), J. Mach. Learn. Res. 11:517.
"""

import numpy as np
from jaxtyping import Float, Real


def non_negative_components(
    covariance: Real[np.ndarray, "variable variable"],
    count: int,
    *,
    steps: int = 1000,
    tolerance: float = 1e-6,
    rng: np.random.Generator,
) -> Float[np.ndarray, "component variable"]:
    """Directions w >= 0 of length 1 with the highest variance w C w nearby, highest first.

    w <- [C w]+ / |[C w]+|, which never lowers the variance, until no component gains more than
    `tolerance` of itself in a step, or for `steps` steps. There are many such peaks: every
    component climbs from a random start of its own, and two may reach the same. Raises `ValueError`
    for a matrix that is no covariance: not finite, not symmetric, or with a negative variance.
    """
    matrix = np.asarray(covariance, float)
    variances = np.diag(matrix)
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T) or (variances < 0).any():
        raise ValueError(
            f"A covariance is finite and symmetric, with variances of at least 0, but got "
            f"{np.sum(~np.isfinite(matrix))} entries that are not finite and a least variance of "
            f"{variances.min():.3g}. Use for example `np.cov(rates)` of (variable, time)."
        )
    found, last = rng.random((count, len(matrix))), np.zeros(count)
    for _ in range(steps):
        climbed = np.maximum(found @ matrix, 0)
        found = climbed / np.maximum(np.linalg.norm(climbed, axis=1, keepdims=True), 1e-300)
        variance = np.sum((found @ matrix) * found, axis=1)
        if (variance - last <= tolerance * variance).all():
            break
        last = variance
    return found[np.argsort(-variance)]
