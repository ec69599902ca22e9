"""Pieces of natural photographs that drift: what comes next, what is there, which way it goes.

Simoncelli & Heeger (1998), Vision Res. 38:743 (what cells that see motion have to tell). Teaching a
network the next frame of such films: Singer et al. (2018), eLife 7:e31557.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, require, require_exam, split_key
from .marking import accuracy, cross_entropy, squared_error
from .patches import COLUMNS, Whitening, whitened

PLACE = 5  # random numbers that say where a film is from
Asks = Literal["next frame", "current frame", "direction"]


class MovingPatches(AbstractTask):
    """A patch of a photograph drifts at constant velocity; every time step shows one frame.

    Directions are uniform, in radians, anticlockwise from rightwards as one sees the picture, rows
    running down. Speeds are uniform too; between pixels photographs are interpolated linearly. The
    same key shows the same frames whatever is asked. `shuffled` puts all frames of an example, that
    after the last one shown included, in random order: as alike as before, without motion.

    Asked for frames, the score is minus the mean squared error. The direction is one of
    `directions`, asked from the second frame on. Photographs are shared out among splits as
    `Patches` does; whitening is the same, too.
    """

    size: int = 8  # pixels along a side
    frames: int = 8  # shown
    speeds: tuple[float, float] = (0.5, 1.5)  # slowest and fastest, pixels per frame
    asks: Asks = "next frame"
    shuffled: bool = False
    directions: int = 8  # evenly spaced, to tell apart
    whitening: Whitening = "olshausen"
    exam_size: int = 500  # examples

    def __check_init__(self):
        slowest, fastest = self.speeds
        require(
            0 <= slowest <= fastest,
            f"MovingPatches expects speeds from slowest to fastest, got {self.speeds}",
            "Speeds are drawn between the two, in pixels per frame",
            "MovingPatches(speeds=(0.5, 1.5))",
        )
        first, last = COLUMNS["tune"]
        way, room = self.frames * fastest, last - first
        require(
            self.size >= 2 and self.frames >= 2 and self.size + 1 + way <= room,
            "MovingPatches expects 2 pixels and 2 frames or more, and size + 1 + frames x fastest "
            f"speed up to {room} pixels, got {self.size}, {self.frames} and {fastest:g}",
            "All frames have to lie in one part of a photograph",
            "MovingPatches(size=8, frames=8)",
        )
        require(
            self.directions >= 2,
            f"MovingPatches expects 2 directions or more, got {self.directions}",
            "With one there is nothing to tell apart",
            "MovingPatches(directions=8)",
        )
        require(
            self.asks in ("next frame", "current frame", "direction"),
            'MovingPatches expects asks "next frame", "current frame" or "direction", got '
            f"{self.asks!r}",
            "Nothing else is known of a patch",
            'MovingPatches(asks="next frame")',
        )
        require_exam(self, self.exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        pixels = self.size**2
        return self.frames, pixels, self.directions if self.asks == "direction" else pixels

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self._show(split, jr.uniform(split_key(key, split), (PLACE + self.frames + 1,)))

    @eqx.filter_jit
    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        draw = lambda key: self.sample(split, key=key)  # noqa: E731
        return jax.lax.map(draw, jr.split(key, self.exam_size))  # compiles faster than `vmap`

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        marks = cross_entropy if self.asks == "direction" else squared_error
        return marks(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        if self.asks == "direction":
            return accuracy(outputs, sample)
        return -squared_error(outputs, sample)

    def _show(self, split: Split, chance: Float[Array, " number"]) -> Sample:
        direction = 2 * jnp.pi * chance[0]
        film = self._film(split, direction, chance[1:PLACE])
        if self.shuffled:
            film = film[jnp.argsort(chance[PLACE:])]
        counts = jnp.ones(self.frames)
        if self.asks == "direction":
            nearest = jnp.round(chance[0] * self.directions).astype(int) % self.directions
            answer = jax.nn.one_hot(nearest, self.directions)
            return Sample(film[:-1], jnp.tile(answer, (self.frames, 1)), counts.at[0].set(0.0))
        return Sample(film[:-1], film[1:] if self.asks == "next frame" else film[:-1], counts)

    def _film(
        self, split: Split, direction: Float[Array, ""], chance: Float[Array, "4"]
    ) -> Float[Array, "frame pixel"]:
        """All frames shown, and the one after. The path lies wholly in the part of the split."""
        views, centre, matrix = whitened(self.size, self.whitening)
        slowest, fastest = self.speeds
        speed = slowest + (fastest - slowest) * chance[0]
        # the window goes the other way than what is seen through it
        step = speed * jnp.stack([jnp.sin(direction), -jnp.cos(direction)])
        first, last = COLUMNS[split]
        ends = np.array([[0, first], [views.shape[1], last]], np.float32)  # rows, columns
        half = jnp.abs(step) * self.frames / 2
        low, high = ends[0] + half, ends[1] - half - self.size - 1
        middle = low + (high - low) * chance[1:3]
        when = jnp.arange(self.frames + 1.0) - self.frames / 2
        corners = middle[None] + when[:, None] * step[None]
        view = jnp.asarray(views)[below(len(views), chance[3])]
        film = jax.vmap(lambda corner: between(view, corner, self.size))(corners)
        return (film.reshape(len(when), -1) - centre[None]) @ matrix


def between(
    view: Float[Array, "row column"], corner: Float[Array, "2"], size: int
) -> Float[Array, "size size"]:
    """A square of a picture whose upper left corner lies between pixels, linearly interpolated."""
    whole = jnp.floor(corner)
    down, right = corner - whole
    found = jax.lax.dynamic_slice(view, tuple(whole.astype(int)), (size + 1, size + 1))
    found = (1 - down) * found[:-1] + down * found[1:]
    return (1 - right) * found[:, :-1] + right * found[:, 1:]
