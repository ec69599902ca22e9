"""Recurrent cells without gates: what they keep, their weights must keep turning round.

Elman (1990), Cogn. Sci. 14:179; rectified cells that start as an identity, Le, Jaitly & Hinton
(2015), arXiv:1504.00941; orthogonal ones, Saxe, McClelland & Ganguli (2014), arXiv:1312.6120.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock
from .sizes import afford_numbers, require_sizes

Cells = Float[Array, " cell"]
Start = Literal["random", "orthogonal", "identity"]


class Elman(AbstractBlock[Cells]):
    """Cells that all hear each other a step later, with a linear readout.

    Equations: h = f(W x + U h + b); y = V h + d, with f = tanh or max(0, .). The recurrent weights
    U start as `gain` times a matrix with normal entries of variance 1 / cells ("random"), a random
    rotation ("orthogonal"), or the identity; W starts uniform within +-`enter` / sqrt(inputs).
    Units: none; time in steps.
    Raises `ValueError` for a size below 1, `MemoryError` for weights that do not fit.
    Source: Elman (1990); `start="identity", activation="relu"`: Le et al. (2015), who let W start
    much smaller (normal, 0.001).
    """

    enter: eqx.nn.Linear
    loops: Float[Array, "cell cell"]
    readout: eqx.nn.Linear
    activation: Literal["tanh", "relu"] = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        cells: int,
        outputs: int,
        *,
        activation: Literal["tanh", "relu"] = "tanh",
        start: Start = "random",
        gain: float | Float[Array, ""] = 1.0,
        enter: float | Float[Array, ""] = 1.0,
        key: PRNGKeyArray,
    ):
        require_sizes(
            "Elman", "Elman(2, 16, 1, key=key)", inputs=inputs, cells=cells, outputs=outputs
        )
        afford_numbers(
            cells * (inputs + cells + 1) + outputs * (cells + 1),
            f"The weights of an Elman network of {cells} cells",
            "every cell hears all cells",
            "Write fewer cells.",
        )
        at_enter, at_loops, at_readout = jax.random.split(key, 3)
        layer = eqx.nn.Linear(inputs, cells, key=at_enter)
        first = enter * layer.weight, jnp.zeros(cells)
        self.enter = eqx.tree_at(lambda layer: (layer.weight, layer.bias), layer, first)
        self.loops = gain * _first_loops(start, cells, at_loops)
        self.readout = eqx.nn.Linear(cells, outputs, key=at_readout)
        self.activation = activation

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": int(self.enter.in_features)}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": int(self.readout.out_features)}

    def init(self, *, key: PRNGKeyArray | None = None) -> Cells:
        return jnp.zeros(self.loops.shape[0])

    def step(self, state: Cells, inputs: Float[Array, " in"]) -> tuple[Cells, Float[Array, " out"]]:
        drive = self.enter(inputs) + self.loops @ state
        state = jnp.tanh(drive) if self.activation == "tanh" else jax.nn.relu(drive)
        return state, self.readout(state)


def _first_loops(start: Start, cells: int, key: PRNGKeyArray) -> Float[Array, "cell cell"]:
    if start == "identity":
        return jnp.eye(cells)
    if start == "orthogonal":
        return jax.random.orthogonal(key, cells)
    return jax.random.normal(key, (cells, cells)) / jnp.sqrt(cells)
