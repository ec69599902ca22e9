"""Give back what is seen: the examples of another task, without its right answers.

Baldi & Hornik (1989), Neural Netw. 2:53: the best that linear cells can do is to keep the
principal components.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split


class Copied(AbstractTask):
    """Stimuli of `task` are their own targets, for networks that have to make a code of them.

    The error is half the squared difference, summed over cells and steps; the score is minus that.
    """

    task: AbstractTask

    @property
    def shape(self) -> tuple[int, int, int]:
        time, inputs, _ = self.task.shape
        return time, inputs, inputs

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return _copied(self.task.sample(split, key=key))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return _copied(self.task.exam(split, key=key))

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return jnp.sum((outputs - sample.stimuli) ** 2) / 2

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return -self.error(outputs, sample)


def _copied(sample: Sample) -> Sample:
    return Sample(sample.stimuli, sample.stimuli)
