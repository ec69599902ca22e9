"""Look for what nobody has done before, and forget what it is good for.

Lehman & Stanley (2011), Evol. Comput. 19:189; what enters the archive: Gomes, Mariano & Christensen
(2015), GECCO 943.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..heredity import AbstractEvolver, AbstractGenome, Life
from .genetic_algorithm import GeneticAlgorithm


class Seen(eqx.Module):
    """The state of the evolver inside, and behaviour that was once new, the oldest overwritten."""

    inner: Any
    archive: Float[Array, "place feature"]
    count: Int[Array, ""]  # of behaviours ever archived


class NoveltySearch(AbstractEvolver[Seen]):
    """Another evolver, which is told the novelty of behaviour instead of fitness.

    novelty(b) = mean distance of b to the `neighbours` nearest behaviours among the generation,
    itself excepted, and the archive, into which the `added` most novel of every generation go.
    Distances are Euclidean. Wants lives that tell their `behaviour`: (feature,) numbers, such as
    where a robot ended. Behaviour that is not finite ranks last and is not archived. Fitness is
    not used, but `evolve` still keeps the fittest ever seen and stops at its `target`.
    """

    features: int = eqx.field(static=True)  # numbers that describe a behaviour
    inner: AbstractEvolver = GeneticAlgorithm()
    neighbours: int = eqx.field(static=True, default=15)
    capacity: int = eqx.field(static=True, default=1000)  # of the archive
    added: int = eqx.field(static=True, default=2)  # to the archive, in every generation

    def __check_init__(self):
        room = self.neighbours < self.population and 0 <= self.added <= self.population
        if not (room and self.features > 0 and self.neighbours > 0 and self.capacity > self.added):
            raise ValueError(
                f"`NoveltySearch` compares behaviours of at least 1 number with fewer neighbours "
                f"than genomes live, {self.population}, and archives fewer than its capacity, but "
                f"got features={self.features}, neighbours={self.neighbours}, added={self.added}, "
                f"capacity={self.capacity}. Use `NoveltySearch(2, GeneticAlgorithm(population=64), "
                "neighbours=15)`."
            )

    @property
    def population(self) -> int:  # ty: ignore[incompatible-property-override]
        """As many as the evolver inside asks for."""
        return self.inner.population

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Seen:
        archive = jnp.full((self.capacity, self.features), jnp.nan)
        return Seen(self.inner.init(genome, key=key), archive, jnp.zeros((), jnp.int32))

    def ask(self, state: Seen, genome: AbstractGenome, *, key: PRNGKeyArray) -> tuple[Seen, Any]:
        inner, genes = self.inner.ask(state.inner, genome, key=key)
        return Seen(inner, state.archive, state.count), genes

    def judge(self, state: Seen, lives: Life) -> tuple[Seen, Float[Array, " genome"]]:
        shape = None if lives.behaviour is None else lives.behaviour.shape[1:]
        if lives.behaviour is None or shape != (self.features,):
            raise ValueError(
                f"`NoveltySearch(features={self.features})` compares behaviours of that many "
                f"numbers, but lives told {'none' if shape is None else f'the shape {shape}'}. "
                "Return `Life(fitness, behaviour=...)` from the fitness function, for example "
                "where a robot ended."
            )
        found = self.novelty(lives.behaviour, state.archive)
        _, newest = jax.lax.top_k(found, self.added)
        places = (state.count + jnp.arange(self.added)) % self.capacity
        fine = jnp.isfinite(found[newest])
        new = jnp.where(fine[:, None], lives.behaviour[newest], state.archive[places])
        # Those that are not finite come last, so that what is archived lies without gaps.
        count = state.count + jnp.sum(fine.astype(jnp.int32))
        return Seen(state.inner, state.archive.at[places].set(new), count), found

    def novelty(
        self, behaviour: Float[Array, "genome feature"], archive: Float[Array, "place feature"]
    ) -> Float[Array, " genome"]:
        """The mean distance to the nearest others; -infinity where behaviour is not finite."""
        others = jnp.concatenate([behaviour, archive])
        distance = jnp.linalg.norm(behaviour[:, None] - others[None], axis=-1)
        itself = jnp.arange(len(behaviour))
        distance = distance.at[itself, itself].set(jnp.inf)
        distance = jnp.where(jnp.isfinite(distance), distance, jnp.inf)
        nearest = -jax.lax.top_k(-distance, self.neighbours)[0]
        known = jnp.isfinite(nearest)  # fewer, where others' behaviour is not finite
        near = jnp.sum(jnp.where(known, nearest, 0.0), 1) / jnp.sum(known.astype(jnp.float32), 1)
        return jnp.where(jnp.all(jnp.isfinite(behaviour), 1) & (near >= 0), near, -jnp.inf)

    def tell(
        self, state: Seen, genome: AbstractGenome, genes: Any, fitness: Float[Array, " genome"]
    ) -> Seen:
        return Seen(
            self.inner.tell(state.inner, genome, genes, fitness), state.archive, state.count
        )
