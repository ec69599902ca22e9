"""A list of connections: any graph, loops included, at a cost that follows their number."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int

from ..contracts import AbstractWiring, Weight


class Sparse(AbstractWiring):
    """Connection `i` runs from cell `source[i]` to cell `target[i]`.

    Weights have the shape (edge,). `alive` is false where a connection was lost.
    """

    source: Int[Array, " edge"]
    target: Int[Array, " edge"]
    post: int = eqx.field(static=True)
    pre: int = eqx.field(static=True)
    alive: Bool[Array, " edge"] | None = None

    def __check_init__(self):
        if self.source.shape != self.target.shape:
            raise ValueError(
                f"A connection has a source and a target, but got {self.source.shape[0]} sources "
                f"and {self.target.shape[0]} targets. Give two arrays of equal length."
            )
        for name, cells, size in (
            ("source", self.source, self.pre),
            ("target", self.target, self.post),
        ):
            # JAX would clip a wrong index without a word. Under `jit` there is nothing to see yet.
            if isinstance(cells, Tracer) or cells.size == 0:
                continue
            first, last = int(np.min(cells)), int(np.max(cells))  # nothing to compile
            if first < 0 or last >= size:
                raise ValueError(
                    f"`{name}` holds cells {first} to {last}, but there are "
                    f"{size}, counted from zero. Make `post` or `pre` larger, or correct the list."
                )

    @property
    def shape(self) -> tuple[int, int]:
        return self.post, self.pre

    @property
    def exists(self) -> Bool[Array, " edge"] | None:
        return self.alive

    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        return jax.ops.segment_sum(weight * activity[self.source], self.target, self.post)

    def ends(
        self, pre: Float[Array, " pre"], post: Float[Array, " post"]
    ) -> tuple[Float[Array, " edge"], Float[Array, " edge"]]:
        return pre[self.source], post[self.target]

    def fill(self, value: Float[Array, ""] | float) -> Weight:
        full = jnp.full(self.source.shape, value, jnp.float32)
        return full if self.alive is None else jnp.where(self.alive, full, 0.0)

    def spread(self, weight: Weight) -> Float[Array, " edge"]:
        return weight

    def keep(self, pre: Bool[Array, " pre"], post: Bool[Array, " post"]) -> "Sparse":
        kept = pre[self.source] & post[self.target]
        kept = kept if self.alive is None else kept & self.alive
        return Sparse(self.source, self.target, self.post, self.pre, kept)
