"""Which way up a picture is: a task that any pictures give, without labels.

Gidaris, Singh & Komodakis (2018), ICLR, arXiv:1803.07728.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, require
from .marking import accuracy, cross_entropy

WAYS = 4


class Turned(AbstractTask):
    """Square pictures of `task` turned by 0 to 3 quarters anticlockwise; the answer is how many.

    An exam shows every picture once, turned at random.
    """

    task: AbstractTask

    def __check_init__(self):
        _, pixels, _ = self.task.shape
        require(
            round(pixels**0.5) ** 2 == pixels,
            f"Turned expects square pictures, got {pixels} numbers in",
            "Others have another shape when they lie on their side",
            "Turned(Patches(size=12))",
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        time, pixels, _ = self.task.shape
        return time, pixels, WAYS

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        at_picture, at_turn = jr.split(key)
        picture = self.task.sample(split, key=at_picture)
        return _turned(picture.stimuli, below(WAYS, jr.uniform(at_turn)))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        at_pictures, at_turns = jr.split(key)
        pictures = self.task.exam(split, key=at_pictures).stimuli
        turns = below(WAYS, jr.uniform(at_turns, (len(pictures),)))
        return jax.vmap(_turned)(pictures, turns)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return accuracy(outputs, sample)


def _turned(stimuli: Float[Array, "time pixel"], quarters: Array) -> Sample:
    side = round(stimuli.shape[1] ** 0.5)
    films = stimuli.reshape(-1, side, side)
    ways = jnp.stack([jnp.rot90(films, k, (1, 2)) for k in range(WAYS)])
    answer = jnp.tile(jax.nn.one_hot(quarters, WAYS), (len(films), 1))
    return Sample(ways[quarters].reshape(stimuli.shape), answer)
