"""Feedback weights that learn to mirror the forward ones from noise.

Akrout, Wilson, Humphreys, Lillicrap & Tweed (2019), NeurIPS 32.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample, Weight, Weights
from ..network import Network, Projection
from ..response import respond
from .detour import demand_network, draw_feedback, redirect
from .gradient import AbstractGradientRule


class Mirror(eqx.Module):
    """The feedback weights by projection, and the source of the next noise."""

    feedback: Weights
    key: PRNGKeyArray


class WeightMirror(AbstractGradientRule[Mirror]):
    """With every update each projection is played noise, and its feedback learns by Hebb.

    Expected change of the feedback B: rate * W - decay * B, so it settles at W * rate / decay.
    Only the noise sent and the drive that it causes are used: both are found at the synapse.
    """

    rate: float = 0.05
    decay: float = 0.05
    gain: float = 1.0  # of the first, random feedback weights
    patterns: int = 32  # of noise, with every update
    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Any, *, key: PRNGKeyArray) -> Mirror:
        demand_network(self, brain, lambda net: None)
        to_feedback, to_noise = jax.random.split(key)
        return Mirror(draw_feedback(brain, self.gain, key=to_feedback), to_noise)

    def surrogate(
        self, state: Mirror, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Weights]:
        outputs = respond(redirect(brain, state.feedback), sample.stimuli, key=key)
        keys = jax.random.split(state.key, len(brain.projections))
        pairs = zip(brain.projections, keys, strict=True)
        return error(outputs, sample), {p.name: mirror(p, self.patterns, key=k) for p, k in pairs}

    def remember(self, state: Mirror, notes: Weights) -> Mirror:
        feedback = {
            name: (1 - self.decay) * b + self.rate * notes[name]
            for name, b in state.feedback.items()
        }
        return Mirror(feedback, jax.random.fold_in(state.key, 0))


def mirror(projection: Projection, patterns: int, *, key: PRNGKeyArray) -> Weight:
    """Noise times the drive that it causes, at every connection: its expectation is the weight.

    Written as the gradient of half the squared drive, which is the same (see `oja-gradient`) and
    needs no number per pattern and connection. The noise is +1 or -1; shared weights take the mean
    over the connections that share them.
    """
    wiring, weight = projection.wiring, jax.lax.stop_gradient(projection.weight)
    noise = jax.random.rademacher(key, (patterns, wiring.shape[1]), jnp.float32)

    def half_square(weight: Weight) -> Float[Array, ""]:
        heard = jax.vmap(lambda sent: wiring.drive(weight, sent))(noise)
        return 0.5 * jnp.sum(heard**2) / patterns

    sharing = jax.linear_transpose(wiring.spread, weight)(wiring.spread(wiring.fill(1.0)))[0]
    change = jax.grad(half_square)(weight) / jnp.maximum(sharing, 1.0)
    return jnp.where(sharing > 0, change, 0.0)  # nothing where no connection exists
