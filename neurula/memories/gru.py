"""Gated cells with one state and two gates.

Cho et al. (2014), EMNLP:1724 (arXiv:1406.1078).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock
from .sizes import afford_numbers, require_sizes

Cells = Float[Array, " cell"]


class GRU(AbstractBlock[Cells]):
    """Gated recurrent units, each heard by all, with a linear readout.

    Equations: r = s(Wr x + Ur h + br); z = s(Wz x + Uz h + bz);
    n = tanh(Wn x + bn + r (Un h + cn)); h = z h + (1 - z) n; y = V h + d, with the logistic
    function s. `keep` is the first bias of all update gates z: at rest a cell forgets with a time
    constant of about exp(keep) steps. The reset gate acts behind the recurrent weights.
    Units: none; time in steps.
    Raises `ValueError` for a size below 1, `MemoryError` for weights that do not fit.
    Source: Cho et al. (2014).
    """

    cells: eqx.nn.GRUCell
    readout: eqx.nn.Linear

    def __init__(
        self,
        inputs: int,
        cells: int,
        outputs: int,
        *,
        keep: float | Float[Array, ""] = 1.0,
        key: PRNGKeyArray,
    ):
        require_sizes("GRU", "GRU(2, 16, 1, key=key)", inputs=inputs, cells=cells, outputs=outputs)
        afford_numbers(
            3 * cells * (inputs + cells + 1) + cells + outputs * (cells + 1),
            f"The weights of a GRU of {cells} cells",
            "every cell hears all cells three times",
            "Write fewer cells.",
        )
        at_cells, at_readout = jax.random.split(key)
        layer = eqx.nn.GRUCell(inputs, cells, key=at_cells)
        biases = jnp.zeros(3 * cells).at[cells : 2 * cells].set(keep), jnp.zeros(cells)
        self.cells = eqx.tree_at(lambda layer: (layer.bias, layer.bias_n), layer, biases)
        self.readout = eqx.nn.Linear(cells, outputs, key=at_readout)

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": self.cells.input_size}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": int(self.readout.out_features)}

    def init(self, *, key: PRNGKeyArray | None = None) -> Cells:
        return jnp.zeros(self.cells.hidden_size)

    def step(self, state: Cells, inputs: Float[Array, " in"]) -> tuple[Cells, Float[Array, " out"]]:
        state = self.cells(inputs, state)
        return state, self.readout(state)
