"""Feedback weights that learn to mirror the forward ones from noise.

Akrout, Wilson, Humphreys, Lillicrap & Tweed (2019), NeurIPS 32.
"""

from typing import ClassVar

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample, Weights
from ..network import Network, respond
from .detour import demand_network, draw_feedback, redirect
from .gradient import AbstractGradientRule


class WeightMirror(AbstractGradientRule[Weights]):
    """After every batch each projection is played noise, and its feedback learns by Hebb.

    Expected change of the feedback B: rate * W - decay * B, so it settles at W * rate / decay.
    Only the noise sent and the drive that it causes are used: both are found at the synapse.
    """

    rate: float = 0.05
    decay: float = 0.05
    gain: float = 1.0  # of the first, random feedback weights
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
    ) -> tuple[Float[Array, ""], Weights]:
        cells, mirror = jax.random.split(key)
        outputs = respond(redirect(brain, state), sample.stimuli, key=cells)
        return error(outputs, sample), _mirror(brain, key=mirror)

    def remember(self, state: Weights, notes: Weights) -> Weights:
        return {k: (1 - self.decay) * b + self.rate * notes[k] for k, b in state.items()}


def _mirror(network: Network, *, key: PRNGKeyArray) -> Weights:
    """Noise times the drive that it causes, at every connection: its mean is the weight."""
    changes = {}
    for i, p in enumerate(network.projections):
        weight = jax.lax.stop_gradient(p.weight)
        noise = jax.random.normal(jax.random.fold_in(key, i), (p.wiring.shape[1],))
        sent, heard = p.wiring.ends(noise, p.wiring.drive(weight, noise))
        changes[p.name] = jax.linear_transpose(p.wiring.spread, weight)(sent * heard)[0]
    return changes
