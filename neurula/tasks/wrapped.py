"""Tasks that show another task in their own way, and leave the rest of it as it is."""

from typing import TYPE_CHECKING

from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split

if TYPE_CHECKING:  # otherwise static checkers take it for a constructor argument
    from typing import ClassVar as AbstractVar
else:
    from equinox import AbstractVar


class AbstractWrapped(AbstractTask):
    """What a task around `task` does not say anew is said by `task`."""

    task: AbstractVar[AbstractTask]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.task.shape

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self.task.sample(split, key=key)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self.task.exam(split, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self.task.error(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self.task.score(outputs, sample)
