"""Cells that say at once a squashed version of what they hear."""

from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractRateNeuron, Activity

Nonlinearity = Literal[
    "identity", "tanh", "relu", "sigmoid", "softplus", "sign",
    "steep_sigmoid", "step", "sin", "gaussian", "abs", "square", "cos", "inverse",
]  # fmt: skip

_TABLE = {
    "identity": lambda x: x,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "sign": lambda x: jnp.where(x < 0, -1.0, 1.0),
    "steep_sigmoid": lambda x: jax.nn.sigmoid(4.9 * x),  # Stanley & Miikkulainen (2002)
    "step": lambda x: jnp.where(x < 0, 0.0, 1.0),
    "sin": jnp.sin,
    "gaussian": lambda x: jnp.exp(-(x**2)),
    "abs": jnp.abs,
    "square": jnp.square,
    "cos": jnp.cos,
    "inverse": jnp.negative,
}


def squash(kind: Nonlinearity, potential: Activity) -> Activity:
    """The named non-linearity."""
    return _TABLE[kind](potential)


def check_nonlinearity(kind: str) -> None:
    """Refuse a non-linearity that is not known."""
    if kind not in _TABLE:
        raise ValueError(
            f"A non-linearity is one of {', '.join(_TABLE)}, but got {kind!r}. For another one "
            "write a neuron: see docs/add_a_part.md."
        )


class Rate(AbstractRateNeuron[None]):
    """A rate cell without memory.

    Equations: a = f(I + b), with the drive I, the bias b and the non-linearity f.
    Units: none; one step is one pass. Source: McCulloch & Pitts (1943), in its graded form.
    """

    nonlinearity: Nonlinearity = eqx.field(static=True, default="tanh")
    bias: Float[Array, " cell"] | None = None
    emits: ClassVar[Literal["rates", "spikes"]] = "rates"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    def __check_init__(self):
        check_nonlinearity(self.nonlinearity)

    def init(self, size: int) -> None:
        del size

    def activation(self, potential: Activity) -> Activity:
        return squash(self.nonlinearity, potential)

    def step(
        self,
        state: None,
        drive: Float[Array, "port cell"],
        noise: Float[Array, " cell"] | None,
        *,
        dt: float,
    ) -> tuple[None, Activity]:
        potential = drive[0] if self.bias is None else drive[0] + self.bias
        return None, self.activation(potential)
