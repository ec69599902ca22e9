"""Whether a cell follows the bars of a drifting grating (simple) or only their presence (complex).

Skottun et al. (1991), Vision Res. 31:1079; De Valois, Albrecht & Thorell (1982), Vision Res.
22:545.
"""

import numpy as np
from jaxtyping import Float, Real

Rates = Real[np.ndarray, "time *cell"]
Ratios = Float[np.ndarray, "*cell"]
SIMPLE = 1.0  # a cell with a higher ratio is called simple


def modulation_ratio(
    responses: Rates, tempo: float, *, spontaneous: Real[np.ndarray, "*cell"] | float = 0.0
) -> Ratios:
    """F1 / F0, the amplitude at the grating's frequency over the mean beyond spontaneous rate.

    `responses` are rates in equal bins over a whole number of cycles; `tempo` is in cycles per
    bin. A rate that is a half-rectified sine has pi / 2, one that is all in one bin 2, and one that
    a grating only lifts 0. NaN where the mean is not above spontaneous. Raises `ValueError` if
    cycles are cut, for then the mean leaks into F1.
    """
    responses = np.asarray(responses, float)
    bins = len(responses)
    cycles = bins * tempo
    if not (tempo < 0.5 and cycles > 0.5 and abs(cycles - round(cycles)) < 1e-6):
        whole = max(1, int(cycles))
        raise ValueError(
            f"Expected a whole number of cycles of fewer than 1/2 per bin, but {bins} bins at "
            f"{tempo:g} cycles per bin hold {cycles:g}: the mean would leak into F1. Cut to whole "
            f"cycles: `responses[:{round(whole / tempo) if tempo > 0 else bins}]`, in bins that "
            "divide a cycle."
        )
    wave = np.exp(-2j * np.pi * tempo * np.arange(bins))
    first = 2 * np.abs(np.tensordot(wave, responses, 1)) / bins
    mean = responses.mean(0) - spontaneous
    return np.where(mean > 0, first / np.where(mean > 0, mean, 1.0), np.nan)
