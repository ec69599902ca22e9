"""Correlate pictures with themselves after a rotation, ring by ring around the middle.

`numba` is imported with this file, so it is imported late.
"""

import numpy as np

from .compiling import compiled

TURNS = np.array([30.0, 60.0, 90.0, 120.0, 150.0])  # degrees
SAME, OTHER = (1, 3), (0, 2, 4)  # of the turns: those of a hexagon, and those between


@compiled
def _between(image, y, x):
    """Bilinear interpolation; NaN outside, and beside a NaN that counts."""
    height, width = image.shape
    i, j = int(np.floor(y + 1e-9)), int(np.floor(x + 1e-9))
    v, u = max(y - i, 0.0), max(x - j, 0.0)
    v, u = (0.0 if v < 1e-9 else v), (0.0 if u < 1e-9 else u)
    if i < 0 or j < 0 or i + (v > 0) >= height or j + (u > 0) >= width:
        return np.nan
    low = (1 - u) * image[i, j] + (u * image[i, j + 1] if u > 0 else 0.0)
    if v == 0:
        return low
    high = (1 - u) * image[i + 1, j] + (u * image[i + 1, j + 1] if u > 0 else 0.0)
    return (1 - v) * low + v * high


@compiled
def ring_sums(images, turns, reach):
    """n, sums, squares and products of a picture and its turned copy: (image, turn, ring, 6).

    The pictures are odd in size and equal to themselves upside down, so half of each is read.
    Ring 2 r holds distances of exactly r bins, ring 2 r + 1 those between r and r + 1, both below
    `reach`. Places where either is NaN are left out.
    """
    count, height, width = images.shape
    middle, centre = height // 2, width // 2
    found = np.zeros((count, turns.size, 2 * reach, 6))
    cos, sin = np.cos(np.radians(turns)), np.sin(np.radians(turns))
    for y in range(min(middle, reach) + 1):
        for x in range(-min(centre, reach), min(centre, reach) + 1):
            squared = y * y + x * x
            if (y == 0 and x <= 0) or squared >= reach * reach:
                continue
            whole = int(np.sqrt(squared) + 1e-9)
            ring = 2 * whole + (whole * whole != squared)
            for k in range(turns.size):
                turned_y, turned_x = x * sin[k] + y * cos[k], x * cos[k] - y * sin[k]
                for m in range(count):
                    a = images[m, middle + y, centre + x]
                    b = _between(images[m], middle + turned_y, centre + turned_x)
                    if np.isnan(a) or np.isnan(b):
                        continue
                    sums = found[m, k, ring]
                    sums[0] += 1
                    sums[1] += a
                    sums[2] += b
                    sums[3] += a * a
                    sums[4] += b * b
                    sums[5] += a * b
    return found


def correlations(sums, inner, outer):
    """Pearson's r over inner < distance < outer: (image, turn, outer), from `ring_sums`.

    `inner` is one number of bins for each image, `outer` several for each. NaN without variance.
    """
    upto = np.concatenate([np.zeros_like(sums[:, :, :1]), np.cumsum(sums, 2)], 2)
    begin = np.take_along_axis(upto, (2 * inner + 1)[:, None, None, None], 2)
    end = np.take_along_axis(upto, (2 * outer)[:, None, :, None], 2)
    n, a, b, aa, bb, ab = np.moveaxis(end - begin, -1, 0)
    left, right = n * aa - a * a, n * bb - b * b
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (n * ab - a * b) / np.sqrt(left * right)
    least = 1e-13 * n * np.maximum(aa, bb)
    return np.where((n > 1) & (left > least) & (right > least), r, np.nan)


def contrast(r):
    """min(r60, r120) - max(r30, r90, r150) along the second axis."""
    return np.min(r[:, SAME], 1) - np.max(r[:, OTHER], 1)
