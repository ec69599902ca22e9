"""Hebb with a leak that keeps weights at unit length. Oja (1982), J. Math. Biol. 15:267."""

from typing import ClassVar

from jaxtyping import Array, Float

from ..contracts import AbstractWiring
from .local import AbstractLocalRule, Synapse


class Oja(AbstractLocalRule):
    """dw = post * (pre - post * w). A linear cell settles on the first principal component."""

    trace_times: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], None]:
        post = synapse.post.activity
        return post * (synapse.pre.activity - post * synapse.weight), None

    def edge_memory(self, wiring: AbstractWiring) -> None:
        del wiring
