"""Who fires first decides: spike-timing-dependent plasticity.

Bi & Poo (1998), J. Neurosci. 18:10464; Song, Miller & Abbott (2000), Nat. Neurosci. 3:919.
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractWiring
from .detour import demand_network
from .local import AbstractLocalRule, Synapse
from .refusals import spikeless_problem


class AbstractTimingRule(AbstractLocalRule):
    """Rules that go by the times of spikes."""

    def init(self, brain: Any, *, key: PRNGKeyArray) -> None:
        super().init(brain, key=key)
        demand_network(self, brain, spikeless_problem)


class STDP(AbstractTimingRule):
    """Pairs of spikes, all with all.

    Equations: x, y are traces of the spikes before and after the synapse, dx/dt = -x / tau, and x
    grows by 1 at a spike. At a spike after it dw = potentiation f(w) x; at a spike before it
    dw = -depression g(w) y. With exponent 0 f = g = 1 within the bounds 0 < w < largest (additive);
    with 1 f = 1 - w / largest, g = w / largest (multiplicative); between them powers of these.
    Spikes in one step count as before then after. Units: times in ms, changes in those of w.
    Source: Song, Miller & Abbott (2000), Nat. Neurosci. 3:919; exponents Guetig et al. (2003),
    J. Neurosci. 23:3697.
    """

    potentiation: float = 0.01
    depression: float = 0.0105
    potentiation_time: float = 20.0  # ms
    depression_time: float = 20.0  # ms
    largest: float = 1.0  # weight
    exponent: float = 0.0

    def __check_init__(self):
        if not (self.potentiation_time > 0 and self.depression_time > 0 and self.largest > 0):
            raise ValueError(
                "STDP needs times and a largest weight above 0, but got potentiation_time="
                f"{self.potentiation_time} ms, depression_time={self.depression_time} ms, "
                f"largest={self.largest}. Weights live between 0 and the largest; start from "
                "`STDP()`."
            )

    @property
    def trace_times(self) -> tuple[float, float]:
        return self.potentiation_time, self.depression_time

    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], None]:
        pre, post = synapse.pre, synapse.post
        up, down = room(synapse.weight, self.largest, self.exponent)
        potentiated = self.potentiation * up * post.activity * pre.trace
        earlier = post.trace - post.activity  # without the spike of this step
        return potentiated - self.depression * down * pre.activity * earlier, None

    def edge_memory(self, wiring: AbstractWiring) -> None:
        del wiring


def room(
    weight: Float[Array, "*edge"], largest: float, exponent: float
) -> tuple[Float[Array, "*edge"], Float[Array, "*edge"]]:
    """How strongly a weight can still grow and shrink: 0 at the bounds."""
    share = jnp.clip(weight / largest, 0.0, 1.0)
    if exponent == 0:
        return (share < 1).astype(jnp.float32), (share > 0).astype(jnp.float32)
    return (1 - share) ** exponent, share**exponent
