"""Cells whose synapses open conductances: the same input weighs less the nearer its reversal.

Brette et al. (2007), J. Comput. Neurosci. 23:349, benchmark 1 (COBA).
"""

from typing import ClassVar, Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractNeuron, Activity
from .lif import fire


class ConductanceLIF(AbstractNeuron[tuple[Activity, Activity]]):
    """Leaky integrate-and-fire driven by conductances.

    Equations: C dv/dt = g_L (E_L - v) + g_e (E_e - v) + g_i (E_i - v) + I + b while not
    refractory; a spike when v > threshold, then v = reset for `refractory` ms. Exact for input
    that is constant over a step (exponential Euler); a spike is dated to the end of its step.
    Units: conductances in nS, C in pF, I and b in pA, potentials in mV, times in ms; C / g_L is
    the membrane's time constant, 20 ms. Stimuli are currents, the first port. Conductances are
    positive at both other ports, for what inhibits is the reversal potential; negative ones count
    as zero. Source: Brette et al. (2007), J. Comput. Neurosci. 23:349; the defaults are those of
    its benchmark 1. The derivative of a spike is a surrogate.
    """

    capacitance: float = 200.0  # pF
    leak: float = 10.0  # nS
    rest: float = -60.0  # mV, the reversal potential of the leak
    excitatory_reversal: float = 0.0  # mV
    inhibitory_reversal: float = -80.0  # mV
    threshold: float = -50.0  # mV
    reset: float = -60.0  # mV
    refractory: float = 5.0  # ms
    surrogate_slope: float = 1.0  # 1/mV
    bias: Float[Array, " cell"] | None = None  # pA
    emits: ClassVar[Literal["rates", "spikes"]] = "spikes"
    ports: ClassVar[tuple[str, ...]] = ("current", "excitatory", "inhibitory")
    noisy: ClassVar[bool] = False

    def __check_init__(self):
        if not (
            self.capacitance > 0
            and self.leak > 0
            and self.reset < self.threshold
            and self.refractory >= 0
            and self.inhibitory_reversal < self.excitatory_reversal
        ):
            raise ValueError(
                "ConductanceLIF needs capacitance > 0, leak > 0, reset below threshold, "
                "refractory >= 0 and an inhibitory reversal below the excitatory one, but got "
                f"capacitance={self.capacitance} pF, leak={self.leak} nS, reset={self.reset} mV, "
                f"threshold={self.threshold} mV, refractory={self.refractory} ms, reversals "
                f"{self.inhibitory_reversal} and {self.excitatory_reversal} mV. Such a membrane "
                "has no rest. Start from `ConductanceLIF()` and change one value at a time."
            )

    def init(self, size: int) -> tuple[Activity, Activity]:
        """The potential at rest, and the refractory time that is left."""
        return jnp.full(size, self.rest, jnp.float32), jnp.zeros(size)

    def step(
        self,
        state: tuple[Activity, Activity],
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[tuple[Activity, Activity], Activity]:
        potential, waiting = state
        current = drive[0] if self.bias is None else drive[0] + self.bias
        excitation, inhibition = jnp.maximum(drive[1], 0.0), jnp.maximum(drive[2], 0.0)
        conductance = self.leak + excitation + inhibition
        pull = self.excitatory_reversal * excitation + self.inhibitory_reversal * inhibition
        target = (self.leak * self.rest + pull + current) / conductance
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
        return (potential, waiting), fired
