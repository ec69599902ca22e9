"""Each cell learns from the change that a teacher makes in it.

O'Reilly (1996), Neural Comput. 8:895.
"""

from typing import ClassVar

from jaxtyping import Array, Float

from ..contracts import Error, Sample
from ..network import Network
from .contrastive import AbstractContrastiveRule, Meeting
from .contrastive_hebb import two_phases
from .relaxation import Settled


class GeneralisedRecirculation(AbstractContrastiveRule):
    """GeneRec: presynaptic activity before the teacher times the change of the postsynaptic one.

    Feedback weights need not mirror the others; the phases are those of contrastive Hebb. With
    `midpoint` the presynaptic activity is averaged over the phases; summed over both directions of
    a mirrored pair it is then exactly contrastive Hebb.
    """

    free_steps: int = 40
    clamped_steps: int = 40
    tolerance: float | None = None  # stop settling when no activity changes more in a step
    midpoint: bool = False
    symmetric: ClassVar[bool] = False

    def settle(self, brain: Network, sample: Sample, error: Error) -> tuple[Settled, ...]:
        return two_phases(
            brain, sample, error, (self.free_steps, self.clamped_steps), self.tolerance
        )

    def contrast(self, minus: Meeting, plus: Meeting) -> Float[Array, "..."]:
        pre = (minus.pre + plus.pre) / 2 if self.midpoint else minus.pre
        return pre * (plus.post - minus.post)

    def scale(self, brain: Network, population: str) -> float:
        return 1.0

    def problem(self, brain: Network) -> str | None:
        return None
