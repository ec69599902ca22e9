"""Draw genomes at random, generation after generation: what every search has to beat.

Bergstra & Bengio (2012), J. Mach. Learn. Res. 13:281.
"""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ..heredity import AbstractEvolver, AbstractGenome


class RandomSearch(AbstractEvolver[None]):
    """`genome.sample`, again and again. It remembers nothing: `evolve` keeps the champion."""

    population: int = eqx.field(static=True, default=64)

    def __check_init__(self):
        if self.population < 1:
            raise ValueError(
                f"`RandomSearch` draws at least 1 genome in a generation, but got population="
                f"{self.population}. Use `RandomSearch(population=64)`."
            )

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> None:
        del genome, key

    def ask(self, state: None, genome: AbstractGenome, *, key: PRNGKeyArray) -> tuple[None, Any]:
        keys = jax.random.split(key, self.population)
        return state, jax.vmap(lambda key: genome.sample(key=key))(keys)

    def tell(
        self, state: None, genome: AbstractGenome, genes: Any, fitness: Float[Array, " genome"]
    ) -> None:
        del state, genome, genes, fitness
