"""Cells that fire at random at a given rate: input from the rest of the brain."""

from typing import ClassVar, Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractNeuron, Activity


class Poisson(AbstractNeuron[None]):
    """A Poisson process whose rate is its drive.

    Equations: P(spike in a step) = 1 - exp(-I dt / 1000), the chance of one or more events; so at
    most one spike a step. A rate below zero counts as zero.
    Units: I in Hz, dt in ms. Source: Gerstner & Kistler (2002), Spiking Neuron Models, 5.2.
    No gradient passes: nothing is learned through chance.
    """

    emits: ClassVar[Literal["rates", "spikes"]] = "spikes"
    ports: ClassVar[tuple[str, ...]] = ("rate",)
    noisy: ClassVar[bool] = True

    def init(self, size: int) -> None:
        del size

    def probability(self, rate: Activity, *, dt: float) -> Activity:
        """How likely a cell is to fire within `dt` ms, given its rate in Hz."""
        return -jnp.expm1(rate * (-dt / 1000))

    def step(
        self,
        state: None,
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[None, Activity]:
        if noise is None:
            raise ValueError(
                "Poisson cells need chance: `noise` is None. Give the network a key when it "
                "starts: `network.init(key=jax.random.key(0))`."
            )
        return None, (noise < self.probability(drive[0], dt=dt)).astype(jnp.float32)
