"""Hebb while a teacher holds the outputs, anti-Hebb while the network is free.

Movellan (1991), Connectionist Models; with weak feedback it is backprop: Xie & Seung (2003),
Neural Comput. 15:441.
"""

from typing import ClassVar

from jaxtyping import Array, Float

from ..contracts import Error, Sample
from ..network import Network
from ..wirings import Transposed
from .contrastive import AbstractContrastiveRule, Meeting, distances
from .refusals import symmetry_problem
from .relaxation import Settled, settle, slope, split_outputs


class ContrastiveHebb(AbstractContrastiveRule):
    """For networks with mirrored feedback (`two_way(network, gain)`).

    The teacher holds the outputs where a gradient step on the error would take them: for half a
    squared error, at the target. A population d projections from the output learns gain^-d times
    as fast, which makes up for what weak feedback loses on its way. As the gain goes to 0 the
    direction becomes backprop's, for linear outputs; differences then vanish in float32.
    """

    free_steps: int = 40
    clamped_steps: int = 40
    tolerance: float | None = None  # stop settling when no activity changes more in a step
    symmetric: ClassVar[bool] = True

    def settle(self, brain: Network, sample: Sample, error: Error) -> tuple[Settled, ...]:
        return two_phases(
            brain, sample, error, (self.free_steps, self.clamped_steps), self.tolerance
        )

    def contrast(self, minus: Meeting, plus: Meeting) -> Float[Array, "..."]:
        return plus.pre * plus.post - minus.pre * minus.post

    def scale(self, brain: Network, population: str) -> float:
        return feedback_gains(brain)[0] ** -distances(brain)[population]

    def problem(self, brain: Network) -> str | None:
        gains = feedback_gains(brain)
        if len(gains) > 1:
            return (
                f"needs feedback of one gain, but got {gains}, and could not tell how much is lost "
                "on the way back. Build it with `two_way(network, gain)`."
            )
        return symmetry_problem(brain, {n: self.scale(brain, n) for n in brain.populations})


def two_phases(
    brain: Network,
    sample: Sample,
    error: Error,
    steps: tuple[int, int],
    tolerance: float | None,
) -> tuple[Settled, Settled]:
    """Settle without a teacher, and from there with outputs held where the error is lower."""
    stimulus = sample.stimuli[-1]
    free = settle(brain, stimulus, steps=steps[0], tolerance=tolerance)
    held = split_outputs(brain, free.outputs - slope(error, free.outputs, sample))
    return free, settle(
        brain, stimulus, steps=steps[1], tolerance=tolerance, start=free, clamp=held
    )


def feedback_gains(network: Network) -> list[float]:
    """The gains of mirrored projections, each once; 1 where there are none."""
    gains = {p.wiring.gain for p in network.projections if isinstance(p.wiring, Transposed)}
    return sorted(gains) or [1.0]
