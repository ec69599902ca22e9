"""Rate cells that accumulate: the network can stare at an input for many steps."""

import math
from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractRateNeuron, Activity
from .rate import Nonlinearity, check_nonlinearity, squash


class Leaky(AbstractRateNeuron[Activity]):
    """A leaky accumulator with a graded output.

    Equations: tau dv/dt = -v + I + b,  a = f(v); v relaxes exactly over a step in which the
    drive I is constant (exponential Euler). At rest v = 0.
    Units: tau and dt in ms; v, I and b have no unit. A tau given as an array is learned.
    Source: Wilson & Cowan (1972), Biophys. J. 12:1, one population; as an accumulator, Usher &
    McClelland (2001), Psychol. Rev. 108:550.
    """

    nonlinearity: Nonlinearity = eqx.field(static=True, default="tanh")
    tau: float | Float[Array, " cell"] = 10.0  # ms
    bias: Float[Array, " cell"] | None = None
    emits: ClassVar[Literal["rates", "spikes"]] = "rates"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    def __check_init__(self):
        check_nonlinearity(self.nonlinearity)
        if isinstance(self.tau, float) and not self.tau > 0:
            raise ValueError(
                f"Leaky needs tau > 0, but got tau={self.tau} ms. With less a cell would forget "
                "before it hears. For a cell without memory use `Rate()`."
            )

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
        if isinstance(self.tau, float):
            stay = math.exp(-dt / self.tau)
        else:  # learning may push tau below zero: such a cell follows its drive at once
            stay = jnp.exp(-dt / jnp.maximum(self.tau, 0.02 * dt))
        potential = stay * state + (1 - stay) * total
        return potential, self.activation(potential)
