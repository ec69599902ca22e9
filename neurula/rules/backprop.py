"""Follow the gradient of the error, through layers, loops and time.

Rumelhart, Hinton & Williams (1986), Nature 323:533; through time, Werbos (1990), Proc. IEEE
78:1550.
"""

from typing import ClassVar

from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock, Error, Sample
from ..response import respond
from .gradient import AbstractGradientRule


class Backprop(AbstractGradientRule[None]):
    """Works on any block; spiking cells pass gradients by their surrogate derivative."""

    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: AbstractBlock, *, key: PRNGKeyArray) -> None:
        del brain, key

    def surrogate(
        self, state: None, brain: AbstractBlock, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], None]:
        return error(respond(brain, sample.stimuli, key=key), sample), None

    def remember(self, state: None, notes: None) -> None:
        del notes
