"""Correlate pictures with themselves, turned by cubic splines: compiled loops.

The interpolation of `scipy.ndimage.rotate`: Unser (1999), IEEE Signal Process. Mag. 16:22. `numba`
is imported with this file, so it is imported late.
"""

import numpy as np

from .compiling import compiled


@compiled
def _weights(at, size, places, weights):
    """The four spline coefficients around a place, mirrored at the edges, and their weights."""
    start = int(np.floor(at))
    t = at - start
    u = 1 - t
    weights[0] = u * u * u / 6
    weights[1] = 2 / 3 - t * t * (2 - t) / 2
    weights[2] = 2 / 3 - u * u * (2 - u) / 2
    weights[3] = t * t * t / 6
    for k in range(4):
        place = abs(start - 1 + k)
        places[k] = 2 * size - 2 - place if place >= size else place


@compiled
def turned_sums(image, splines, ring, rings, cos, sin):
    """n, sums, squares and products of a picture and its turned copy: (turn, ring, 6).

    `splines` are the coefficients of `image`, `ring` says in which of `rings` rings a bin counts
    (below 0: in none). What comes from outside of the picture is 0.
    """
    height, width = image.shape
    found = np.zeros((cos.size, rings, 6))
    rows, columns = np.zeros(4, np.int64), np.zeros(4, np.int64)
    down, across = np.zeros(4), np.zeros(4)
    middle, centre = (height - 1) / 2, (width - 1) / 2
    for k in range(cos.size):
        start_y = middle - (cos[k] * middle + sin[k] * centre)
        start_x = centre - (cos[k] * centre - sin[k] * middle)
        for i in range(height):
            for j in range(width):
                if ring[i, j] < 0:
                    continue
                y = cos[k] * i + sin[k] * j + start_y
                x = cos[k] * j - sin[k] * i + start_x
                b = 0.0
                if 0 <= y <= height - 1 and 0 <= x <= width - 1:
                    _weights(y, height, rows, down)
                    _weights(x, width, columns, across)
                    for m in range(4):
                        line = 0.0
                        for n in range(4):
                            line += across[n] * splines[rows[m], columns[n]]
                        b += down[m] * line
                a, sums = image[i, j], found[k, ring[i, j]]
                sums[0] += 1
                sums[1] += a
                sums[2] += b
                sums[3] += a * a
                sums[4] += b * b
                sums[5] += a * b
    return found
