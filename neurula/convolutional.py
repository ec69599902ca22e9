"""The smallest convolutional network: filters that look everywhere, the best place, a readout.

LeCun et al. (1998), Proc. IEEE 86:2278; the maximum over places, Riesenhuber & Poggio (1999), Nat.
Neurosci. 2:1019.
"""

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .contracts import AbstractBlock

if TYPE_CHECKING:  # otherwise static checkers take these for constructor arguments
    from typing import ClassVar as AbstractVar
else:
    from equinox import AbstractVar


class AbstractPictureBlock(AbstractBlock[None]):
    """No memory: square pictures of `side` pixels in, answers by a readout."""

    side: AbstractVar[int]
    readout: AbstractVar[eqx.nn.Linear]

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": self.side**2}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": int(self.readout.out_features)}

    def init(self, *, key: PRNGKeyArray | None = None) -> None:
        del key


class Convolutional(AbstractPictureBlock):
    """y = V max_places(max(W x_place + b, 0)) + d for square pictures of `side` pixels.

    Filters W are `size` pixels wide and look at every place where they fit. They begin as noise of
    variance gain^2 / pixels; with a low gain little of it is left after learning.
    """

    side: int = eqx.field(static=True)
    filters: Float[Array, "filter pixel"]
    bias: Float[Array, " filter"]
    readout: eqx.nn.Linear

    def __init__(
        self,
        side: int,
        size: int,
        filters: int,
        outputs: int,
        *,
        gain: float = 1.0,
        key: PRNGKeyArray,
    ):
        if not 1 <= size <= side:
            raise ValueError(
                f"Expected filters of 1 to {side} pixels for pictures {side} pixels wide, but got "
                f"{size}: they fit nowhere. Give `Convolutional(side={side}, size={side}, ...)` or "
                "less."
            )
        at_filters, at_readout = jax.random.split(key)
        self.side = side
        self.filters = jax.random.normal(at_filters, (filters, size**2)) * gain / size
        self.bias = jnp.zeros(filters)
        self.readout = eqx.nn.Linear(filters, outputs, key=at_readout)

    def step(self, state: None, inputs: Float[Array, " in"]) -> tuple[None, Float[Array, " out"]]:
        return None, self.readout(self.found(inputs))

    def found(self, inputs: Float[Array, " in"]) -> Float[Array, " filter"]:
        """How well each filter fits the picture at its best place: what the readout hears."""
        size = round(self.filters.shape[1] ** 0.5)
        pixels = np.arange(self.side**2).reshape(self.side, self.side)
        places = np.lib.stride_tricks.sliding_window_view(pixels, (size, size)).reshape(-1, size**2)
        fits = inputs[places] @ self.filters.T
        return jnp.maximum(jnp.max(fits, axis=0) + self.bias, 0.0)
