"""How far a cell really looks, which is less far than its connections reach.

Luo, Li, Urtasun & Zemel (2016), NeurIPS 29:4898.
"""

import numpy as np
from jaxtyping import Float


def effective_side(
    gradients: Float[np.ndarray, "stimulus *cell row column"],
) -> Float[np.ndarray, "*cell"]:
    """Side, in pixels, of the square in which a cell's sensitivity would be as spread out.

    Sensitivity at a pixel is the mean square, over stimuli, of the slope of the cell's response to
    it. The side is that of a square of even sensitivity with the same mean squared distance from
    its middle: sides of squares of n pixels are n, so that it compares with the theoretical
    receptive field. NaN where a cell has no slope at all.
    """
    power = np.mean(np.square(np.asarray(gradients, float)), axis=0)
    rows, columns = power.shape[-2:]
    total = power.sum((-2, -1))
    there = total > 0
    power = power / np.where(there, total, 1.0)[..., None, None]
    spread = 0.0
    for count, weight in ((rows, power.sum(-1)), (columns, power.sum(-2))):
        along = np.arange(count)
        middle = weight @ along
        spread = spread + np.sum(weight * (along - middle[..., None]) ** 2, axis=-1)
    # n pixels in a row have the variance (n^2 - 1) / 12, and there are two ways.
    return np.where(there, np.sqrt(1 + 6 * spread), np.nan)
