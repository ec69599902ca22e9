"""Agreement beyond chance. Cohen (1960), Educ. Psychol. Meas. 20:37."""

import numpy as np
from jaxtyping import Bool


def kappa(answers: Bool[np.ndarray, " example"], truths: Bool[np.ndarray, " example"]) -> float:
    """Cohen's kappa of yes-or-no answers: 1 where all are right, 0 at chance, below 0 under it.

    0 where neither answers nor truths ever differ, for then nothing can be told.
    """
    right = float(np.mean(answers == truths))
    yes, true = float(np.mean(answers)), float(np.mean(truths))
    chance = yes * true + (1 - yes) * (1 - true)
    return 0.0 if chance == 1 else (right - chance) / (1 - chance)
