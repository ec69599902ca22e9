"""Errors travel back through fixed random weights, and learning aligns with them.

Lillicrap, Cownden, Tweed & Akerman (2016), Nat. Commun. 7:13276.
"""

from typing import ClassVar

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample, Weights
from ..network import Network, respond
from .detour import demand_network, draw_feedback, redirect
from .gradient import AbstractGradientRule


class FeedbackAlignment(AbstractGradientRule[Weights]):
    """On networks of any depth, with loops too. `redraw` draws new feedback for every example.

    Redrawn feedback carries no lasting information: it is the sham of this rule.
    """

    gain: float = 1.0  # of the feedback weights
    redraw: bool = False
    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Network, *, key: PRNGKeyArray) -> Weights:
        demand_network(self, brain, lambda net: None)
        return draw_feedback(brain, self.gain, key=key)

    def surrogate(
        self,
        state: Weights,
        brain: Network,
        sample: Sample,
        error: Error,
        *,
        key: PRNGKeyArray,
    ) -> tuple[Float[Array, ""], None]:
        cells, feedback = jax.random.split(key)
        state = draw_feedback(brain, self.gain, key=feedback) if self.redraw else state
        outputs = respond(redirect(brain, state), sample.stimuli, key=cells)
        return error(outputs, sample), None

    def remember(self, state: Weights, notes: None) -> Weights:
        return state
