"""A network of gated cells that learn what to keep: the mainstream's memory.

Hochreiter & Schmidhuber (1997), Neural Comput. 9:1735; forget gates, Gers, Schmidhuber & Cummins
(2000), Neural Comput. 12:2451.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock
from .sizes import afford_numbers, require_sizes

Cells = tuple[Float[Array, " cell"], Float[Array, " cell"]]


class LSTM(AbstractBlock[Cells]):
    """Long short-term memory cells, each heard by all, with a linear readout.

    Equations: (i, f, g, o) = W x + U h + b; c = s(f) c + s(i) tanh(g); h = s(o) tanh(c);
    y = V h + d, with the logistic function s. `keep` is the first bias of all forget gates f: at
    rest a cell forgets with a time constant of about exp(keep) steps.
    Units: none; time in steps.
    Raises `ValueError` for a size below 1, `MemoryError` for weights that do not fit.
    Source: Hochreiter & Schmidhuber (1997); forget gates, Gers et al. (2000).
    """

    cells: eqx.nn.LSTMCell
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
        require_sizes(
            "LSTM", "LSTM(2, 16, 1, key=key)", inputs=inputs, cells=cells, outputs=outputs
        )
        afford_numbers(
            4 * cells * (inputs + cells + 1) + outputs * (cells + 1),
            f"The weights of an LSTM of {cells} cells",
            "every cell hears all cells through four gates",
            "Write fewer cells.",
        )
        at_cells, at_readout = jax.random.split(key)
        layer = eqx.nn.LSTMCell(inputs, cells, key=at_cells)
        bias = jnp.zeros(4 * cells).at[cells : 2 * cells].set(keep)  # in the order of equinox
        self.cells = eqx.tree_at(lambda layer: layer.bias, layer, bias)
        self.readout = eqx.nn.Linear(cells, outputs, key=at_readout)

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": self.cells.input_size}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": int(self.readout.out_features)}

    def init(self, *, key: PRNGKeyArray | None = None) -> Cells:
        return jnp.zeros(self.cells.hidden_size), jnp.zeros(self.cells.hidden_size)

    def step(self, state: Cells, inputs: Float[Array, " in"]) -> tuple[Cells, Float[Array, " out"]]:
        state = self.cells(inputs, state)
        return state, self.readout(state[0])
