"""Rate cells of which each has a non-linearity of its own, out of a table.

Stanley (2007), Genet. Program. Evolvable Mach. 8:131, whose pattern-producing networks need it.
"""

from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..contracts import AbstractRateNeuron, Activity
from .rate import Nonlinearity, check_nonlinearity, squash

CPPN: tuple[Nonlinearity, ...] = ("sin", "gaussian", "abs", "identity", "tanh", "sigmoid")


class Heterogeneous(AbstractRateNeuron[None]):
    """A rate cell without memory whose non-linearity is a matter of the cell.

    Equations: a_i = f_i(I_i + b_i), with the drive I, the bias b and f_i = table[choice[i]].
    Units: none; one step is one pass. Every function of the table is computed for every cell, so
    that networks with other choices are one compiled program. Without a `choice` all cells take
    the first function. Source: Stanley (2007).
    """

    table: tuple[Nonlinearity, ...] = eqx.field(static=True, default=CPPN)
    choice: Int[Array, " cell"] | None = None
    bias: Float[Array, " cell"] | None = None
    emits: ClassVar[Literal["rates", "spikes"]] = "rates"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    def __check_init__(self):
        if not self.table:
            raise ValueError(
                "A table of non-linearities holds at least one, but got 0: cells would have "
                'nothing to do. Use for example `Heterogeneous(("sin", "tanh"))`.'
            )
        for kind in self.table:
            check_nonlinearity(kind)

    def init(self, size: int) -> None:
        del size

    def activation(self, potential: Activity) -> Activity:
        answer = squash(self.table[0], potential)
        if self.choice is None:
            return answer
        for index, kind in enumerate(self.table[1:], start=1):
            answer = jnp.where(self.choice == index, squash(kind, potential), answer)
        return answer

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
