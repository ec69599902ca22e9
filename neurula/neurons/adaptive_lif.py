"""Cells that get used to their drive: every spike makes the next one harder.

Bellec, Salaj, Subramoney, Legenstein & Maass (2018), NeurIPS 31:787.
"""

import math
from typing import ClassVar, Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractNeuron, Activity
from .lif import fire


class AdaptiveLIF(AbstractNeuron[tuple[Activity, Activity, Activity]]):
    """Leaky integrate-and-fire with a threshold that rises with every spike.

    Equations: tau dv/dt = -(v - rest) + I + b while not refractory; tau_adaptation da/dt = -a; a
    spike when v > threshold + beta a, then v = reset for `refractory` ms and a grows by 1. Both
    are exact for a drive that is constant over a step; a spike is dated to the end of its step.
    Units: v, I, b and the thresholds in mV, a in spikes, beta in mV per spike; times in ms.
    Source: Bellec et al. (2018), NeurIPS 31:787. Their a is (1 - exp(-dt / tau_adaptation)) / dt
    times this one, so their beta is about tau_adaptation times this one; the default is their 1.8
    over 700 ms, for a threshold of 1 in place of 0.01. Gradients pass spikes by a surrogate and
    reach the adaptation, but not the reset.
    """

    tau: float = 20.0  # ms
    rest: float = 0.0  # mV
    threshold: float = 1.0  # mV, of a cell that was silent for long
    reset: float = 0.0  # mV
    refractory: float = 5.0  # ms
    beta: float = 0.257  # mV per spike
    tau_adaptation: float = 700.0  # ms
    surrogate_slope: float = 10.0  # 1/mV
    bias: Float[Array, " cell"] | None = None
    emits: ClassVar[Literal["rates", "spikes"]] = "spikes"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    def __check_init__(self):
        if not (
            self.tau > 0
            and self.tau_adaptation > 0
            and self.reset < self.threshold
            and self.refractory >= 0
            and self.beta >= 0
        ):
            raise ValueError(
                "AdaptiveLIF needs tau > 0, tau_adaptation > 0, reset below threshold, "
                f"refractory >= 0 and beta >= 0, but got tau={self.tau} ms, tau_adaptation="
                f"{self.tau_adaptation} ms, reset={self.reset} mV, threshold={self.threshold} mV, "
                f"refractory={self.refractory} ms, beta={self.beta} mV. Otherwise a cell never "
                "stops firing. Start from `AdaptiveLIF()` and change one value at a time."
            )

    def init(self, size: int) -> tuple[Activity, Activity, Activity]:
        """The potential at rest, the refractory time that is left, and no adaptation."""
        return jnp.full(size, self.rest, jnp.float32), jnp.zeros(size), jnp.zeros(size)

    def step(
        self,
        state: tuple[Activity, Activity, Activity],
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[tuple[Activity, Activity, Activity], Activity]:
        potential, waiting, adaptation = state
        total = drive[0] if self.bias is None else drive[0] + self.bias
        stay, target = math.exp(-dt / self.tau), self.rest + total
        potential = jnp.where(waiting > 0, self.reset, target + stay * (potential - target))
        adaptation = math.exp(-dt / self.tau_adaptation) * adaptation
        potential, waiting, fired = fire(
            potential,
            waiting,
            self.threshold + self.beta * adaptation,
            reset=self.reset,
            refractory=self.refractory,
            slope=self.surrogate_slope,
            dt=dt,
        )
        return (potential, waiting, adaptation + fired), fired
