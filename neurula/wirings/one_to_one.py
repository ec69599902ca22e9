"""Every cell talks to the cell of the same number, and to no other.

Between layers these are the shortcuts of residual networks: He, Zhang, Ren & Sun (2016), CVPR.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..contracts import AbstractWiring, Weight


class OneToOne(AbstractWiring):
    """Weights have the shape (cell,). `alive` is false where a connection was lost."""

    size: int = eqx.field(static=True)
    alive: Bool[Array, " cell"] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.size, self.size

    @property
    def exists(self) -> Bool[Array, " cell"] | None:
        return self.alive

    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        return weight * activity

    def ends(
        self, pre: Float[Array, " pre"], post: Float[Array, " post"]
    ) -> tuple[Float[Array, " cell"], Float[Array, " cell"]]:
        return pre, post

    def fill(self, value: Float[Array, ""] | float) -> Weight:
        full = jnp.full((self.size,), value, jnp.float32)
        return full if self.alive is None else jnp.where(self.alive, full, 0.0)

    def spread(self, weight: Weight) -> Float[Array, " cell"]:
        return weight

    def keep(self, pre: Bool[Array, " pre"], post: Bool[Array, " post"]) -> "OneToOne":
        kept = pre & post if self.alive is None else self.alive & pre & post
        return OneToOne(self.size, kept)
