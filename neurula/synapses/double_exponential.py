"""Channels that open slowly and close more slowly.

Roth & van Rossum (2009), in Computational Modeling Methods for Neuroscientists, ch. 6.
"""

import math

import jax.numpy as jnp

from ..contracts import AbstractSynapse, Activity
from .checks import check_time


class DoubleExponential(AbstractSynapse[None, tuple[Activity, Activity]]):
    """A rise and a fall; the peak after one spike is the weight.

    Equations: g = f (a - b), da/dt = -a / decay, db/dt = -b / rise;  a and b grow by the weight at
    a spike; f makes the peak of one spike 1, which is reached after
    rise decay / (decay - rise) ln(decay / rise). The drive of a step is the mean of g over it.
    Units: times in ms; g and the weight in those of the port. Exact for every dt.
    """

    rise: float = 1.0  # ms
    decay: float = 5.0  # ms

    def __check_init__(self):
        check_time(self, "rise", self.rise)
        check_time(self, "decay", self.decay)
        if not self.rise < self.decay:
            raise ValueError(
                f"DoubleExponential needs rise < decay, but got rise={self.rise} ms and "
                f"decay={self.decay} ms. For an alpha function take a rise that is 1 % shorter "
                f"than the decay: `DoubleExponential({0.99 * self.decay:g}, {self.decay:g})`."
            )

    @property
    def peak(self) -> float:
        """When one spike's g is largest, in ms after it arrived."""
        return self.rise * self.decay / (self.decay - self.rise) * math.log(self.decay / self.rise)

    def init(self, pre: int, post: int) -> tuple[None, tuple[Activity, Activity]]:
        del pre
        return None, (jnp.zeros(post), jnp.zeros(post))

    def send(self, state: None, activity: Activity, *, dt: float) -> tuple[None, Activity]:
        del dt
        return state, activity

    def receive(
        self, state: tuple[Activity, Activity], arriving: Activity, *, dt: float
    ) -> tuple[tuple[Activity, Activity], Activity]:
        height = math.exp(-self.peak / self.decay) - math.exp(-self.peak / self.rise)
        slow, fast = math.exp(-dt / self.decay), math.exp(-dt / self.rise)
        falling, rising = state[0] + arriving, state[1] + arriving
        mean = self.decay * (1 - slow) * falling - self.rise * (1 - fast) * rising
        return (slow * falling, fast * rising), mean / (height * dt)
