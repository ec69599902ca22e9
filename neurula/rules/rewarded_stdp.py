"""Spike timing marks a synapse, and a reward that comes later makes the mark a change.

Izhikevich (2007), Cereb. Cortex 17:2443; Fremaux & Gerstner (2016), Front. Neural Circuits 9:85.
"""

import math
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractWiring
from .local import Synapse
from .stdp import STDP, AbstractTimingRule


class RewardedSTDP(AbstractTimingRule):
    """The three-factor rule: STDP fills an eligibility trace, reward moves the weight along it.

    Equations: de/dt = -e / eligibility_time, e grows by what `timing` would change; dw = reward e,
    for every step. Units: times in ms. Source: Izhikevich (2007), Cereb. Cortex 17:2443.
    """

    timing: STDP = STDP()
    eligibility_time: float = 1000.0  # ms
    needs: ClassVar[frozenset[str]] = frozenset({"reward"})

    @property
    def trace_times(self) -> tuple[float, float]:
        return self.timing.trace_times

    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], Float[Array, "*edge"]]:
        marked, _ = self.timing.change(synapse)
        eligibility = math.exp(-synapse.dt / self.eligibility_time) * synapse.memory + marked
        if synapse.third is None:
            raise ValueError(
                "RewardedSTDP needs a reward, but hears none. Give samples a `reward`, or live "
                "with `Plastic(network, rule, rewarded=True)`."
            )
        return synapse.third * eligibility, eligibility

    def edge_memory(self, wiring: AbstractWiring) -> Float[Array, "*edge"]:
        return jnp.zeros(wiring.spread(wiring.fill(0.0)).shape)
