"""Look back at all that was kept, and pick what fits: the mainstream's memory without a state.

Vaswani et al. (2017), NeurIPS 30:5998.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..contracts import AbstractBlock
from .sizes import afford_numbers, require_sizes


class Kept(eqx.Module):
    """Keys and values of the last steps, and how many steps there were."""

    keys: Float[Array, "capacity cell"]
    values: Float[Array, "capacity cell"]
    steps: Int[Array, ""]


class SelfAttention(AbstractBlock[Kept]):
    """One layer of causal self-attention over the last `capacity` steps, and a feed-forward layer.

    Equations: e(t) = E x(t) + p(t); q, k, v = Q e, K e, V e, each split into `heads` equal parts;
    in every head a(s) = softmax over s of q(t) k(s) / sqrt(cells / heads), for t - capacity < s
    <= t; h = e + O sum of a(s) v(s); y = R (h + B max(0, A h + a) + b) + d. The code p of the time
    t has cells / 2 pairs sin(w t), cos(w t), with w from 1 to 1/10000, and no parameters.
    A memory that is full drops the oldest step, without a trace.
    Units: time in steps.
    Raises `ValueError` for sizes that do not fit, `MemoryError` for a memory that does not fit.
    Source: Vaswani et al. (2017), without normalisation of layers.
    """

    embed: eqx.nn.Linear
    ask: eqx.nn.Linear  # Q, K and V in one
    gather: eqx.nn.Linear
    widen: eqx.nn.Linear
    narrow: eqx.nn.Linear
    readout: eqx.nn.Linear
    capacity: int = eqx.field(static=True)  # steps
    heads: int = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        cells: int,
        outputs: int,
        *,
        capacity: int = 64,
        heads: int = 2,
        key: PRNGKeyArray,
    ):
        require_sizes(
            "SelfAttention", "SelfAttention(2, 16, 1, capacity=64, key=key)", inputs=inputs,
            cells=cells, outputs=outputs, capacity=capacity, heads=heads,
        )  # fmt: skip
        if cells % (2 * heads):
            raise ValueError(
                f"SelfAttention expects an even number of cells for each of its {heads} heads, got "
                f"{cells} cells. Heads share them out equally, and the code of time takes pairs. "
                f"Write cells={2 * heads * (cells // (2 * heads) + 1)}, or fewer heads."
            )
        afford_numbers(
            2 * capacity * cells + cells * (inputs + 8 * cells + outputs + 5) + outputs,
            f"A memory of {capacity} steps in {cells} cells",
            "it keeps a key and a value of every step",
            "Write a smaller capacity.",
        )
        keys = jax.random.split(key, 6)
        self.embed = eqx.nn.Linear(inputs, cells, key=keys[0])
        self.ask = eqx.nn.Linear(cells, 3 * cells, use_bias=False, key=keys[1])
        self.gather = eqx.nn.Linear(cells, cells, use_bias=False, key=keys[2])
        self.widen = eqx.nn.Linear(cells, 2 * cells, key=keys[3])
        self.narrow = eqx.nn.Linear(2 * cells, cells, key=keys[4])
        self.readout = eqx.nn.Linear(cells, outputs, key=keys[5])
        self.capacity, self.heads = capacity, heads

    @property
    def inputs(self) -> dict[str, int]:
        return {"input": int(self.embed.in_features)}

    @property
    def outputs(self) -> dict[str, int]:
        return {"output": int(self.readout.out_features)}

    def init(self, *, key: PRNGKeyArray | None = None) -> Kept:
        nothing = jnp.zeros((self.capacity, int(self.readout.in_features)))
        return Kept(nothing, nothing, jnp.zeros((), jnp.int32))

    def step(self, state: Kept, inputs: Float[Array, " in"]) -> tuple[Kept, Float[Array, " out"]]:
        cells = int(self.readout.in_features)
        here = self.embed(inputs) + code_of_time(state.steps, cells)
        query, key, value = jnp.split(self.ask(here), 3)
        place = state.steps % self.capacity  # of the oldest, once all places are taken
        keys, values = state.keys.at[place].set(key), state.values.at[place].set(value)
        apart = self.heads, cells // self.heads
        query, by_head = query.reshape(apart), keys.reshape(self.capacity, *apart)
        fit = jnp.einsum("hc,shc->hs", query, by_head) / jnp.sqrt(apart[1])
        taken = jnp.arange(self.capacity) <= state.steps
        look = jax.nn.softmax(jnp.where(taken[None], fit, -jnp.inf), axis=-1)
        seen = jnp.einsum("hs,shc->hc", look, values.reshape(self.capacity, *apart))
        here = here + self.gather(seen.reshape(-1))
        here = here + self.narrow(jax.nn.relu(self.widen(here)))
        return Kept(keys, values, state.steps + 1), self.readout(here)


def code_of_time(step: Int[Array, ""], cells: int) -> Float[Array, " cell"]:
    """Sines, then cosines, of the time at frequencies from 1 to 1/10000 per step.

    Source: Vaswani et al. (2017), section 3.5.
    """
    pairs = cells // 2
    frequencies = jnp.exp(-jnp.linspace(0.0, jnp.log(10_000.0), pairs))
    phase = step.astype(jnp.float32) * frequencies
    return jnp.concatenate([jnp.sin(phase), jnp.cos(phase)])
