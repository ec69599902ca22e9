"""How strongly linear cells are driven by drifting gratings, from their filters alone.

A drifting grating modulates a linear cell by the magnitude of its filter's Fourier transform.
Enroth-Cugell & Robson (1966), J. Physiol. 187:517.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real


class LinearResponses(NamedTuple):
    """Amplitudes of the response to gratings of contrast 1, and each cell's best frequency."""

    amplitude: Float[np.ndarray, "direction cell"]  # at the cell's best frequency
    frequency: Float[np.ndarray, " cell"]  # cycles per pixel


def linear_responses(
    filters: Real[np.ndarray, "cell row column"],
    *,
    ways: int = 36,
    frequencies: Real[np.ndarray, " frequency"] | None = None,
) -> LinearResponses:
    """Responses of linear cells to gratings in `directions(ways)`, each at its best frequency.

    `frequencies`, in cycles per pixel, are 16 from half a cycle per picture to 0.45 unless given.
    Best is the one with the strongest response in any direction. A linear cell cannot tell a
    direction from its opposite.
    """
    filters = np.asarray(filters, float)
    rows, columns = filters.shape[1:]
    if frequencies is None:
        frequencies = np.linspace(0.5 / max(rows, columns), 0.45, 16)
    angle = 2 * np.pi * np.arange(ways) / ways
    right, up = np.arange(columns)[None, :], -np.arange(rows)[:, None]
    way = np.multiply.outer(np.cos(angle), right) + np.multiply.outer(np.sin(angle), up)
    wave = np.exp(-2j * np.pi * np.multiply.outer(np.asarray(frequencies, float), way))
    every = np.abs(np.tensordot(wave, filters, ([2, 3], [1, 2])))  # frequency, direction, cell
    best = every.max(1).argmax(0)
    amplitude = np.take_along_axis(every, best[None, None], 0)[0]
    return LinearResponses(amplitude, np.asarray(frequencies, float)[best])
