"""The grid score of NeuralPlayground 0.0.9: one annulus, cut along the fields' own shapes.

Domine et al. (Sainsbury Wellcome Centre, 2023), with the field shapes of ephysiopy (R. Hayman).
"""

import heapq

import numpy as np
from jaxtyping import Float, Int

from .autocorrelograms import autocorrelogram

NEAREST = 7  # fields, with the central one


def neural_playground(maps: Float[np.ndarray, "cell row column"]) -> Float[np.ndarray, " cell"]:
    """min(r60, r120) - max(r30, r90, r150), by Catmull-Rom interpolation, in one annulus.

    Every peak of the autocorrelogram owns what flows down from it (a watershed), and its field is
    what there is above half of its height. The annulus begins at the edge of the central field and
    ends at the farthest bin of the next fields; six where there are enough, for the last peak and
    the farthest one are left out, as in NeuralPlayground. NaN where there are too few (one place
    field). Slow: map by map.
    """
    return np.array([_score(one) for one in autocorrelogram(maps, overlap=2)])


def _score(picture: Float[np.ndarray, "down across"]) -> float:
    height = np.where(picture > 0, picture, -1.0)
    basins, count = _basins(height)
    middle = np.array(picture.shape) // 2
    fields, peaks = [np.zeros((0, 2), int)], [np.array(picture.shape) - 1]
    for one in range(1, count):
        owned = np.argwhere(basins == one)
        heights = height[tuple(owned.T)]
        fields.append(owned[heights > heights.max() / 2])
        peaks.append(owned[heights.argmax()])
    away = np.hypot(*(np.array(peaks) - middle).T)
    order = np.argsort(away)
    chosen = order[1 : min(NEAREST, len(order) - 1)]
    ends = [np.hypot(*(fields[k] - middle).T).max() for k in chosen if len(fields[k])]
    if not ends:
        return float("nan")
    centre = peaks[order[0]]
    y, x = (np.linspace(-c, c, size) for c, size in zip(centre, picture.shape, strict=True))
    distance = np.hypot(y[:, None], x[None])
    ring = np.where((distance > max(ends)) | (distance == 0), np.nan, picture)
    ring[tuple(fields[order[0]].T)] = np.nan
    return _contrast(ring)


def _basins(height: Float[np.ndarray, "down across"]) -> tuple[Int[np.ndarray, "down across"], int]:
    """Which peak each bin flows up to, by flooding from the peaks (Meyer 1991)."""
    from scipy.ndimage import label, maximum_filter

    tops = (height == maximum_filter(height, 3, mode="nearest")) & (height > height.min())
    tops[[0, -1]] = tops[:, [0, -1]] = False
    marks, count = label(tops)
    basins = np.pad(marks, 1, constant_values=-1)
    depth = np.pad(-height, 1)
    queue = [(depth[i + 1, j + 1], 0, i + 1, j + 1) for i, j in np.argwhere(marks)]
    heapq.heapify(queue)
    age = 0
    while queue:
        level, _, i, j = heapq.heappop(queue)
        for a, b in ((i - 1, j), (i, j - 1), (i, j + 1), (i + 1, j)):
            if basins[a, b] == 0:
                age += 1
                basins[a, b] = basins[i, j]
                heapq.heappush(queue, (max(level, depth[a, b]), age, a, b))
    return basins[1:-1, 1:-1], count


def _contrast(ring: Float[np.ndarray, "down across"]) -> float:
    from .rings import OTHER, SAME, TURNS

    r = []
    for turn in np.radians(TURNS):
        turned = np.clip(_turned(ring, turn), np.nanmin(ring), np.nanmax(ring))
        both = np.isfinite(ring) & np.isfinite(turned)
        if both.sum() < 3:
            return float("nan")
        r.append(np.corrcoef(ring[both], turned[both])[0, 1])
    return float(np.nanmin(np.array(r)[[*SAME]]) - np.nanmax(np.array(r)[[*OTHER]]))


def _turned(
    picture: Float[np.ndarray, "down across"], turn: float
) -> Float[np.ndarray, "down across"]:
    """A turned copy; NaN beside what is not known. Keys (1981), IEEE Trans. ASSP 29:1153."""
    padded = np.pad(picture, 4, constant_values=np.nan)
    y, x = (np.arange(size) - (size - 1) / 2 for size in picture.shape)
    rows = x[None] * np.sin(turn) + y[:, None] * np.cos(turn) + (picture.shape[0] - 1) / 2
    columns = x[None] * np.cos(turn) - y[:, None] * np.sin(turn) + (picture.shape[1] - 1) / 2
    rows, columns = np.round(rows, 9), np.round(columns, 9)  # a right angle is one
    i, j = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, across = _keys(rows - i), _keys(columns - j)
    found = np.zeros(picture.shape)
    high, wide = padded.shape
    for k in range(4):
        for m in range(4):
            at = np.clip(i + k + 3, 0, high - 1), np.clip(j + m + 3, 0, wide - 1)
            found += down[k] * across[m] * padded[at]
    return found


def _keys(t: np.ndarray) -> list[np.ndarray]:
    return [
        (-t + 2 * t**2 - t**3) / 2,
        (2 - 5 * t**2 + 3 * t**3) / 2,
        (t + 4 * t**2 - 3 * t**3) / 2,
        (t**3 - t**2) / 2,
    ]
