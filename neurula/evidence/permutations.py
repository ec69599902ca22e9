"""p-values that assume nothing but exchangeability. They stand beside a ruling, they never gate it.

Fisher (1935), The Design of Experiments, section 21; Phipson & Smyth (2010), Stat. Appl. Genet.
Mol. Biol. 9:39 (p is never zero).
"""

import numpy as np
from jaxtyping import Float

DRAWS = 9_999


def sign_flip(effects: Float[np.ndarray, " seed"]) -> float | None:
    """Two-sided paired permutation test: exact up to 13 seeds. `None` for fewer than two."""
    from scipy import stats

    if effects.size < 2:
        return None
    test = stats.permutation_test(
        (effects,),
        lambda x, axis: x.mean(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=DRAWS,
        rng=np.random.default_rng(0),
    )
    return float(test.pvalue)


def mean_against(
    observed: Float[np.ndarray, " seed"], null: Float[np.ndarray, "seed draw"]
) -> float | None:
    """One-sided: how often a mean of draws, one from each seed's own null, is at least as high."""
    if observed.size == 0 or null.shape[1] == 0:
        return None
    rng = np.random.default_rng(0)
    draws = np.zeros(DRAWS)
    for own in null:
        draws += rng.choice(own, DRAWS)
    # means that are equal but for the order of summing count as equal
    tolerance = 1e-12 * max(1.0, float(np.abs(draws).max()))
    return float((1 + (draws >= observed.sum() - tolerance).sum()) / (DRAWS + 1))
