"""One cell out of many is on: too few hidden cells must find a code for which.

Ackley, Hinton & Sejnowski (1985), Cogn. Sci. 9:147.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, require


class Encoder(AbstractTask):
    """Patterns with one of `cells` cells on, `copies` of each side by side, to be given back.

    In training every 1 becomes 0 by the chance of `lost` and every 0 becomes 1 by that of `added`
    ("noisy clamping", which keeps the weights of a Boltzmann machine small). All splits have the
    same patterns, and an exam shows each once, without noise. With `cycle` an example is all
    of them, one a step. The error is half the squared
    difference, summed over cells; the score is minus that.
    """

    cells: int = 8
    copies: int = 1
    lost: float = 0.0
    added: float = 0.0
    cycle: bool = False

    def __check_init__(self):
        require(
            self.cells >= 2 and self.copies >= 1,
            f"Encoder expects 2 cells or more and 1 copy or more, got {self.cells}, {self.copies}",
            "One pattern needs no code",
            "Encoder(8) for 8-3-8",
        )
        require(
            0 <= self.lost <= 1 and 0 <= self.added <= 1,
            f"Encoder expects lost and added from 0 to 1, got {self.lost} and {self.added}",
            "They are chances",
            "Encoder(4, copies=2, lost=0.15, added=0.05) as in 1985",
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        steps = self.cells if self.cycle else 1
        return steps, self.cells * self.copies, self.cells * self.copies

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        which, noise = jax.random.split(key)
        if self.cycle:
            pattern = self._patterns[:, 0]
        else:
            pattern = self._patterns[below(self.cells, jax.random.uniform(which))]
        if split == "train" and (self.lost or self.added):
            flips = jnp.where(pattern > 0, self.lost, self.added)
            pattern = jnp.where(
                jax.random.uniform(noise, flips.shape) < flips, 1 - pattern, pattern
            )
        return Sample(pattern, pattern)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        shown = self._patterns[None, :, 0] if self.cycle else self._patterns
        return Sample(shown, shown)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return jnp.sum((outputs - sample.stimuli) ** 2) / 2

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return -self.error(outputs, sample)

    @property
    def _patterns(self) -> Float[Array, "pattern 1 cell"]:
        return jnp.tile(jnp.eye(self.cells), (1, self.copies))[:, None]
