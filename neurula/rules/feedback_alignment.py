"""Errors travel back through fixed random weights, and learning aligns with them.

Lillicrap, Cownden, Tweed & Akerman (2016), Nat. Commun. 7:13276.
"""

from typing import Any, ClassVar

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample, Weights
from ..network import Network
from ..response import respond
from .detour import demand_network, draw_feedback, redirect
from .gradient import AbstractGradientRule


class FeedbackAlignment(AbstractGradientRule[Weights | PRNGKeyArray]):
    """On networks of any depth, with loops too. With `redraw` every update has new feedback.

    Redrawn feedback carries no lasting information: it is the sham of this rule. Its state is the
    key of the next draw, otherwise the feedback weights.
    """

    gain: float = 1.0  # of the feedback weights
    redraw: bool = False
    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Any, *, key: PRNGKeyArray) -> Any:
        demand_network(self, brain, lambda net: None)
        return key if self.redraw else draw_feedback(brain, self.gain, key=key)

    def surrogate(
        self,
        state: Any,
        brain: Network,
        sample: Sample,
        error: Error,
        *,
        key: PRNGKeyArray,
    ) -> tuple[Float[Array, ""], None]:
        feedback = draw_feedback(brain, self.gain, key=state) if self.redraw else state
        return error(respond(redirect(brain, feedback), sample.stimuli, key=key), sample), None

    def remember(self, state: Any, notes: None) -> Any:
        return jax.random.fold_in(state, 0) if self.redraw else state
