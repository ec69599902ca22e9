"""Be judged by squared differences from the target instead of the task's own error.

The error of the delta rule: Widrow & Hoff (1960), IRE WESCON Convention Record 4:96.
"""

from jaxtyping import Array, Float

from ..contracts import AbstractTask, Sample
from .digits import Digits
from .marking import squared_error
from .wrapped import AbstractWrapped


class Squared(AbstractWrapped):
    """Another task, whose error is half the squared distance between outputs and target.

    Its slope is the difference itself, so that teachers which hold or nudge outputs pull them to
    the target. Scores stay those of the task.
    """

    task: AbstractTask = Digits()

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return squared_error(outputs, sample) * outputs.shape[-1] / 2
