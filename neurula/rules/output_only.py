"""Only the output layer learns: the essential control for any rule that teaches hidden cells."""

from typing import Any, ClassVar

from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample
from ..network import Network
from ..response import respond
from .detour import demand_network, sever
from .gradient import AbstractGradientRule


class OutputOnly(AbstractGradientRule[None]):
    """Hidden weights keep their first, random values: a reservoir or an extreme learning machine.

    Jaeger (2001), GMD Report 148; Huang, Zhu & Siew (2006), Neurocomputing 70:489.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Any, *, key: PRNGKeyArray) -> None:
        demand_network(self, brain, lambda net: None)

    def surrogate(
        self, state: None, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], None]:
        return error(respond(sever(brain), sample.stimuli, key=key), sample), None

    def remember(self, state: None, notes: None) -> None:
        del notes
