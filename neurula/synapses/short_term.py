"""Synapses that tire and warm up.

Tsodyks & Markram (1997), PNAS 94:719; Tsodyks, Pawelzik & Markram (1998), Neural Comput. 10:821.
"""

import math
from typing import Any

import jax.numpy as jnp

from ..contracts import AbstractSynapse, Activity
from .checks import check_time
from .exponential import Exponential


class ShortTerm(AbstractSynapse[Any, Any]):
    """Short-term plasticity: every spike releases a share u of what is left, x.

    Equations: dx/dt = (1 - x) / recovery, du/dt = -u / facilitation; at a spike
    u <- u + use (1 - u), then u x is released, x <- x - u x. With facilitation 0 u is always
    `use`. Released amounts scale the weight; `then` is what follows at the listening cells.
    Units: times in ms; u and x are shares. Exact between spikes.
    """

    use: float = 0.5  # share released by the first spike
    recovery: float = 800.0  # ms
    facilitation: float = 0.0  # ms; 0: none
    then: AbstractSynapse = Exponential(5.0)

    def __check_init__(self):
        check_time(self, "recovery", self.recovery)
        if not (0 < self.use <= 1 and self.facilitation >= 0):
            raise ValueError(
                "ShortTerm needs 0 < use <= 1 and facilitation >= 0, but got "
                f"use={self.use}, facilitation={self.facilitation} ms. A synapse cannot release "
                "more than all. For a depressing one start from `ShortTerm(0.5, 800.0)`."
            )

    def init(self, pre: int, post: int) -> tuple[Any, Any]:
        sending, receiving = self.then.init(pre, post)
        used = jnp.full(pre, 0.0 if self.facilitation > 0 else self.use, jnp.float32)
        return (jnp.ones(pre), used, sending), receiving

    def send(self, state: Any, activity: Activity, *, dt: float) -> tuple[Any, Activity]:
        left, used, sending = state
        left = 1 - (1 - left) * math.exp(-dt / self.recovery)
        if self.facilitation > 0:
            used = used * math.exp(-dt / self.facilitation)
            used = used + self.use * (1 - used) * activity
        released = used * left * activity
        sending, sent = self.then.send(sending, released, dt=dt)
        return (left - released, used, sending), sent

    def receive(self, state: Any, arriving: Activity, *, dt: float) -> tuple[Any, Activity]:
        return self.then.receive(state, arriving, dt=dt)
