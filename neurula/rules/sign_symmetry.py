"""Errors travel back through the signs of the forward weights.

Liao, Leibo & Poggio (2016), AAAI 30; Xiao, Chen, Liao & Poggio (2019), ICLR.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample
from ..network import Network
from ..response import respond
from .detour import demand_network, redirect
from .gradient import AbstractGradientRule


class SignSymmetry(AbstractGradientRule[None]):
    """The feedback has the forward weights' signs and, everywhere, their mean magnitude."""

    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Any, *, key: PRNGKeyArray) -> None:
        demand_network(self, brain, lambda net: None)

    def surrogate(
        self, state: None, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], None]:
        feedback = {}
        for p in brain.projections:
            weight = jax.lax.stop_gradient(p.weight)
            connections = jnp.maximum(jnp.sum(weight != 0), 1)
            size = jnp.sum(jnp.abs(weight)) / connections.astype(weight.dtype)
            feedback[p.name] = jnp.sign(weight) * size
        outputs = respond(redirect(brain, feedback), sample.stimuli, key=key)
        return error(outputs, sample), None

    def remember(self, state: None, notes: None) -> None:
        del notes
