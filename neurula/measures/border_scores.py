"""Border score: how much of a wall a cell's field lines, and how close it stays to it.

Solstad, Boccara, Kropff, Moser & Moser (2008), Science 322:1865.
"""

import numpy as np
from jaxtyping import Bool, Float

SHARE = 0.3  # of the peak rate, above which bins belong to a field
SMALLEST = 0.02  # m²


def border_score(
    maps: Float[np.ndarray, "*cells row column"], *, bin_width: float = 0.025
) -> Float[np.ndarray, "*cells"]:
    """Score (c - d) / (c + d): 1 for a thin field along a whole wall, -1 for a spot far from all.

    Fields are bins above 0.3 of the peak rate that hang together over 200 cm² or more (`bin_width`
    in metres). c is the largest share of any one wall that any one field touches; d the distance
    from the nearest wall, averaged over the bins of all fields weighted by rate, over half of the
    shorter side. The map's edges are the walls of a rectangular arena; along each, the first
    visited bin touches it. -1 without a field, NaN for a map without rates.
    """
    flat = np.asarray(maps, float).reshape(-1, *maps.shape[-2:])
    smallest = int(np.ceil(SMALLEST / bin_width**2 - 1e-9))
    found = np.array([_score(one, smallest) for one in flat], float)
    return found.reshape(maps.shape[:-2])


def _score(rates: Float[np.ndarray, "row column"], smallest: int) -> float:
    from scipy.ndimage import label

    visited = np.isfinite(rates)
    if not visited.any() or not np.nanmax(rates) > 0:
        return float("nan")
    filled = np.where(visited, rates, 0.0)
    marks, count = label(filled > SHARE * filled.max())
    fields = [marks == k for k in range(1, count + 1)]
    fields = [field for field in fields if field.sum() >= smallest]
    if not fields:
        return -1.0
    covered = max(_coverage(field, visited) for field in fields)
    high, wide = rates.shape
    y = np.minimum(np.arange(high), np.arange(high)[::-1]) + 0.5
    x = np.minimum(np.arange(wide), np.arange(wide)[::-1]) + 0.5
    away = np.minimum(y[:, None], x[None]) / (min(high, wide) / 2)
    weights = np.where(np.any(fields, 0), filled, 0.0)
    distance = float((away * weights).sum() / weights.sum())
    return (covered - distance) / (covered + distance)


def _coverage(field: Bool[np.ndarray, "row column"], visited: np.ndarray) -> float:
    """The largest share of a wall that touches the field."""
    best = 0.0
    for turn in range(4):
        seen, inside = np.rot90(visited, turn), np.rot90(field, turn)
        first, any_seen = seen.argmax(0), seen.any(0)
        touching = inside[first, np.arange(seen.shape[1])]
        best = max(best, float(touching[any_seen].mean()))
    return best
