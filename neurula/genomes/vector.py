"""A vector of numbers that is its own phenotype: for functions of a point.

Rechenberg (1973), Evolutionsstrategie; Schwefel (1981), Numerical Optimization of Computer Models.
"""

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ..allowed import require_between
from ..heredity import AbstractVectorGenome, crossed


class Vector(AbstractVectorGenome):
    """`size` numbers, which `develop` gives as they are.

    Random genes are normal with the standard deviation `spread`. A child changes parents at
    `points` random places, so that neighbouring genes stay together; with `None` each gene comes
    from either parent.
    """

    size: int = eqx.field(static=True, default=2)
    spread: float | Float[Array, ""] = 1.0  # of random genes
    mutation: float | Float[Array, ""] = 0.1  # standard deviation of the change of a gene
    points: int | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        require_between(self, "size", 1.0)
        require_between(self, "spread mutation", 0.0)

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        return self.spread * jax.random.normal(key, (self.size,))

    def develop(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        del key
        return genes

    def cross(
        self,
        fitter: Float[Array, " gene"],
        other: Float[Array, " gene"],
        *,
        key: PRNGKeyArray,
    ) -> Float[Array, " gene"]:
        return crossed(fitter, other, self.points, key=key)

    def encode(self, developed: Float[Array, " gene"]) -> Float[Array, " gene"]:
        return developed
