"""Small pieces of natural photographs, whitened: what a cell early in vision sees.

Olshausen & Field 1996, Emergence of simple-cell receptive field properties by learning a sparse
code for natural images, Nature 381, 607-609; Bell & Sejnowski 1997, The "independent components"
of natural scenes are edge filters, Vision Research 37, 3327-3338.
"""

import functools
from typing import Literal

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from ..data import load
from .drawing import below, require, split_key

# Columns of the photographs, 640 pixels wide, so that patches of different splits never overlap.
COLUMNS: dict[Split, tuple[int, int]] = {"train": (0, 448), "tune": (448, 544), "test": (544, 640)}
RIDGE = 0.01  # of the mean variance; keeps the faint, noisy patterns faint
CUTOFF = 0.4  # cycles per pixel, above which Olshausen & Field's filter lets little through

Whitening = Literal["zca", "olshausen", "none"]


class Patches(AbstractTask):
    """Grey patches from anywhere in two photographs, for rules that need no right answer.

    Over the training part the mean is 0 and the mean square 1. Whitening removes what is known
    from the spectrum alone: "zca" decorrelates the pixels of a patch, "olshausen" filters whole
    photographs, gain growing with frequency. The left 70 % of the columns are for training, the
    next 15 % for tuning, the rest for testing. An exam tiles its part without overlap.

    There is no target, so `error` and `score` refuse: examine with a score of your own.
    """

    size: int = 12  # pixels along a side
    whitening: Whitening = "zca"
    cells: int = 1  # numbers out: how many cells look at a patch

    def __check_init__(self):
        require(
            2 <= self.size <= 32,
            f"Patches expects a size from 2 to 32 pixels, got {self.size}",
            "Smaller ones hold no pattern, and larger ones leave too few to whiten by",
            "Patches(size=12)",
        )
        require(
            self.whitening in ("zca", "olshausen", "none"),
            f'Patches expects whitening "zca", "olshausen" or "none", got {self.whitening!r}',
            "No other filter is known",
            'Patches(whitening="none") for patches as they are',
        )
        require(
            self.cells >= 1,
            f"Patches expects 1 cell or more, got {self.cells}",
            "It is the number of outputs of the network that looks",
            "Patches(cells=64)",
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, self.size**2, self.cells

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        views, centre, matrix = whitened(self.size, self.whitening)
        photograph, row, column = jr.uniform(split_key(key, split), (3,))
        first, last = COLUMNS[split]
        corner = (
            below(len(views), photograph),
            below(views.shape[1] - self.size + 1, row),
            first + below(last - first - self.size + 1, column),
        )
        patch = jax.lax.dynamic_slice(jnp.asarray(views), corner, (1, self.size, self.size))
        return Sample((patch.reshape(1, -1) - centre[None]) @ matrix)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        views, centre, matrix = whitened(self.size, self.whitening)
        return Sample(jnp.asarray((_tiles(views, split, self.size) - centre) @ matrix)[:, None])

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        raise ValueError(
            f"An error needs a right answer, and patches come with {outputs.shape[-1]} outputs but "
            "no target. Learn with a rule that needs none, such as neurula.rules.Oja()."
        )

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        raise ValueError(
            f"A score needs a right answer, and patches come with {outputs.shape[-1]} outputs but "
            "no target. Say what is good: examine(brain, task, split, score=my_score, key=key)."
        )


@functools.cache
def whitened(size: int, whitening: Whitening) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both photographs, what to subtract from a patch, and the matrix to multiply it by."""
    grey = [picture.mean(-1) / 255 for picture in load("photographs").values()]
    views = np.stack([flattened(view) if whitening == "olshausen" else view for view in grey])
    patches = _tiles(views, "train", size)
    centre = patches.mean(0) if whitening == "zca" else np.full(size**2, patches.mean())
    matrix = np.eye(size**2)
    if whitening == "zca":
        variances, patterns = np.linalg.eigh(np.cov(patches.T, bias=True))
        matrix = (patterns / np.sqrt(variances + RIDGE * variances.mean())) @ patterns.T
    matrix = matrix / np.sqrt(np.mean(((patches - centre) @ matrix) ** 2))
    return views.astype(np.float32), centre.astype(np.float32), matrix.astype(np.float32)


def draw_patches(
    views: Float[np.ndarray, "view row column"],
    split: Split,
    size: int,
    count: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "patch pixel"]:
    """Patches as they are, from anywhere in the part of a split, of pictures 640 pixels wide."""
    first, last = COLUMNS[split]
    windows = np.lib.stride_tricks.sliding_window_view(
        views[:, :, first:last], (size, size), (1, 2)
    )
    at = tuple(rng.integers(0, most, count) for most in windows.shape[:3])
    return windows[at].reshape(count, -1).astype(float)


def flattened(view: np.ndarray) -> np.ndarray:
    """A photograph with a flat spectrum up to the cutoff: gain grows as amplitude falls."""
    rows, columns = np.fft.fftfreq(view.shape[0]), np.fft.rfftfreq(view.shape[1])
    frequency = np.hypot(rows[:, None], columns[None])  # cycles per pixel
    gain = frequency * np.exp(-((frequency / CUTOFF) ** 4))
    return np.fft.irfft2(np.fft.rfft2(view) * gain, view.shape)


def _tiles(views: np.ndarray, split: Split, size: int) -> np.ndarray:
    """All patches of a split that lie side by side: patch x pixel."""
    first, last = COLUMNS[split]
    down, across = views.shape[1] // size, (last - first) // size
    part = views[:, : down * size, first : first + across * size]
    tiles = part.reshape(len(views), down, size, across, size).swapaxes(2, 3)
    return tiles.reshape(-1, size**2)
