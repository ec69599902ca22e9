"""One of several tasks in one shape, so that networks that learn each are one compiled program.

Tasks that differ only in numbers compile once: the choice may be an array, mapped over by `vmap`.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Integer, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import require


class OneOf(AbstractTask):
    """The task number `which`, with silence before it and lines beside it up to the common shape.

    All tasks are played to the same number of lines for the same time: shorter ones begin later,
    after stimuli of 0 that do not count. Errors and scores are those of the task alone, so lines
    that it does not use neither help nor cost. Examples of an exam are as many as in the smallest.
    """

    tasks: tuple[AbstractTask, ...]
    which: int | Integer[Array, ""] = 0

    def __check_init__(self):
        require(
            len(self.tasks) >= 1,
            f"OneOf expects one or more tasks, got {len(self.tasks)}",
            "There is nothing to choose from",
            "OneOf((Adding(8), Adding(16)), which=0)",
        )
        if isinstance(self.which, int):
            require(
                0 <= self.which < len(self.tasks),
                f"OneOf expects which from 0 to {len(self.tasks) - 1}, got {self.which}",
                "It is the place of a task in `tasks`",
                "OneOf((Adding(8), Adding(16)), which=1)",
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        time, numbers_in, numbers_out = zip(*(task.shape for task in self.tasks), strict=True)
        return max(time), max(numbers_in), max(numbers_out)

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self._choose(lambda task, key: self._widen(task, task.sample(split, key=key)), key)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        shapes = [jax.eval_shape(lambda k, t=t: t.exam(split, key=k), key) for t in self.tasks]
        size = min(len(exam.stimuli) for exam in shapes)

        def widened(task: AbstractTask, key: PRNGKeyArray) -> Sample:
            exam = jax.tree.map(lambda x: x[:size], task.exam(split, key=key))
            return jax.vmap(lambda sample: self._widen(task, sample))(exam)

        return self._choose(widened, key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self._choose(lambda t, x: t.error(*_narrow(t, *x)), (outputs, sample))

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self._choose(lambda t, x: t.score(*_narrow(t, *x)), (outputs, sample))

    def _choose(self, use: Any, what: Any) -> Any:
        if isinstance(self.which, int):
            return use(self.tasks[self.which], what)
        uses = [lambda x, task=task: use(task, x) for task in self.tasks]
        return jax.lax.switch(self.which, uses, what)

    def _widen(self, task: AbstractTask, sample: Sample) -> Sample:
        wide, (time, enter, leave) = self.shape, task.shape
        later = (wide[0] - time, 0)
        if sample.target is None:
            raise ValueError(
                f"OneOf takes tasks with targets, and {type(task).__name__} gives none. Only some "
                "of its tasks could be marked. Leave it out: OneOf((Adding(8), Adding(16)))."
            )
        counts = jnp.ones(time) if sample.counts is None else sample.counts
        return Sample(
            jnp.pad(sample.stimuli, (later, (0, wide[1] - enter))),
            jnp.pad(sample.target, (later, (0, wide[2] - leave))),
            jnp.pad(counts, later),
        )


def _narrow(
    task: AbstractTask, outputs: Float[Array, "time out"], sample: Sample
) -> tuple[Float[Array, "own_time own_out"], Sample]:
    """Answers and example as the task alone knows them."""
    time, enter, leave = task.shape
    target, counts = jnp.asarray(sample.target), jnp.asarray(sample.counts)
    own = Sample(sample.stimuli[-time:, :enter], target[-time:, :leave], counts[-time:])
    return outputs[-time:, :leave], own
