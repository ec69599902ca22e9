"""Rate cells that accumulate: the network can stare at an input for many steps."""

import math
from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractRateNeuron, Activity
from .rate import Nonlinearity, squash


class Leaky(AbstractRateNeuron[Activity]):
    """A leaky accumulator with a graded output.

    Equations: tau dv/dt = -v + I + b,  a = f(v); v relaxes exactly over a step in which the
    drive I is constant (exponential Euler). At rest v = 0.
    Units: tau and dt in ms; v, I and b have no unit. Source: Wilson & Cowan (1972), Biophys. J.
    12:1, one population; as an accumulator, Usher & McClelland (2001), Psychol. Rev. 108:550.
    """

    nonlinearity: Nonlinearity = eqx.field(static=True, default="tanh")
    tau: float | Float[Array, " cell"] = 10.0  # ms
    bias: Float[Array, " cell"] | None = None
    emits: ClassVar[Literal["rates", "spikes"]] = "rates"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    def init(self, size: int) -> Activity:
        return jnp.zeros(size)

    def activation(self, potential: Activity) -> Activity:
        return squash(self.nonlinearity, potential)

    def step(
        self,
        state: Activity,
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[Activity, Activity]:
        total = drive[0] if self.bias is None else drive[0] + self.bias
        stay = math.exp(-dt / self.tau) if isinstance(self.tau, float) else jnp.exp(-dt / self.tau)
        potential = stay * state + (1 - stay) * total
        return potential, self.activation(potential)
