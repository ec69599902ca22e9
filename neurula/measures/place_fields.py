"""Place fields: bins around a peak of a rate map, down to a threshold of the field's own.

After the adaptive threshold of opexebo (Kavli Institute for Systems Neuroscience, Trondheim, 2018),
with its defaults: it starts at 0.96 of a peak, and a field has 9 bins, a peak of 1 Hz, a mean of
0.1 Hz. Not bin for bin: opexebo 0.7.2 finds no peak within 4 bins of a silent bin, and none at all
in a map without silent bins.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

FIRST = 0.96  # share of the peak from which a field grows
SMALLEST = 9  # bins
PEAK = 1.0  # Hz
MEAN = 0.1  # Hz


class Field(NamedTuple):
    """One place field; rows and columns count from 0."""

    bins: Bool[np.ndarray, "row column"]
    area: int  # bins
    peak: tuple[int, int]  # row and column of the highest rate
    peak_rate: float  # Hz
    mean_rate: float  # Hz
    centre: tuple[float, float]  # mean row and column of the bins


def place_fields(
    rates: Float[np.ndarray, "row column"],
    *,
    first: float = FIRST,
    smallest: int = SMALLEST,
    peak: float = PEAK,
    mean: float = MEAN,
) -> list[Field]:
    """The fields of one smoothed rate map (Hz), the highest peak first; NaN bins belong to none.

    A field is what hangs together (four neighbours) around a local maximum at or above a share of
    its rate. The share falls from `first` in steps of 0.02 to 0.2 at most, and stops before the
    field swallows another maximum, closes around a visited bin, or triples the growth of its first
    step. Fields smaller than `smallest` bins, with less than `peak` Hz at the peak or `mean` Hz on
    average are dropped. Raises `ValueError` for a `first` outside of 0.2 to 1.
    """
    if not 0.2 < first <= 1:
        raise ValueError(
            f"Expected a first share of the peak between 0.2 and 1, but got {first:g}: fields grow "
            f"downwards from there. Try `place_fields(rates, first={FIRST})`."
        )
    from .fields_grown import grow, opened

    visited = np.isfinite(rates)
    if not visited.any() or np.nanmax(rates) < max(peak, 1e-300):
        return []
    filled = np.where(visited, rates, 0.0)
    image = opened(filled)
    peaks = _peaks(image, visited & (filled >= peak))
    order = np.argsort(-filled[tuple(peaks.T)], kind="stable")
    peaks, fields = np.ascontiguousarray(peaks[order]), []
    found, scratch, outside = np.zeros((3, *rates.shape), bool)
    box, stack, taken = np.zeros(4, int), np.zeros(rates.size, int), np.zeros(rates.shape, bool)
    for which in range(len(peaks)):
        found[:] = False
        grow(image, visited, peaks, which, first, found, scratch, outside, box, stack)
        bins = found & visited & ~taken
        if bins.sum() >= smallest and filled[bins].mean() >= mean:
            fields.append(_field(bins, filled))
            taken |= bins
    return fields


def _peaks(image: Float[np.ndarray, "row column"], there: Bool[np.ndarray, "row column"]):
    """One bin of every flat top that is higher than its eight neighbours."""
    from scipy.ndimage import label, maximum_filter, minimum_position

    marks, count = label(image == maximum_filter(image, 3), np.ones((3, 3)))
    near = maximum_filter(image, 3)
    higher = np.bincount(marks.ravel(), (near > image).ravel(), minlength=count + 1) > 0
    tops = np.flatnonzero(~higher[1:]) + 1
    tops = tops[np.bincount(marks.ravel(), there.ravel(), minlength=count + 1)[tops] > 0]
    y, x = np.indices(image.shape)
    peaks = []
    for top in tops:  # the bin of the plateau that is nearest to its middle
        at = marks == top
        away = np.square(y - y[at].mean()) + np.square(x - x[at].mean())
        peaks.append(minimum_position(away, at & there))
    return np.array(peaks, int).reshape(-1, 2)


def _field(bins: Bool[np.ndarray, "row column"], rates: np.ndarray) -> Field:
    inside = np.where(bins, rates, -np.inf)
    row, column = np.unravel_index(int(inside.argmax()), bins.shape)
    middle = np.argwhere(bins).mean(0)
    return Field(
        bins,
        int(bins.sum()),
        (int(row), int(column)),
        float(inside.max()),
        float(rates[bins].mean()),
        (float(middle[0]), float(middle[1])),
    )
