"""Thalamic relay cells: tonic when depolarised, bursting when released from hyperpolarisation.

Smith, Cox, Sherman & Rinzel (2000), J. Neurophysiol. 83:588.
"""

import math
from typing import ClassVar, Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractNeuron, Activity
from .lif import fire


class IFB(AbstractNeuron[tuple[Activity, Activity, Activity]]):
    """Integrate-and-fire-or-burst: a leaky cell with a low-threshold calcium current (I_T).

    Equations: C dv/dt = I + b - g_L (v - E_L) - g_T m h (v - E_T) while not refractory, with m = 1
    if v >= V_h, else 0; dh/dt = -h / tau_inactivation if v >= V_h, else (1 - h) / tau_recovery; a
    spike when v > threshold, then v = reset. Exponential Euler: exact while v stays on one side of
    V_h and h is constant over a step; a spike is dated to the end of its step.
    Units: per membrane area: C in uF/cm^2, g in mS/cm^2, I and b in uA/cm^2; v in mV, times in ms,
    h has none. C / g_L is 57 ms. Source: Smith et al. (2000), J. Neurophysiol. 83:588. With
    calcium = 0 it is a leaky integrate-and-fire cell. The derivative of a spike is a surrogate.
    """

    capacitance: float = 2.0  # uF/cm^2
    leak: float = 0.035  # mS/cm^2, g_L
    rest: float = -65.0  # mV, E_L
    calcium: float = 0.07  # mS/cm^2, g_T
    calcium_reversal: float = 120.0  # mV, E_T
    burst_threshold: float = -60.0  # mV, V_h
    tau_inactivation: float = 20.0  # ms, above V_h
    tau_recovery: float = 100.0  # ms, below V_h
    threshold: float = -35.0  # mV
    reset: float = -50.0  # mV
    refractory: float = 0.0  # ms
    surrogate_slope: float = 1.0  # 1/mV
    bias: Float[Array, " cell"] | None = None  # uA/cm^2
    emits: ClassVar[Literal["rates", "spikes"]] = "spikes"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    def __check_init__(self):
        positive = (self.capacitance, self.leak, self.tau_inactivation, self.tau_recovery)
        if not (
            all(x > 0 for x in positive)
            and self.calcium >= 0
            and self.reset < self.threshold
            and self.refractory >= 0
        ):
            raise ValueError(
                "IFB needs capacitance, leak and both time constants > 0, calcium >= 0, reset "
                f"below threshold and refractory >= 0, but got capacitance={self.capacitance} "
                f"uF/cm^2, leak={self.leak} mS/cm^2, tau_inactivation={self.tau_inactivation} ms, "
                f"tau_recovery={self.tau_recovery} ms, calcium={self.calcium} mS/cm^2, "
                f"reset={self.reset} mV, threshold={self.threshold} mV, refractory="
                f"{self.refractory} ms. Such a membrane has no rest. Start from `IFB()` and change "
                "one value at a time."
            )

    def init(self, size: int) -> tuple[Activity, Activity, Activity]:
        """The potential at rest, h there, and the refractory time that is left."""
        ready = 1.0 if self.rest < self.burst_threshold else 0.0
        full = lambda value: jnp.full(size, value, jnp.float32)  # noqa: E731
        return full(self.rest), full(ready), jnp.zeros(size)

    def step(
        self,
        state: tuple[Activity, Activity, Activity],
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[tuple[Activity, Activity, Activity], Activity]:
        potential, ready, waiting = state
        current = drive[0] if self.bias is None else drive[0] + self.bias
        above = potential >= self.burst_threshold
        calcium = jnp.where(above, self.calcium * ready, 0.0)
        lost, won = math.exp(-dt / self.tau_inactivation), math.exp(-dt / self.tau_recovery)
        ready = jnp.where(above, lost * ready, 1 - won * (1 - ready))
        conductance = self.leak + calcium
        pull = self.leak * self.rest + calcium * self.calcium_reversal
        target = (pull + current) / conductance
        stay = jnp.exp(conductance * (-dt / self.capacitance))
        potential = jnp.where(waiting > 0, self.reset, target + stay * (potential - target))
        potential, waiting, fired = fire(
            potential,
            waiting,
            self.threshold,
            reset=self.reset,
            refractory=self.refractory,
            slope=self.surrogate_slope,
            dt=dt,
        )
        return (potential, ready, waiting), fired
