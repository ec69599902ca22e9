"""Strengthen what drives a cell hard, weaken what drives it a little, by its own average.

Bienenstock, Cooper & Munro (1982), J. Neurosci. 2:32; threshold as in Intrator & Cooper (1992),
Neural Networks 5:3.
"""

import math
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractWiring
from .local import AbstractLocalRule, Synapse


class BCM(AbstractLocalRule):
    """dw = post (post - threshold) pre; the threshold is a running average of post squared.

    The threshold lives as long as a diary does: over one example in `learn`, over a life in
    `Plastic`, which is where selectivity grows.
    """

    tau: float = 1000.0  # ms, of the threshold
    trace_times: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], Float[Array, "*end"]]:
        post, threshold = synapse.post.activity, synapse.memory
        change = post * (post - threshold) * synapse.pre.activity
        stay = math.exp(-synapse.dt / self.tau)
        return change, stay * threshold + (1 - stay) * post**2

    def edge_memory(self, wiring: AbstractWiring) -> Float[Array, "*end"]:
        _, post = wiring.ends(jnp.zeros(wiring.shape[1]), jnp.zeros(wiring.shape[0]))
        return post
