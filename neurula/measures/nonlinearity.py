"""How much of what a cell does is beyond any linear filter of its stimuli.

Sahani & Linden (2003), NeurIPS 15:125 (predictive power of linear models).
"""

import numpy as np
from jaxtyping import Float


def nonlinear_share(
    seen: Float[np.ndarray, "stimulus pixel"],
    responses: Float[np.ndarray, "stimulus cell"],
    held: Float[np.ndarray, "other pixel"],
    held_responses: Float[np.ndarray, "other cell"],
) -> Float[np.ndarray, " cell"]:
    """Share of the variance of held-out responses that the best linear filter misses.

    Filters and an offset are fitted to `seen` by least squares, and judged on `held`. 0 for a
    linear cell, 1 for one of which a filter tells nothing, above 1 where it misleads; NaN where
    held-out responses do not vary. Cells without noise are assumed: noise counts as nonlinear.
    Misses are blown up by about 1 + pixels / (stimuli - pixels), so compare cells by the same
    stimuli. Raises `ValueError` for as many pixels as stimuli or more.
    """
    if len(seen) <= seen.shape[1] + 1:
        raise ValueError(
            f"Expected more stimuli than the {seen.shape[1] + 1} numbers of a filter and its "
            f"offset, but got {len(seen)}: any responses would be fitted exactly. Show at least "
            f"{2 * (seen.shape[1] + 1)} stimuli, or stimuli of fewer pixels."
        )
    with_offset = lambda x: np.column_stack([x, np.ones(len(x))])  # noqa: E731
    filters = np.linalg.lstsq(with_offset(seen), responses, rcond=None)[0]
    missed = np.mean((held_responses - with_offset(held) @ filters) ** 2, axis=0)
    variance = np.var(held_responses, axis=0)
    flat = variance <= 1e-12 * np.maximum(np.mean(held_responses**2, axis=0), 1e-300)
    return np.where(flat, np.nan, missed / np.where(flat, 1.0, variance))
