"""One gene for every weight of a given network: the direct code.

Whitley, Starkweather & Bogart (1990), Parallel Comput. 14:347; Salimans et al. (2017),
arXiv:1703.03864, for its normalised start.
"""

from typing import Any

import equinox as eqx
import jax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from ..allowed import require_kind
from ..contracts import AbstractBlock
from ..heredity import AbstractVectorGenome
from ..network import Network, trainable


class Weights(AbstractVectorGenome):
    """The genes are the trainable numbers of `brain`, one after the other.

    genes = weights / scale: `brain` gives the shapes, and with `around` the genes are differences
    from its own numbers (so that 0 is `brain` itself). Places without a connection stay empty.
    Random genes are standard normal.
    """

    brain: AbstractBlock
    scale: float = 1.0  # of a weight whose gene is 1
    around: bool = False
    mutation: float = 0.1  # standard deviation of the change of a gene

    def __check_init__(self):
        require_kind(self, "brain", AbstractBlock, "Weights(layered([4, 8, 1], key=key))")
        if not (self.scale > 0 and self.mutation >= 0):
            raise ValueError(
                f"`Weights` needs a scale above 0 and a mutation of at least 0, got scale="
                f"{self.scale}, mutation={self.mutation}. Use `Weights(brain, mutation=0.1)`."
            )

    @property
    def size(self) -> int:
        return sum(x.size for x in jax.tree.leaves(trainable(self.brain)))

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        return jax.random.normal(key, (self.size,))

    def develop(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> Any:
        del key
        return self._place(self.scale * genes)

    def encode(self, developed: Any) -> Float[Array, " gene"]:
        numbers, _ = ravel_pytree(trainable(developed))
        start, _ = ravel_pytree(trainable(self.brain))
        return (numbers - start if self.around else numbers) / self.scale

    def _place(self, numbers: Float[Array, " gene"]) -> Any:
        old, back = ravel_pytree(trainable(self.brain))
        new = back(old + numbers if self.around else numbers)
        grown: Any = eqx.combine(new, self.brain)
        return grown.edit(_only_connections).constrain() if isinstance(grown, Network) else grown


def _only_connections(projection: Any) -> Any:
    """The projection without weights where no connection exists."""
    if projection.wiring.exists is None:
        return projection
    weight = projection.weight * projection.wiring.fill(1.0)
    return eqx.tree_at(lambda p: p.weight, projection, weight)
