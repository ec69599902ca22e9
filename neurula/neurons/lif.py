"""Cells that store potential until they fire, and start again."""

import math
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractNeuron, Activity


@jax.custom_jvp
def spike(above: Activity, slope: float | Float[Array, ""]) -> Activity:
    """1 where a potential is above threshold, with the surrogate derivative 1/(1 + slope|x|)^2.

    Zenke & Ganguli (2018), Neural Comput. 30:1514 (SuperSpike).
    """
    del slope
    return (above > 0).astype(above.dtype)


@spike.defjvp
def _spike_jvp(primals, tangents):
    above, slope = primals
    return spike(above, slope), tangents[0] / (1 + slope * jnp.abs(above)) ** 2


def fire(
    potential: Activity,
    waiting: Activity,
    threshold: float | Activity,
    *,
    reset: float,
    refractory: float,
    slope: float,
    dt: float,
) -> tuple[Activity, Activity, Activity]:
    """Spike, reset and wait: the potential, the refractory time that is left (ms), the spikes.

    The gradient of the reset is left out, as is usual: it makes training less stable.
    """
    fired = spike(potential - threshold, slope)
    # Half a step is taken off so that rounding cannot lengthen the refractory time.
    left = refractory - 0.5 * dt if refractory > 0 else 0.0
    waiting = jnp.where(fired > 0, left, jnp.maximum(waiting - dt, 0.0))
    return jnp.where(fired > 0, reset, potential), waiting, fired


class LIF(AbstractNeuron[tuple[Activity, Activity | None]]):
    """Leaky integrate-and-fire with refractory time.

    Equations: tau dv/dt = -(v - rest) + I + b while not refractory; a spike when v > threshold,
    then v = reset for `refractory` ms. Exact for a drive that is constant over a step
    (exponential Euler); a spike is dated to the end of its step.
    Units: v, I, b and the thresholds in mV (I is a current times a membrane resistance); times
    in ms. Source: Lapicque (1907); Gerstner & Kistler (2002), Spiking Neuron Models, 4.1.
    The derivative of a spike is a surrogate, so that gradients flow.
    """

    tau: float = 20.0  # ms
    rest: float = 0.0  # mV
    threshold: float = 1.0  # mV
    reset: float = 0.0  # mV
    refractory: float = 0.0  # ms
    surrogate_slope: float = 10.0  # 1/mV
    bias: Float[Array, " cell"] | None = None
    emits: ClassVar[Literal["rates", "spikes"]] = "spikes"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    def __check_init__(self):
        if not (self.tau > 0 and self.reset < self.threshold and self.refractory >= 0):
            raise ValueError(
                "LIF needs tau > 0, reset below threshold and refractory >= 0, but got "
                f"tau={self.tau} ms, reset={self.reset} mV, threshold={self.threshold} mV, "
                f"refractory={self.refractory} ms. Otherwise a cell never stops firing. "
                "Start from `LIF()` and change one value at a time."
            )

    def init(self, size: int) -> tuple[Activity, Activity | None]:
        """The potential at rest, and the refractory time that is left (if there is any)."""
        waiting = jnp.zeros(size) if self.refractory > 0 else None
        return jnp.full(size, self.rest, jnp.float32), waiting

    def step(
        self,
        state: tuple[Activity, Activity | None],
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[tuple[Activity, Activity | None], Activity]:
        potential, waiting = state
        total = drive[0] if self.bias is None else drive[0] + self.bias
        stay = math.exp(-dt / self.tau)
        target = self.rest + total
        potential = target + stay * (potential - target)
        if waiting is None:
            fired = spike(potential - self.threshold, self.surrogate_slope)
            return (jnp.where(fired > 0, self.reset, potential), None), fired
        potential, waiting, fired = fire(
            jnp.where(waiting > 0, self.reset, potential),
            waiting,
            self.threshold,
            reset=self.reset,
            refractory=self.refractory,
            slope=self.surrogate_slope,
            dt=dt,
        )
        return (potential, waiting), fired
