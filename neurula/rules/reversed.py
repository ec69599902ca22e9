"""Take the phase with a teacher for the one without: a sham for rules that contrast phases."""

from jaxtyping import Array, Float

from ..contracts import Error, Sample
from ..network import Network
from .contrastive import AbstractContrastiveRule, Meeting
from .equilibrium_propagation import EquilibriumPropagation
from .relaxation import Settled


class Reversed(AbstractContrastiveRule):
    """Another rule whose synapses take the last two phases in the wrong order.

    The same activity, the same products, the opposite direction: what is lost is when they were.
    """

    rule: AbstractContrastiveRule = EquilibriumPropagation()

    @property
    def free_steps(self) -> int:  # ty: ignore[incompatible-property-override]
        return self.rule.free_steps

    @property
    def symmetric(self) -> bool:  # ty: ignore[incompatible-property-override]
        return self.rule.symmetric

    def settle(self, brain: Network, sample: Sample, error: Error) -> tuple[Settled, ...]:
        *before, minus, plus = self.rule.settle(brain, sample, error)
        return (*before, plus, minus)

    def contrast(self, minus: Meeting, plus: Meeting) -> Float[Array, "..."]:
        return self.rule.contrast(minus, plus)

    def scale(self, brain: Network, population: str) -> float:
        return self.rule.scale(brain, population)

    def problem(self, brain: Network) -> str | None:
        return self.rule.problem(brain)
