"""Fire together, wire together. Hebb (1949), The Organization of Behavior."""

from typing import ClassVar

from jaxtyping import Array, Float

from ..contracts import AbstractWiring
from .local import AbstractLocalRule, Synapse


class Hebb(AbstractLocalRule):
    """dw = post * pre. Weights grow without bound."""

    trace_times: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], None]:
        return synapse.post.activity * synapse.pre.activity, None

    def edge_memory(self, wiring: AbstractWiring) -> None:
        del wiring
