"""Stored potential that leaks away: a memory with learned time constants and without gates.

Leaky integrators: Jaeger, Lukosevicius, Popovici & Siewert (2007), Neural Netw. 20:335.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock
from .sizes import afford_numbers, require_sizes

Cells = Float[Array, " cell"]


class LeakyStore(AbstractBlock[Cells]):
    """Cells that add up what they hear and leak it at a rate of their own, with a linear readout.

    Equations: s = exp(-1 / tau) s + tanh(W x + U s + b); y = V s + d. Without `loops` there is no
    U, and what a pulse leaves behind is exp(-t / tau). Time constants are learned; at first they
    lie between 1 and `slowest` steps, evenly on a logarithmic scale. Nothing that is heard changes
    how long a cell keeps what it has: that is what gates would do.
    Units: tau in steps.
    Raises `ValueError` for a size below 1, `MemoryError` for weights that do not fit.
    Source: Jaeger et al. (2007).
    """

    enter: eqx.nn.Linear
    log_tau: Float[Array, " cell"]  # natural logarithm of time constants in steps
    loops: Float[Array, "cell cell"] | None
    readout: eqx.nn.Linear

    def __init__(
        self,
        inputs: int,
        cells: int,
        outputs: int,
        *,
        slowest: float | Float[Array, ""] = 100.0,
        loops: bool = False,
        gain: float | Float[Array, ""] = 0.1,
        key: PRNGKeyArray,
    ):
        """`gain` scales the first weights U: normal, with standard deviation gain / sqrt(cells).

        A store multiplies what it hears by about tau, hence a gain that is small.
        """
        require_sizes(
            "LeakyStore", "LeakyStore(2, 16, 1, key=key)", inputs=inputs, cells=cells,
            outputs=outputs,
        )  # fmt: skip
        afford_numbers(
            cells * (inputs + 2 + (cells if loops else 0)) + outputs * (cells + 1),
            f"The weights of a leaky store of {cells} cells",
            "every cell hears all cells" if loops else "every cell hears all inputs",
            "Write fewer cells.",
        )
        at_enter, at_loops, at_readout = jax.random.split(key, 3)
        layer = eqx.nn.Linear(inputs, cells, key=at_enter)
        self.enter = eqx.tree_at(lambda layer: layer.bias, layer, jnp.zeros(cells))
        self.log_tau = jnp.linspace(0.0, 1.0, cells) * jnp.log(slowest)
        scale = gain / jnp.sqrt(cells)
        self.loops = scale * jax.random.normal(at_loops, (cells, cells)) if loops else None
        self.readout = eqx.nn.Linear(cells, outputs, key=at_readout)

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": int(self.enter.in_features)}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": int(self.readout.out_features)}

    def init(self, *, key: PRNGKeyArray | None = None) -> Cells:
        return jnp.zeros(self.log_tau.shape)

    def step(self, state: Cells, inputs: Float[Array, " in"]) -> tuple[Cells, Float[Array, " out"]]:
        drive = self.enter(inputs)
        if self.loops is not None:
            drive = drive + self.loops @ state
        state = jnp.exp(-jnp.exp(-self.log_tau)) * state + jnp.tanh(drive)
        return state, self.readout(state)
