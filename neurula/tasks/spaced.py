"""Leave a pause after every step of a task, so that its memories must last longer."""

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import require


class Spaced(AbstractTask):
    """Every step of another task, followed by `pause` steps in which all lines are 0.

    Pauses do not count; errors and scores are those of the task.
    """

    task: AbstractTask
    pause: int = 1  # time steps

    def __check_init__(self):
        require(
            self.pause >= 1,
            f"Spaced expects a pause of 1 or more, got {self.pause}",
            "It is the number of blank steps after every step",
            "Spaced(Recall(), pause=3)",
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        time, numbers_in, numbers_out = self.task.shape
        return time * (self.pause + 1), numbers_in, numbers_out

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self._spread(self.task.sample(split, key=key))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self._spread(self.task.exam(split, key=key))

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self.task.error(*self._gather(outputs, sample))

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self.task.score(*self._gather(outputs, sample))

    def _spread(self, sample: Sample) -> Sample:
        *batch, time, _ = sample.stimuli.shape
        counts = jnp.ones((*batch, time)) if sample.counts is None else sample.counts
        spaced = time * (self.pause + 1)

        def lines(values: Float[Array, "*batch time line"]) -> Float[Array, "*batch spaced line"]:
            blank = jnp.zeros((*batch, spaced, values.shape[-1]))
            return blank.at[..., :: self.pause + 1, :].set(values)

        target = None if sample.target is None else lines(sample.target)
        return Sample(lines(sample.stimuli), target, lines(counts[..., None])[..., 0])

    def _gather(
        self, outputs: Float[Array, "time out"], sample: Sample
    ) -> tuple[Float[Array, "own out"], Sample]:
        every = lambda x: None if x is None else x[:: self.pause + 1]  # noqa: E731
        own = Sample(sample.stimuli[:: self.pause + 1], every(sample.target), every(sample.counts))
        return outputs[:: self.pause + 1], own
