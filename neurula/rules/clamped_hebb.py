"""Hebb while a teacher holds the outputs, and nothing that unlearns.

Without the second phase of contrastive Hebb: Movellan (1991), Connectionist Models.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import Error, Sample
from ..network import Network
from .contrastive import AbstractContrastiveRule, Meeting
from .relaxation import Settled, settle, split_outputs


class ClampedHebb(AbstractContrastiveRule):
    """dw = post * pre once the network has settled with its outputs held at the target.

    For networks with feedback (`two_way`). Silence stands for the other phase; weights grow
    without bound.
    """

    free_steps: int = 40
    tolerance: float | None = None  # stop settling when no activity changes more in a step
    symmetric: ClassVar[bool] = True

    def settle(self, brain: Network, sample: Sample, error: Error) -> tuple[Settled, ...]:
        assert sample.target is not None
        stimulus, held = sample.stimuli[-1], split_outputs(brain, sample.target[-1])
        taught = settle(
            brain, stimulus, steps=self.free_steps, tolerance=self.tolerance, clamp=held
        )
        return jax.tree.map(jnp.zeros_like, taught), taught

    def contrast(self, minus: Meeting, plus: Meeting) -> Float[Array, "..."]:
        return plus.pre * plus.post - minus.pre * minus.post

    def scale(self, brain: Network, population: str) -> float:
        return 1.0

    def problem(self, brain: Network) -> str | None:
        return None
