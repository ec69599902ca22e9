"""Genes that grow into an optimiser: how to learn is inherited, what is learned is not.

Andrychowicz et al. (2016), NeurIPS 29:3981 (the optimiser); Metz et al. (2019), ICML 97:4556
(evolution strategies where gradients through long lives explode).
"""

import jax
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..allowed import require_kind
from ..heredity import AbstractVectorGenome
from ..learned_optimiser import AbstractLearnedOptimiser, numbers


class LearnedOptimiser(AbstractVectorGenome):
    """The genes are the numbers of `optimiser`, one after the other.

    genes = (numbers - those of `optimiser`) / scale, so that 0 is `optimiser` itself. Develops into
    an optax transformation for `learn` and `OnTask`. Random genes are standard normal. Where a
    loss is the fitness, an optimiser that diverges makes one that is not finite, which ranks last
    and is counted; an accuracy needs a look at the weights, as `OnTask` has.
    """

    optimiser: AbstractLearnedOptimiser
    scale: float = 0.1  # of a number whose gene is 1
    mutation: float = 0.1  # standard deviation of the change of a gene

    def __check_init__(self):
        example = "LearnedOptimiser(CoordinateLSTM(key=key))"
        require_kind(self, "optimiser", AbstractLearnedOptimiser, example)
        if not (self.scale > 0 and self.mutation >= 0):
            raise ValueError(
                f"`LearnedOptimiser` needs a scale above 0 and a mutation of at least 0, got "
                f"scale={self.scale}, mutation={self.mutation}: genes would change nothing, or "
                "backwards. Use `LearnedOptimiser(optimiser, scale=0.1)`."
            )

    @property
    def size(self) -> int:
        return numbers(self.optimiser)[0].size

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        return jax.random.normal(key, (self.size,))

    def develop(
        self, genes: Float[Array, " gene"], *, key: PRNGKeyArray
    ) -> optax.GradientTransformation:
        del key
        start, back = numbers(self.optimiser)
        return back(start + self.scale * genes).transformation
