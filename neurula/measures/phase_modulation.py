"""Simple or complex: F1 / F0 of cells without memory, each at the grating that it likes best.

Hubel & Wiesel (1962), J. Physiol. 160:106; Skottun et al. (1991), Vision Res. 31:1079.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .gratings import directions, grating
from .modulation import modulation_ratio


class PhaseModulation(NamedTuple):
    """Of every cell, at its best grating."""

    ratio: Float[np.ndarray, " cell"]  # F1 / F0, from 0 to 2; NaN where nothing drives the cell
    direction: Float[np.ndarray, " cell"]  # radians
    frequency: Float[np.ndarray, " cell"]  # cycles per pixel
    drive: Float[np.ndarray, " cell"]  # the larger of F0 and F1


def phase_modulation(
    watch: Callable[[np.ndarray], np.ndarray],
    size: int,
    *,
    frequencies: tuple[float, ...],
    ways: int = 12,
    phases: int = 16,
    level: float = 0.0,
    contrast: float = 1.0,
) -> PhaseModulation:
    """Show gratings, `level` + cos(...) times `contrast`, that drift through one cycle.

    `watch(film)` answers (frame, row, column) with (frame, cell), each frame by itself. What counts
    is by how much a cell does more than at an even picture of the mean `level`; so a linear cell
    has a half-rectified sine and a ratio of pi / 2, whatever its threshold, and a cell that every
    phase lifts alike has 0. The best grating has the largest F0 or F1, whichever is larger, as
    simple cells are driven by the one and complex cells by the other.
    """
    blank = np.asarray(watch(np.full((phases, size, size), level, np.float32)))
    shown, ratios, drives = [], [], []
    for way in np.asarray(directions(ways)).tolist():
        for frequency in frequencies:
            bars = grating(size, phases, direction=way, frequency=frequency, tempo=1 / phases)
            film = level + contrast * np.asarray(bars)
            evoked = np.maximum(np.asarray(watch(film.astype(np.float32))) - blank, 0.0)
            mean = evoked.mean(0, dtype=float)
            ratio = modulation_ratio(evoked, 1 / phases)
            shown.append((way, frequency))
            ratios.append(ratio)
            drives.append(mean * np.fmax(1.0, np.nan_to_num(ratio)))
    best = np.argmax(drives, axis=0)
    cells = np.arange(len(best))
    way, frequency = np.array(shown)[best].T
    return PhaseModulation(
        np.array(ratios)[best, cells], way, frequency, np.array(drives)[best, cells]
    )
