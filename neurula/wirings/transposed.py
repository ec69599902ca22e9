"""The same connections the other way round: feedback that mirrors a feed-forward wiring."""

import equinox as eqx
from jaxtyping import Array, Bool, Float

from ..contracts import AbstractWiring, Weight


class Transposed(AbstractWiring):
    """Activity runs backwards through `inner`, `gain` times as strong.

    Weights have the layout of `inner`, so that a weight and its mirror image are the same array.
    """

    inner: AbstractWiring
    gain: float = eqx.field(static=True, default=1.0)

    @property
    def shape(self) -> tuple[int, int]:
        return self.inner.shape[::-1]

    @property
    def exists(self) -> Bool[Array, "*edge"] | None:
        return self.inner.exists

    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        return self.gain * self.inner.back(weight, activity)

    def ends(
        self, pre: Float[Array, " pre"], post: Float[Array, " post"]
    ) -> tuple[Float[Array, "*a"], Float[Array, "*b"]]:
        return self.inner.ends(post, pre)[::-1]

    def fill(self, value: Float[Array, ""] | float) -> Weight:
        return self.inner.fill(value)

    def spread(self, weight: Weight) -> Float[Array, "*edge"]:
        return self.gain * self.inner.spread(weight)

    def keep(self, pre: Bool[Array, " pre"], post: Bool[Array, " post"]) -> "Transposed":
        return Transposed(self.inner.keep(post, pre), self.gain)
