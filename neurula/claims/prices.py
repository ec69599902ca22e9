"""What a search had paid when it first was good enough, and how good it was for a price."""

import numpy as np
from jaxtyping import Array, Float

Curves = Float[np.ndarray | Array, "seed probe"]


def first_reached(paid: Curves, score: Curves, goal: float) -> Float[np.ndarray, " seed"]:
    """What had been paid when the score first was at `goal`, by seed; all, where it never was.

    Between two probes the score grows with the logarithm of what is paid.
    """
    found = []
    for x, y in zip(np.log(np.asarray(paid, np.float64)), np.asarray(score), strict=True):
        there = np.flatnonzero(y >= goal)
        i = there[0] if there.size else len(x) - 1
        between = there.size and i
        found.append(np.interp(goal, y[i - 1 : i + 1], x[i - 1 : i + 1]) if between else x[i])
    return np.exp(found)


def score_for(
    paid: Curves, score: Curves, asked: Float[np.ndarray | Array, " price"]
) -> Float[np.ndarray, "seed price"]:
    """The score that each price pays for, NaN outside of what was tried. Logarithmic in between."""
    asked = np.log(np.asarray(asked, np.float64))
    rows = zip(np.log(np.asarray(paid, np.float64)), np.asarray(score, np.float64), strict=True)
    return np.stack([np.interp(asked, x, y, left=np.nan, right=np.nan) for x, y in rows])
