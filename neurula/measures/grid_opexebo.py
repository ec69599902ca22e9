"""The grid score of opexebo 0.7.2: an annulus that grows around the central field.

Kavli Institute for Systems Neuroscience, Trondheim (2018), after Langston et al. (2010), Science
328:1576.
"""

import numpy as np
from jaxtyping import Float

from .autocorrelograms import lagged

FIRST = 0.95  # share of the central peak from which its field grows
SMALLEST = 5  # bins of a central field
SHARE = 0.8  # of the map's size by which shifts go to either side, in all


def opexebo(maps: Float[np.ndarray, "cell row column"]) -> Float[np.ndarray, " cell"]:
    """The highest mean over three outer radii R of min(r60, r120) - max(r30, r90, r150).

    r(angle) correlates, over c < distance < R, the autocorrelogram with its bilinear rotation;
    pi c² is the area of the field that `place_fields` grows from the middle. NaN bins count as rate
    zero, as they do in opexebo, and the outer tenth of shifts on each side is cut off.
    """
    from .rings import TURNS, contrast, correlations, ring_sums

    pictures = _pictures(maps)
    reach = min(pictures.shape[1:]) // 2
    inner = _radii(pictures)
    sums = ring_sums(pictures, TURNS, reach)
    scores = np.full(len(maps), np.nan)
    for radius in np.unique(inner[(inner > 0) & (inner < reach)]):
        these = inner == radius
        outer = np.linspace(max(3, radius + 1), reach, reach - radius).astype(int)
        r = correlations(sums[these], inner[these], np.tile(outer, (these.sum(), 1)))
        scores[these] = best_of_three(contrast(r))
    return scores


def best_of_three(
    contrasts: Float[np.ndarray, "cell radius"],
) -> Float[np.ndarray, " cell"]:
    """The highest mean of three neighbouring radii; the last window is left out, as in opexebo."""
    windows = contrasts.shape[1] - 3
    if windows <= 1:
        return contrasts.mean(1)
    near = np.stack([contrasts[:, k : k + windows] for k in range(3)])
    there = np.isfinite(near)
    with np.errstate(invalid="ignore"):
        means = np.where(there, near, 0).sum(0) / there.sum(0)
    return means.max(1)


def _pictures(maps: Float[np.ndarray, "cell row column"]) -> Float[np.ndarray, "cell down across"]:
    filled = np.nan_to_num(maps)
    _, covariance, first, second = lagged(filled, np.ones(filled.shape, bool))
    scale = np.sqrt(np.maximum(first, 0) * np.maximum(second, 0))
    tiny = 1000 * np.spacing(np.abs(scale).max((1, 2), keepdims=True))
    r = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > tiny)
    for axis, size in ((1, maps.shape[1]), (2, maps.shape[2])):
        kept = int(np.round(size + size * SHARE))
        cut = (r.shape[axis] - (kept - (kept % 2 == 0))) // 2
        r = np.take(r, np.arange(cut, r.shape[axis] - cut), axis)
    highest = r.max((1, 2), keepdims=True)
    return np.divide(r, highest, out=np.full_like(r, np.nan), where=highest > 0)


def _radii(pictures: Float[np.ndarray, "cell down across"]) -> np.ndarray:
    """Radius of a disc with the area of the central field, in whole bins; 0: there is none."""
    from .fields_grown import grow, opened

    shape = pictures.shape[1:]
    middle, everywhere = np.array([[size // 2 for size in shape]]), np.ones(shape, bool)
    field, scratch, outside = np.zeros((3, *shape), bool)
    box, stack = np.zeros(4, int), np.zeros(field.size, int)
    found = np.zeros(len(pictures), int)
    for k, picture in enumerate(pictures):
        if np.isfinite(picture).all():
            image = opened(picture)
            grow(image, everywhere, middle, 0, FIRST, field, scratch, outside, box, stack)
            area = field.sum()
            found[k] = int(np.sqrt(area / np.pi)) if area >= SMALLEST else 0
            field[:] = False
    return found
