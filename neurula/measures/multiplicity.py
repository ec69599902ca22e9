"""p-values of a family of tests, corrected for their number.

Holm (1979), Scand. J. Statist. 6:65 (the chance of any false rejection); Benjamini & Hochberg
(1995), J. R. Statist. Soc. B 57:289 (the share of false ones among the rejections).
"""

import numpy as np
from jaxtyping import Float

PValues = Float[np.ndarray, " test"]


def holm(p: PValues) -> PValues:
    """Step-down: the k-th smallest of m times (m - k + 1), never falling, at most 1."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.arange(len(p), 0, -1)
    found = np.empty_like(p)
    found[order] = np.minimum(np.maximum.accumulate(p[order] * steps), 1)
    return found


def benjamini_hochberg(p: PValues) -> PValues:
    """Step-up: the k-th smallest of m times m / k, never falling, at most 1."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")[::-1]
    steps = len(p) / np.arange(len(p), 0, -1)
    found = np.empty_like(p)
    found[order] = np.minimum(np.minimum.accumulate(p[order] * steps), 1)
    return found
