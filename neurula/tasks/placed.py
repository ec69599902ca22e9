"""Pictures anywhere in a wider field: what is to be named does not depend on where it is.

Fukushima (1980), Biol. Cybern. 36:193 (recognition unaffected by shift in position).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Integer, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .digits import Digits
from .drawing import below, require
from .wrapped import AbstractWrapped


class Placed(AbstractWrapped):
    """Square pictures of `task`, enlarged, at a random place of a field of zeros with noise.

    Between pixels an enlarged picture is interpolated. An exam shows every picture of the other
    task's exam once, each at a place of its own.
    """

    task: AbstractTask = eqx.field(default_factory=Digits)
    field: int = 25  # pixels along a side of what is seen
    size: int = 16  # pixels along a side of the enlarged picture
    noise: float = 0.1  # standard deviation, of every pixel of the field

    def __check_init__(self):
        _, pixels, _ = self.task.shape
        require(
            round(pixels**0.5) ** 2 == pixels,
            f"Placed expects square pictures, got {pixels} numbers in",
            "Others cannot be enlarged evenly",
            "Placed(Digits())",
        )
        require(
            2 <= self.size <= self.field,
            f"Placed expects pictures of 2 to {self.field} pixels a side, got {self.size}",
            "Larger ones do not fit into the field",
            f"Placed(task, field={self.field}, size={min(16, self.field)})",
        )
        require(
            self.noise >= 0,
            f"Placed expects noise of 0 or more, got {self.noise}",
            "It is a standard deviation",
            "Placed(task, noise=0.1)",
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        time, _, outputs = self.task.shape
        return time, self.field**2, outputs

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        at_picture, at_place = jr.split(key)
        return self._place(self.task.sample(split, key=at_picture), at_place)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        at_pictures, at_places = jr.split(key)
        exam = self.task.exam(split, key=at_pictures)
        return jax.vmap(self._place)(exam, jr.split(at_places, len(exam.stimuli)))

    def _place(self, sample: Sample, key: PRNGKeyArray) -> Sample:
        """The same example, seen from further away."""
        at_corner, at_noise = jr.split(key)
        time, pixels = sample.stimuli.shape
        film = sample.stimuli.reshape(time, round(pixels**0.5), -1)
        corner = below(self.field - self.size + 1, jr.uniform(at_corner, (2,)))
        down, across = (self._enlarge(start, film.shape[1]) for start in corner)
        noise = self.noise * jr.normal(at_noise, (self.field, self.field))
        seen = down[None] @ film @ across.T[None] + noise[None]
        return eqx.tree_at(lambda sample: sample.stimuli, sample, seen.reshape(time, -1))

    def _enlarge(self, start: Integer[Array, ""], side: int) -> Float[Array, "field {side}"]:
        """How much each pixel of the field shows of each of the picture, along one axis."""
        along = jnp.arange(self.field, dtype=jnp.float32) - start.astype(jnp.float32)
        there = (along >= 0) & (along < self.size)
        place = jnp.clip((along + 0.5) * side / self.size - 0.5, 0, side - 1)
        apart = jnp.abs(place[:, None] - jnp.arange(side, dtype=jnp.float32)[None])
        return jnp.where(there[:, None], jnp.maximum(1 - apart, 0), 0.0)
