"""Cells that are on or off by chance, the more often the more they are driven."""

from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractNeuron, Activity


class Binary(AbstractNeuron[None]):
    """A stochastic binary cell.

    Equations: P(a = 1) = 1 / (1 + exp(-(I + b) / T)), drawn anew at every step.
    Units: none. Source: Ackley, Hinton & Sejnowski (1985), Cogn. Sci. 9:147.
    """

    temperature: float = 1.0
    bias: Float[Array, " cell"] | None = None
    emits: ClassVar[Literal["rates", "spikes"]] = "rates"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = True

    def init(self, size: int) -> None:
        del size

    def probability(self, drive: Activity) -> Activity:
        """How likely a cell is on, given its drive."""
        total = drive if self.bias is None else drive + self.bias
        return jax.nn.sigmoid(total / self.temperature)

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
                "Binary cells need chance: `noise` is None. Give the network a key when it "
                "starts: `network.init(key=jax.random.key(0))`."
            )
        return None, (noise < self.probability(drive[0])).astype(jnp.float32)
