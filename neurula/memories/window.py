"""A memory that learns nothing: the last few inputs side by side, read by a feed-forward network.

Waibel, Hanazawa, Hinton, Shikano & Lang (1989), IEEE Trans. Acoust. Speech Signal Process. 37:328.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock
from .sizes import afford_numbers, require_sizes

Line = Float[Array, "length in"]


class Window(AbstractBlock[Line]):
    """A delay line of the last `length` inputs, the newest first, behind one layer of cells.

    Equations: y = V max(0, W (x(t), x(t - 1), ..., x(t - length + 1)) + b) + d. Before the first
    input the line holds zeros; what is older than the line is gone.
    Units: none; time in steps.
    Raises `ValueError` for a size below 1, `MemoryError` for a line or weights that do not fit.
    Source: time-delay networks, Waibel et al. (1989).
    """

    hidden: eqx.nn.Linear
    readout: eqx.nn.Linear
    length: int = eqx.field(static=True)  # steps

    def __init__(
        self, inputs: int, cells: int, outputs: int, *, length: int = 10, key: PRNGKeyArray
    ):
        require_sizes(
            "Window", "Window(2, 16, 1, length=10, key=key)", inputs=inputs, cells=cells,
            outputs=outputs, length=length,
        )  # fmt: skip
        afford_numbers(
            cells * (inputs * length + 1) + outputs * (cells + 1) + inputs * length,
            f"A window of {length} inputs and {cells} cells",
            "every cell hears every input of the window",
            "Write a smaller length.",
        )
        at_hidden, at_readout = jax.random.split(key)
        self.hidden = eqx.nn.Linear(inputs * length, cells, key=at_hidden)
        self.readout = eqx.nn.Linear(cells, outputs, key=at_readout)
        self.length = length

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": int(self.hidden.in_features) // self.length}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": int(self.readout.out_features)}

    def init(self, *, key: PRNGKeyArray | None = None) -> Line:
        return jnp.zeros((self.length, self.inputs["input"]))

    def step(self, state: Line, inputs: Float[Array, " in"]) -> tuple[Line, Float[Array, " out"]]:
        state = jnp.concatenate([inputs[None], state[:-1]])
        return state, self.readout(jax.nn.relu(self.hidden(state.reshape(-1))))
