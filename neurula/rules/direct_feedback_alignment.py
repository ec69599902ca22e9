"""The output error reaches every hidden cell at once, through fixed random weights.

Nokland (2016), NeurIPS 29.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample
from ..network import Network
from .detour import demand_network, sever
from .gradient import AbstractGradientRule
from .messages import send_back

Feedback = dict[str, Float[Array, "_ out"]]  # by hidden population


class DirectFeedbackAlignment(AbstractGradientRule[Feedback]):
    """Between populations no error travels back; in time it does, within each cell's own state."""

    gain: float = 1.0
    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Any, *, key: PRNGKeyArray) -> Feedback:
        demand_network(self, brain, lambda net: None)
        outputs = sum(brain.outputs.values())
        hidden = [name for name in brain.populations if name not in brain.voices]
        sizes = {name: (brain.populations[name].size, outputs) for name in hidden}
        keys = jax.random.split(key, max(len(sizes), 1))
        scale = self.gain / outputs**0.5
        pairs = zip(sizes.items(), keys, strict=False)
        return {name: scale * jax.random.normal(k, size) for (name, size), k in pairs}

    def surrogate(
        self, state: Feedback, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], None]:
        severed = sever(brain)

        def live(cells, now):
            cells, outputs, signals = severed.observe(cells, now)
            return cells, (outputs, {name: signals.activity[name] for name in state})

        once = len(sample.stimuli) == 1  # no loop to compile
        start = brain.init(key=key)
        _, (outputs, activity) = jax.lax.scan(live, start, sample.stimuli, unroll=once)
        value, slope = jax.value_and_grad(error)(outputs, sample)
        # The gradient of `teaching` is the fed-back error times each cell's own slope.
        errors = jax.lax.stop_gradient(slope)
        heard = {p.target for p in brain.projections}  # the others, inputs, have nothing to learn
        pairs = [(activity[name], b) for name, b in state.items() if name in heard]
        teaching = [jnp.sum(active * (send_back(errors) @ b.T)) for active, b in pairs]
        at_output = jnp.sum(outputs * errors)
        zero = jax.lax.stop_gradient(value - at_output - sum(teaching))
        return zero + at_output + sum(teaching), None

    def remember(self, state: Feedback, notes: None) -> Feedback:
        return state
