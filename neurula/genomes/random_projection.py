"""Few genes, many weights: a fixed random matrix spreads the genes over a given network.

Li, Farkhoor, Liu & Yosinski (2018), ICLR, arXiv:1804.08838 (the intrinsic dimension of a task).
"""

import math
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ..allowed import require_kind
from ..contracts import AbstractBlock
from ..heredity import AbstractVectorGenome
from .weights import Weights


class RandomProjection(AbstractVectorGenome):
    """weights = start + P g: `count` genes g move all trainable numbers of `brain`, the start.

    P has independent normal entries of standard deviation scale / sqrt(count), so that standard
    normal genes move every weight by about `scale`. Li et al. make the columns of P unit vectors:
    that is `scale = sqrt(count / weights)`, nearly. The matrix is the same for everybody. It is
    drawn again from `seed` where it is needed, so that neither genomes nor compiled programs keep
    it, and in a population it is drawn once for all. Places without a connection stay empty.
    """

    brain: AbstractBlock
    count: int = eqx.field(static=True)  # genes
    scale: float = 1.0  # of what standard normal genes do to a weight
    seed: int | PRNGKeyArray = 0  # of the matrix
    mutation: float = 0.1  # standard deviation of the change of a gene

    def __check_init__(self):
        example = "RandomProjection(layered([4, 8, 1], key=key), 10)"
        require_kind(self, "brain", AbstractBlock, example)
        weights = Weights(self.brain).size
        if not 1 <= self.count <= weights:
            raise ValueError(
                f"A random projection has at least 1 gene and at most one for each of the "
                f"{weights} trainable numbers of its brain, but got count={self.count}: more "
                "genes say nothing more. Use a smaller `count`, or `Weights(brain, around=True)`."
            )
        if not (self.scale > 0 and self.mutation >= 0):
            raise ValueError(
                f"`RandomProjection` needs a scale above 0 and a mutation of at least 0, got scale="
                f"{self.scale}, mutation={self.mutation}. Use `RandomProjection(brain, 100)`."
            )

    @property
    def size(self) -> int:
        return self.count

    def matrix(self) -> Float[Array, "weight gene"]:
        """P, one row for every trainable number of the brain, in the order of `Weights`."""
        # Behind the barrier compilers do not draw it beforehand and write it into the program.
        key = jax.random.key(self.seed) if isinstance(self.seed, int) else self.seed
        key = jax.lax.optimization_barrier(key)
        shape = Weights(self.brain).size, self.count
        return self.scale / math.sqrt(self.count) * jax.random.normal(key, shape)

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        return jax.random.normal(key, (self.size,))

    def develop(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> Any:
        return Weights(self.brain, around=True).develop(self.matrix() @ genes, key=key)
