"""Nudge the outputs towards the target and learn from what that changes everywhere.

Scellier & Bengio (2017), Front. Comput. Neurosci. 11:24; centred estimate: Laborieux et al. (2021),
Front. Neurosci. 15:633674; vector field: Scellier, Goyal, Binas, Mesnard & Bengio (2018),
arXiv 1808.04873.
"""

from jaxtyping import Array, Float

from ..contracts import Error, Sample
from ..network import Network
from .contrastive import AbstractContrastiveRule, Meeting
from .refusals import symmetry_problem
from .relaxation import Settled, settle, slope


class EquilibriumPropagation(AbstractContrastiveRule):
    """For networks with mirrored weights (`two_way`), whose cells settle (`neurons.Leaky`).

    As `nudge` goes to 0 the direction becomes the gradient of the error of the settled outputs.
    `centred` compares +nudge with -nudge, which removes the bias of first order. `symmetric=False`
    is the vector-field version for separate feedback weights: each end changes by itself.
    """

    nudge: float = 0.1
    free_steps: int = 40
    nudged_steps: int = 40
    tolerance: float | None = None  # stop settling when no activity changes more in a step
    centred: bool = True
    symmetric: bool = True

    def settle(self, brain: Network, sample: Sample, error: Error) -> tuple[Settled, ...]:
        stimulus = sample.stimuli[-1]
        free = settle(brain, stimulus, steps=self.free_steps, tolerance=self.tolerance)

        def nudged(by: float) -> Settled:
            return settle(
                brain,
                stimulus,
                steps=self.nudged_steps,
                tolerance=self.tolerance,
                start=free,
                teach=lambda outputs: -by * slope(error, outputs, sample),
            )

        plus = nudged(self.nudge)
        return (free, nudged(-self.nudge), plus) if self.centred else (free, plus)

    def contrast(self, minus: Meeting, plus: Meeting) -> Float[Array, "..."]:
        if self.symmetric:
            return plus.pre * plus.post - minus.pre * minus.post
        return (plus.pre + minus.pre) / 2 * (plus.post - minus.post)

    def scale(self, brain: Network, population: str) -> float:
        return 1 / (2 * self.nudge if self.centred else self.nudge)

    def problem(self, brain: Network) -> str | None:
        return (
            symmetry_problem(brain, dict.fromkeys(brain.populations, 1.0))
            if self.symmetric
            else None
        )
