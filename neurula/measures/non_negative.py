"""Principal components that may not be negative, as weights and rates of cells may not.

Grid cells from place cells: Dordek, Soudry, Meir & Derdikman (2016), eLife 5:e10094. The climb:
Montanari & Richard (2016), IEEE Trans. Inf. Theory 62:1458; Journee, Nesterov, Richtarik &
Sepulchre (2010), J. Mach. Learn. Res. 11:517. One after the other: Mackey (2008), NeurIPS 21.
"""

import numpy as np
from jaxtyping import Float, Real

ROUNDING = 1e-6  # of the largest variance: what may be missing from symmetry and from zero
Direction = Float[np.ndarray, " variable"]


def non_negative_components(
    covariance: Real[np.ndarray, "variable other_variable"],
    count: int,
    *,
    starts: int = 5,
    steps: int = 500,
    tolerance: float = 1e-5,
    rng: np.random.Generator,
) -> Float[np.ndarray, "component variable"]:
    """Directions w >= 0 of length 1 with most variance w C w, each in what earlier ones leave over.

    w <- [C w]+ / |[C w]+| never lowers the variance; it is repeated until a step gains less than
    `tolerance` of it, or for `steps` steps. There may be many peaks: the best of `starts` climbs
    from random starts is taken. Then the direction is taken out of C (projection deflation), so
    that later components differ from it, but need not be at right angles: only those without
    common variables can be. C is a covariance, of variables that were centred; without centring
    the first component is the mean pattern. Rows are NaN once no variance is left above zero.
    Raises `ValueError` for what is no covariance, or a count that it does not have.
    """
    left = np.asarray(covariance, float)
    _check(left, count)
    enough = ROUNDING * np.trace(left)
    found = np.full((count, len(left)), np.nan)
    basis: list[Direction] = []
    for number in range(count):
        component, variance = _climbed(left, starts, steps, tolerance, rng)
        if variance <= enough:
            break
        found[number] = component
        for known in basis:
            component = component - known * (known @ component)
        basis.append(component / np.linalg.norm(component))
        left = _without(left, basis[-1])
    return found


def _climbed(
    matrix: np.ndarray, starts: int, steps: int, tolerance: float, rng: np.random.Generator
) -> tuple[Direction, float]:
    """The best peak, and its variance."""
    found = rng.random((starts, len(matrix)))
    variance = np.zeros(starts)
    for _ in range(steps):
        climbed = np.maximum(found @ matrix, 0)
        found = climbed / np.maximum(np.linalg.norm(climbed, axis=1, keepdims=True), 1e-300)
        last, variance = variance, np.sum((found @ matrix) * found, axis=1)
        if (variance - last <= tolerance * variance).all():
            break
    best = int(np.argmax(variance))
    return found[best], float(variance[best])


def _without(matrix: np.ndarray, direction: Direction) -> np.ndarray:
    """(I - q q') C (I - q q')."""
    crossed = np.outer(direction, matrix @ direction)
    along = direction @ matrix @ direction
    return matrix - crossed - crossed.T + along * np.outer(direction, direction)


def _check(matrix: np.ndarray, count: int) -> None:
    advice = "Use for example np.cov(examples.T) for examples of shape (example, variable)."
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError(
            f"Expected a square matrix of finite numbers, got shape {matrix.shape} with "
            f"{np.sum(~np.isfinite(matrix))} that are not finite: a covariance has a number for "
            f"every pair of variables. {advice}"
        )
    largest = float(np.abs(matrix).max(initial=0))
    crooked = float(np.abs(matrix - matrix.T).max(initial=0))
    lowest = float(np.linalg.eigvalsh((matrix + matrix.T) / 2)[0]) if len(matrix) else 0.0
    if crooked > ROUNDING * largest or lowest < -ROUNDING * largest * len(matrix):
        raise ValueError(
            f"Expected a covariance, got a matrix that differs from its transpose by {crooked:.3g} "
            f"and has an eigenvalue of {lowest:.3g}: variances would be negative, and the climb go "
            f"down. {advice}"
        )
    if not 1 <= count <= len(matrix):
        raise ValueError(
            f"Expected 1 to {len(matrix)} components, got {count}: nothing is left over after as "
            f"many as there are variables. Ask for {min(max(count, 1), len(matrix))}."
        )
