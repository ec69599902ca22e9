"""Two equations that fire in the patterns of cortical and thalamic cells.

Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569.
"""

from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractNeuron, Activity
from .lif import spike

Pattern = Literal[
    "regular spiking",
    "intrinsically bursting",
    "chattering",
    "fast spiking",
    "low-threshold spiking",
    "thalamo-cortical",
    "resonator",
]
_PUBLISHED: dict[str, tuple[float, float, float, float]] = {  # a, b, c, d
    "regular spiking": (0.02, 0.2, -65.0, 8.0),
    "intrinsically bursting": (0.02, 0.2, -55.0, 4.0),
    "chattering": (0.02, 0.2, -50.0, 2.0),
    "fast spiking": (0.1, 0.2, -65.0, 2.0),
    "low-threshold spiking": (0.02, 0.25, -65.0, 2.0),
    "thalamo-cortical": (0.02, 0.25, -65.0, 0.05),
    "resonator": (0.1, 0.26, -65.0, 2.0),
}
_LONGEST = 1.0  # ms: the published step
Parameter = float | Float[Array, " cell"]


class Izhikevich(AbstractNeuron[tuple[Activity, Activity]]):
    """The simple model of a spiking neuron. `Izhikevich.named("chattering")` gives a known pattern.

    Equations: dv/dt = 0.04 v^2 + 5 v + 140 - u + I + bias, du/dt = a (b v - u); a spike when
    v > 30, then v = c and u grows by d. Integrated as published: v by Euler's method in two half
    steps, then u in one step with the new v, and then the reset; a spike is dated to the end of
    its step. The scheme is part of the model: steps of more than 1 ms are refused.
    Units: v in mV, u, I and bias in mV/ms, a in 1/ms, b in 1/ms, c in mV, d in mV/ms, time in ms.
    Source: Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569. The derivative of a spike is a
    surrogate. Parameters given as arrays differ from cell to cell, and are learned.
    """

    a: Parameter = 0.02  # 1/ms, how fast u recovers
    b: Parameter = 0.2  # 1/ms, how strongly u follows v below threshold
    c: Parameter = -65.0  # mV, v after a spike
    d: Parameter = 8.0  # mV/ms, what a spike adds to u
    peak: float = 30.0  # mV
    surrogate_slope: float = 0.1  # 1/mV
    bias: Float[Array, " cell"] | None = None  # mV/ms
    emits: ClassVar[Literal["rates", "spikes"]] = "spikes"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    @classmethod
    def named(cls, pattern: Pattern) -> "Izhikevich":
        """A cell with the published parameters of a firing pattern."""
        if pattern not in _PUBLISHED:
            raise ValueError(
                f"A firing pattern is one of {', '.join(_PUBLISHED)}, but got {pattern!r}. For "
                "other parameters write `Izhikevich(a=0.02, b=0.2, c=-65.0, d=8.0)`."
            )
        return cls(*_PUBLISHED[pattern])

    def __check_init__(self):
        numbers = [x for x in (self.a, self.b, self.c, self.d) if isinstance(x, float)]
        fast = isinstance(self.a, float) and not self.a > 0
        high = isinstance(self.c, float) and not self.c < self.peak
        if fast or high or any(x != x for x in numbers):
            raise ValueError(
                "Izhikevich needs a > 0, c below the peak and no nan, but got "
                f"a={self.a}, b={self.b}, c={self.c} mV, d={self.d}, peak={self.peak} mV. "
                "Otherwise a cell never recovers from a spike. Start from "
                '`Izhikevich.named("regular spiking")`.'
            )

    def init(self, size: int) -> tuple[Activity, Activity]:
        """Rest, as v and u; where there is none, v where it rises most slowly."""
        slope = jnp.asarray(5.0 - self.b, jnp.float32)
        rest = -(slope + jnp.sqrt(jnp.maximum(slope**2 - 4 * 0.04 * 140, 0.0))) / 0.08
        potential = jnp.broadcast_to(rest, (size,))
        return potential, self.b * potential

    def flow(
        self, potential: Activity, recovery: Activity, current: Activity
    ) -> tuple[Activity, Activity]:
        """How fast v and u change, per ms."""
        rise = 0.04 * potential * potential + 5 * potential + 140 - recovery + current
        return rise, self.a * (self.b * potential - recovery)

    def step(
        self,
        state: tuple[Activity, Activity],
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[tuple[Activity, Activity], Activity]:
        if not 0 < dt <= _LONGEST:
            raise ValueError(
                f"Izhikevich cells take steps of at most {_LONGEST:g} ms, but got dt={dt:g} ms. "
                "Beyond the published step their Euler scheme is unstable: a hyperpolarised cell "
                "would swing up and fire. Use `Network(..., dt=0.5)`."
            )
        potential, recovery = state
        current = drive[0] if self.bias is None else drive[0] + self.bias
        for _ in range(2):
            potential = potential + 0.5 * dt * self.flow(potential, recovery, current)[0]
        recovery = recovery + dt * self.flow(potential, recovery, current)[1]
        fired = spike(potential - self.peak, self.surrogate_slope)
        silent = 1 - jax.lax.stop_gradient(fired)  # no gradient through the reset, as in LIF
        potential = silent * potential + (1 - silent) * self.c
        return (potential, recovery + (1 - silent) * self.d), fired
