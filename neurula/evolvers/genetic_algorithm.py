"""Select, cross, mutate: evolution for genes of any kind.

Holland (1975), Adaptation in Natural and Artificial Systems; Goldberg & Deb (1991), Foundations of
Genetic Algorithms 1:69, for tournaments, truncation and proportional selection.
"""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..heredity import AbstractEvolver, AbstractGenome
from .packed import choose

Selection = Literal["tournament", "proportional"]


class Breeders(eqx.Module):
    """Those who live now. Before the first generation nobody has lived."""

    genes: Any  # stacked
    fitness: Float[Array, " genome"]
    generation: Int[Array, ""]


class GeneticAlgorithm(AbstractEvolver[Breeders]):
    """A population that replaces itself by its children.

    A parent is the fittest of `tournament` drawn, with replacement, from the fittest `breeding`
    share: tournament=1 with breeding=0.2 is truncation; or, with selection="proportional", it is
    drawn with a chance proportional to its fitness (below 0 counts as 0). With chance `crossing`
    a child has two parents, else one; then it mutates. The `elite` fittest go on as they are, and
    live again. Ties are broken at random.
    """

    population: int = eqx.field(static=True, default=64)
    selection: Selection = eqx.field(static=True, default="tournament")
    tournament: int = eqx.field(static=True, default=3)
    breeding: float = eqx.field(static=True, default=1.0)  # share of the population
    crossing: float = 0.5
    elite: int = eqx.field(static=True, default=1)

    def __check_init__(self):
        room = 0 <= self.elite < self.population
        if not (
            room and self.tournament > 0 and 0 < self.breeding <= 1 and 0 <= self.crossing <= 1
        ):
            raise ValueError(
                f"`GeneticAlgorithm` needs an elite smaller than its population, at least 1 in a "
                f"tournament, a breeding share in (0, 1] and a chance of crossing in [0, 1], but "
                f"got population={self.population}, elite={self.elite}, tournament="
                f"{self.tournament}, breeding={self.breeding}, crossing={self.crossing}. Use "
                "`GeneticAlgorithm(population=64, tournament=3, elite=1)`."
            )
        if self.selection not in ("tournament", "proportional"):
            raise ValueError(
                f"Parents are selected by 'tournament' or 'proportional', but got selection="
                f"{self.selection!r}. For truncation use `GeneticAlgorithm(tournament=1, "
                "breeding=0.2)`."
            )

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Breeders:
        keys = jax.random.split(key, self.population)
        genes = jax.vmap(lambda key: genome.sample(key=key))(keys)
        return Breeders(genes, jnp.zeros(self.population), jnp.zeros((), jnp.int32))

    def ask(
        self, state: Breeders, genome: AbstractGenome, *, key: PRNGKeyArray
    ) -> tuple[Breeders, Any]:
        children = self._breed(state, genome, key)
        first = state.generation == 0  # those who were sampled have to live first
        pick = lambda born, sampled: jnp.where(first, sampled, born)  # noqa: E731
        return state, jax.tree.map(pick, children, state.genes)

    def tell(
        self, state: Breeders, genome: AbstractGenome, genes: Any, fitness: Float[Array, " genome"]
    ) -> Breeders:
        return Breeders(genes, fitness, state.generation + 1)

    def _breed(self, state: Breeders, genome: AbstractGenome, key: PRNGKeyArray) -> Any:
        """The elite, then children."""
        to_tie, to_select, to_cross, to_choose, to_mutate = jax.random.split(key, 5)
        order = jnp.lexsort((jax.random.uniform(to_tie, state.fitness.shape), -state.fitness))
        count = self.population - self.elite
        one, two = self._select(state.fitness[order], (2, count), to_select)
        of = lambda rank: jax.tree.map(lambda x: x[order[rank]], state.genes)  # noqa: E731
        crossed = jax.vmap(lambda fitter, other, key: genome.cross(fitter, other, key=key))(
            of(jnp.minimum(one, two)), of(jnp.maximum(one, two)), jax.random.split(to_cross, count)
        )
        pair = jax.random.bernoulli(to_choose, self.crossing, (count,))
        children = jax.vmap(lambda genes, key: genome.mutate(genes, key=key))(
            choose(pair, crossed, of(one)), jax.random.split(to_mutate, count)
        )
        elite = of(jnp.arange(self.elite))
        return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), elite, children)

    def _select(
        self, fitness: Float[Array, " genome"], shape: tuple[int, ...], key: PRNGKeyArray
    ) -> Int[Array, "..."]:
        """Places of parents in the order of fitness, given that fitness in descending order."""
        if self.selection == "proportional":
            worth = jnp.maximum(jnp.where(jnp.isfinite(fitness), fitness, 0.0), 0.0)
            chance = jnp.where(jnp.sum(worth) > 0, worth, 1.0)
            return jax.random.choice(key, self.population, shape, p=chance / jnp.sum(chance))
        breeding = max(1, round(self.breeding * self.population))
        drawn = jax.random.randint(key, (self.tournament, *shape), 0, breeding)
        return jnp.min(drawn, axis=0)
