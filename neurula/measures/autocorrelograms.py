"""How a rate map resembles itself after a shift; bins that were not visited stay out.

Sargolini et al. (2006), Science 312:758 (supporting material).
"""

import numpy as np
from jaxtyping import Bool, Float

OVERLAP = 20  # bins that a shift must leave in common
NOTHING = 1e-12  # variance, as a share of the map's own, that is rounding


def autocorrelogram(
    maps: Float[np.ndarray, "*cells row column"], *, overlap: int = OVERLAP
) -> Float[np.ndarray, "*cells down across"]:
    """Pearson's r between a map and itself, for every shift: (2 row - 1, 2 column - 1) numbers.

    r(s) = (n sum ab - sum a sum b) / sqrt((n sum a² - (sum a)²) (n sum b² - (sum b)²)) over the n
    pairs of bins a at place p and b at p + s that were both visited (are not NaN). No shift, r = 1,
    is in the middle. NaN where fewer than `overlap` pairs remain or either side is constant.
    """
    if overlap < 2:
        raise ValueError(
            f"Expected an overlap of 2 bins or more, but got {overlap}: a correlation needs two "
            f"pairs. Try `autocorrelogram(maps, overlap={OVERLAP})`."
        )
    if min(maps.shape[-2:]) < 2:
        raise ValueError(
            f"Expected maps of 2 x 2 bins or more, but got {maps.shape[-2]} x {maps.shape[-1]}: "
            "nothing can be shifted. Bin more finely: `visits(positions, times, bin_width=0.025)`."
        )
    visited = np.isfinite(maps)
    with np.errstate(invalid="ignore", divide="ignore"):
        count = visited.sum((-2, -1), keepdims=True)
        filled = np.where(visited, maps, 0.0)
        centred = np.where(visited, filled - filled.sum((-2, -1), keepdims=True) / count, 0.0)
        own = count * np.square(centred).sum((-2, -1), keepdims=True)
        n, product, first, second = lagged(centred, visited)
        r = product / np.sqrt(first * second)
    least = NOTHING * own
    there = (n >= overlap - 0.5) & (first > least) & (second > least)
    return np.where(there, r, np.nan)


def lagged(
    values: Float[np.ndarray, "*cells row column"], visited: Bool[np.ndarray, "*cells row column"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For every shift: n, n² times the covariance, and n² times the variances on both sides.

    `values` are zero where not `visited`. By Fourier transforms: Padfield (2012), IEEE Trans. Image
    Process. 21:2706.
    """
    value = _forth(values)
    products, squares = _back(value * value.conj(), values.shape), np.square(values)
    if visited.all():
        n, total, squared = (_overlaps(each) for each in (visited * 1.0, values, squares))
    else:
        mask = _forth(visited * 1.0)
        n = np.round(_back(mask * mask.conj(), values.shape))
        total = _back(mask.conj() * value, values.shape)
        squared = _back(mask.conj() * _forth(squares), values.shape)
    first = n * squared - np.square(total)
    covariance = n * products - total * total[..., ::-1, ::-1]
    return n, covariance, first, first[..., ::-1, ::-1]


def _padded(shape: tuple[int, ...]) -> list[int]:
    import scipy.fft

    return [scipy.fft.next_fast_len(2 * size - 1, real=True) for size in shape[-2:]]


def _forth(array: np.ndarray) -> np.ndarray:
    import scipy.fft

    return scipy.fft.rfft2(array, _padded(array.shape))


def _back(transformed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import scipy.fft

    around = scipy.fft.irfft2(transformed, _padded(shape))
    high, wide = shape[-2] - 1, shape[-1] - 1
    found = np.empty((*shape[:-2], 2 * high + 1, 2 * wide + 1))
    for to, start in ((slice(high), slice(-high, None)), (slice(high, None), slice(high + 1))):
        found[..., to, :wide] = around[..., start, -wide:]
        found[..., to, wide:] = around[..., start, : wide + 1]
    return found


def _overlaps(values: np.ndarray) -> np.ndarray:
    """The sum of all values that have a partner in the same map, for every shift."""
    for axis in (-2, -1):
        upto = np.cumsum(np.moveaxis(values, axis, 0), 0)
        values = np.moveaxis(np.concatenate([upto[-1:] - upto[-2::-1], upto[::-1]]), 0, axis)
    return values
