"""Add the two numbers that were marked in a long sequence.

Hochreiter & Schmidhuber 1997, Long short-term memory, Neural Computation 9(8), 1735-1780; in the
form of Arjovsky, Shah & Bengio 2016, Unitary evolution recurrent neural networks, ICML.
"""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, draw_exam, require, require_exam, split_key
from .marking import squared_error

CHANCE = 1 / 6  # squared error of always answering 1: twice the variance of a uniform number


class Adding(AbstractTask):
    """A number from 0 to 1 and a marker, 0 or 1, a time step; the answer is due at the end.

    One number is marked in each half, and the answer is their sum. The score is the share of its
    variance that is explained: 1 is perfect, 0 on average is chance.
    """

    length: int = 25  # time steps
    exam_size: int = 1000  # examples

    def __check_init__(self):
        require(
            self.length >= 2,
            f"Adding expects a length of 2 or more, got {self.length}",
            "Two different numbers have to be marked",
            "Adding(length=25)",
        )
        require_exam(self, self.exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.length, 2, 1

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        draw, mark = jr.split(split_key(key, split))
        half, steps = self.length // 2, jnp.arange(self.length)
        numbers = jr.uniform(draw, (self.length,))
        early, late = jr.uniform(mark, (2,))
        early, late = below(half, early), half + below(self.length - half, late)
        marked = (steps == early) | (steps == late)
        total = jnp.sum(numbers, where=marked)
        counts = (steps == self.length - 1).astype(jnp.float32)
        stimuli = jnp.stack([numbers, marked.astype(jnp.float32)], axis=-1)
        return Sample(stimuli, jnp.broadcast_to(total[None, None], (self.length, 1)), counts)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return draw_exam(self, split, self.exam_size, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return squared_error(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return 1 - squared_error(outputs, sample) / CHANCE
