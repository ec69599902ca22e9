"""A spike opens channels that close at a constant rate.

Brette et al. (2007), J. Comput. Neurosci. 23:349, appendix.
"""

import math

import jax.numpy as jnp

from ..contracts import AbstractSynapse, Activity
from .checks import check_time


class Exponential(AbstractSynapse[None, Activity]):
    """A jump by the weight at every spike, and exponential decay.

    Equations: dg/dt = -g / tau;  g <- g + weight at a spike. The drive of a step is the mean of
    g over it, tau (1 - exp(-dt / tau)) / dt times its value at the start, so that each spike
    brings weight * tau however long a step is.
    Units: tau in ms; g and the weight in those of the port (mV, pA, nS). Exact for every dt.
    """

    tau: float = 5.0  # ms

    def __check_init__(self):
        check_time(self, "tau", self.tau)

    def init(self, pre: int, post: int) -> tuple[None, Activity]:
        del pre
        return None, jnp.zeros(post)

    def send(self, state: None, activity: Activity, *, dt: float) -> tuple[None, Activity]:
        del dt
        return state, activity

    def receive(
        self, state: Activity, arriving: Activity, *, dt: float
    ) -> tuple[Activity, Activity]:
        stay = math.exp(-dt / self.tau)
        open_channels = state + arriving
        return stay * open_channels, self.tau * (1 - stay) / dt * open_channels
