"""A matrix of connections, with holes where there are none: fast in batches."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..contracts import AbstractWiring, Weight


class Dense(AbstractWiring):
    """Everyone talks to everyone, or whoever `mask` allows. Rows listen, columns speak.

    Weights have the shape (post, pre).
    """

    post: int = eqx.field(static=True)
    pre: int = eqx.field(static=True)
    mask: Bool[Array, "post pre"] | None = None

    def __check_init__(self):
        if self.mask is not None and self.mask.shape != (self.post, self.pre):
            raise ValueError(
                f"Dense(post={self.post}, pre={self.pre}) needs a mask of shape "
                f"{(self.post, self.pre)}, but got {self.mask.shape}. Rows are the cells that "
                "listen, columns those that speak: try `mask.T`."
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.post, self.pre

    @property
    def exists(self) -> Bool[Array, "post pre"] | None:
        return self.mask

    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        return activity @ weight.T

    def ends(
        self, pre: Float[Array, " pre"], post: Float[Array, " post"]
    ) -> tuple[Float[Array, "1 pre"], Float[Array, "post 1"]]:
        return pre[None, :], post[:, None]

    def fill(self, value: Float[Array, ""] | float) -> Weight:
        full = jnp.full(self.shape, value, jnp.float32)
        return full if self.mask is None else jnp.where(self.mask, full, 0.0)

    def spread(self, weight: Weight) -> Float[Array, "post pre"]:
        return weight

    def keep(self, pre: Bool[Array, " pre"], post: Bool[Array, " post"]) -> "Dense":
        kept = post[:, None] & pre[None, :]
        return Dense(self.post, self.pre, kept if self.mask is None else kept & self.mask)
