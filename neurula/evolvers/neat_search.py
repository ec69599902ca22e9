"""Evolution in species, which protect what is new until it has been tuned.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, sections 3.3 and 4.1 (the search of NEAT).
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..allowed import require_between
from ..heredity import AbstractEvolver, AbstractGenome
from .packed import choose, pack
from .species import Species, assign, members, nobody, shares


class Ecology(eqx.Module):
    """The last generation, with its fitness and species; places of species count from 0."""

    genes: Any
    fitness: Float[Array, " genome"]
    home: Int[Array, " genome"]
    species: Species
    threshold: Float[Array, ""]
    best: Float[Array, ""]  # the highest fitness ever
    idle: Int[Array, ""]  # generations since it rose
    generation: Int[Array, ""]
    restarts: Int[Array, ""]  # how often nobody was left
    parents: Int[Array, "genome 2"]  # places in the generation before, the fitter first; -1: none

    @property
    def names(self) -> Int[Array, " genome"]:
        """The name of every genome's species: the same one as long as the species lives."""
        return self.species.name[self.home]


class NeatSearch(AbstractEvolver[Ecology]):
    """Species of genomes nearer than `threshold` to an example; children by shared fitness.

    A species has children in proportion to the mean fitness of its members (fitness / size,
    summed), bred from its fittest `survival`. Its champion lives on unchanged if it has more than
    `champions` members. One that has not become fitter for `stagnation` generations has no
    children, unless all stand still or, if `spared`, it holds the best genome. With a `crisis`, if
    nobody has become fitter than ever for so many generations, only the two best species have any,
    once. A child is a mutant of one parent (`mutants`), or it has two, of the same species, or with
    the chance `interspecies` of any, and is mutated too but for a share `unmutated`. With `goal`
    species the threshold moves by `adjust` in every generation.

    `state.parents`, watched, are what `pictures.lineage` draws.

    For any genome with a distance. `speciation=False`: one species for all. `mating=False`: one
    parent for all. Where every fitness of a generation is broken, all genes are drawn anew.
    """

    population: int = eqx.field(static=True, default=150)
    threshold: float = 3.0
    room: int = eqx.field(static=True, default=32)  # for species
    goal: int | None = eqx.field(static=True, default=None)  # species
    adjust: float = 0.3
    survival: float = 0.2
    champions: int = 5
    stagnation: int = 15  # generations
    spared: bool = eqx.field(static=True, default=True)  # the paper: False
    crisis: int | None = eqx.field(static=True, default=None)  # generations; 20 in the paper
    mutants: float = 0.25
    unmutated: float = 0.2
    interspecies: float = 0.001
    speciation: bool = eqx.field(static=True, default=True)
    mating: bool = eqx.field(static=True, default=True)

    def __check_init__(self):
        if self.population < 2 or self.room < 1 or not 0 < self.survival <= 1:
            raise ValueError(
                f"Species need at least 2 genomes, room for 1 species and a share of survivors "
                f"above 0 and up to 1, but got population={self.population}, room={self.room}, "
                f"survival={self.survival}. Use `NeatSearch(population=150, survival=0.2)`."
            )
        require_between(self, "mutants unmutated interspecies", 0.0, 1.0)
        require_between(self, "threshold adjust champions stagnation", 0.0)
        require_between(self, "goal crisis", 1.0)

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Ecology:
        genes = _anew(genome, jax.random.split(key, self.population))
        zero = jnp.zeros((), jnp.int32)
        example = jax.tree.map(lambda x: x[0], genes)
        return Ecology(
            genes,
            jnp.full(self.population, -jnp.inf),
            jnp.zeros(self.population, jnp.int32),
            nobody(example, self.room if self.speciation else 1),
            jnp.asarray(self.threshold, jnp.float32),
            jnp.asarray(-jnp.inf),
            zero,
            zero,
            zero,
            jnp.full((self.population, 2), -1, jnp.int32),
        )

    def ask(
        self, state: Ecology, genome: AbstractGenome, *, key: PRNGKeyArray
    ) -> tuple[Ecology, Any]:
        # One call for all keys: each call takes XLA as long to compile as a hundred sums.
        keys = jax.random.split(key, 3 * self.population + 1)
        to_start, to_cross, to_mutate = keys[1:].reshape(3, self.population)
        lost = ~jnp.any(jnp.isfinite(state.fitness))
        first = state.generation == 0
        state, fertile = self._fertile(state)
        children, parents = self._breed(state, genome, fertile, (keys[0], to_cross, to_mutate))
        restart = lost & ~first
        children = jax.lax.cond(restart, lambda: _anew(genome, to_start), lambda: children)
        restarts = state.restarts + restart.astype(jnp.int32)
        genes = jax.tree.map(lambda a, b: jnp.where(first, a, b), state.genes, children)
        new = restarts, _examples(state), jnp.where(first | lost, -1, parents)
        return eqx.tree_at(lambda s: (s.restarts, s.species.example, s.parents), state, new), genes

    def tell(
        self, state: Ecology, genome: AbstractGenome, genes: Any, fitness: Float[Array, " genome"]
    ) -> Ecology:
        species, home = state.species, jnp.zeros(self.population, jnp.int32)
        threshold = state.threshold if self.speciation else jnp.asarray(jnp.inf)
        species, home = assign(species, genome, genes, threshold)
        species = _aged(species, home, fitness)
        better = jnp.max(fitness) > state.best
        if self.goal is not None:
            many = jnp.sum(species.exists.astype(jnp.int32)) - self.goal
            moved = state.threshold + self.adjust * jnp.sign(many).astype(jnp.float32)
            threshold = jnp.maximum(moved, self.adjust)
        return Ecology(
            genes, fitness, home, species, threshold if self.speciation else state.threshold,
            jnp.maximum(state.best, jnp.max(fitness)), jnp.where(better, 0, state.idle + 1),
            state.generation + 1, state.restarts, state.parents,
        )  # fmt: skip

    def _fertile(self, state: Ecology) -> tuple[Ecology, Bool[Array, " species"]]:
        """Which species may have children: not those that stand still, unless all do.

        In a crisis the two best do, and are given time again.
        """
        species = state.species
        rises = species.exists & (species.idle < self.stagnation)
        if self.spared:
            leader = state.home[jnp.argmax(state.fitness)]
            rises = rises | (jnp.arange(rises.shape[0]) == leader)
        if self.crisis is not None:
            mine = members(state.home, species.name.shape[0])
            peak = jnp.max(jnp.where(mine, state.fitness[None, :], -jnp.inf), axis=1)
            rank = jnp.argsort(jnp.argsort(-jnp.where(species.exists, peak, -jnp.inf)))
            crisis = (state.idle > 0) & (state.idle % self.crisis == 0)
            best = species.exists & (rank < 2)
            idle = jnp.where(crisis & best, 0, species.idle)
            state = eqx.tree_at(lambda s: s.species.idle, state, idle)
            rises = jnp.where(crisis, best, rises)
        return state, jnp.where(jnp.any(rises), rises, species.exists)

    def _mates(
        self, state: Ecology, fertile: Array, key: PRNGKeyArray
    ) -> tuple[Int[Array, "genome 2"], Bool[Array, " genome"]]:
        """The parents of every child, the fitter first and -1 for none, and who is no mutant."""
        room, count = state.species.name.shape[0], self.population
        numbers = shares(state.fitness, state.home, fertile, count)
        order = jnp.lexsort((-state.fitness, state.home))  # species by species, the fittest first
        sizes = jnp.sum(members(state.home, room).astype(jnp.int32), axis=1)
        begin = jnp.cumsum(sizes) - sizes
        parents = jnp.floor(self.survival * sizes.astype(jnp.float32) + 1).astype(jnp.int32)
        last = jnp.cumsum(numbers)
        mine = jnp.searchsorted(last, jnp.arange(count), side="right", method="compare_all")
        mine = jnp.minimum(mine, room - 1)
        draws = jax.random.uniform(key, (6, count))

        def one_of(home: Array, draw: Array) -> Array:
            chosen = jnp.floor(draw * parents[home].astype(jnp.float32)).astype(jnp.int32)
            return order[jnp.minimum(begin[home] + chosen, count - 1)]

        strange = jnp.floor(draws[0] * count).astype(jnp.int32)
        abroad = jnp.where(draws[1] < self.interspecies, state.home[strange], mine)
        mother, father = one_of(mine, draws[2]), one_of(abroad, draws[3])
        alone = jnp.ones(count, bool) if not self.mating else draws[4] < self.mutants
        alone = alone | (mother == father)
        swap = state.fitness[father] > state.fitness[mother]
        fitter, other = jnp.where(swap, father, mother), jnp.where(swap, mother, father)
        fitter = jnp.where(alone, mother, fitter)
        nth = jnp.arange(count) - (last - numbers)[mine]
        champion = (nth == 0) & (sizes[mine] > self.champions)
        fitter = jnp.where(champion, order[jnp.minimum(begin[mine], count - 1)], fitter)
        pair = jnp.stack([fitter, jnp.where(alone | champion, -1, other)], axis=1)
        return pair.astype(jnp.int32), champion | (~alone & (draws[5] < self.unmutated))

    def _breed(
        self, state: Ecology, genome: AbstractGenome, fertile: Array, keys: tuple[Array, ...]
    ) -> tuple[Any, Int[Array, "genome 2"]]:
        to_draw, to_cross, to_mutate = keys
        parents, rests = self._mates(state, fertile, to_draw)
        packed, unpack = pack(state.genes)
        take = lambda index: unpack([x[index] for x in packed])  # noqa: E731
        born = take(parents[:, 0])
        if self.mating:
            cross = lambda one, other, key: genome.cross(one, other, key=key)  # noqa: E731
            mixed = jax.vmap(cross)(born, take(jnp.maximum(parents[:, 1], 0)), to_cross)
            born = choose(parents[:, 1] < 0, born, mixed)
        mutate = lambda genes, key: genome.mutate(genes, key=key)  # noqa: E731
        return choose(rests, born, jax.vmap(mutate)(born, to_mutate)), parents


def _anew(genome: AbstractGenome, keys: Array) -> Any:
    return jax.vmap(lambda key: genome.sample(key=key))(keys)


def _examples(state: Ecology) -> Any:
    """The fittest of every species, to whom the next generation is compared."""
    mine = members(state.home, state.species.name.shape[0])
    least = jnp.finfo(jnp.float32).min  # broken members are members too
    fitness = jnp.maximum(state.fitness, least)
    chosen = jnp.argmax(jnp.where(mine, fitness[None, :], -jnp.inf), axis=1)
    packed, unpack = pack(state.genes)
    return unpack([x[chosen] for x in packed])


def _aged(species: Species, home: Array, fitness: Array) -> Species:
    """A generation later: who rose, who stands still, who is gone."""
    mine = members(home, species.name.shape[0])
    peak = jnp.max(jnp.where(mine, fitness[None, :], -jnp.inf), axis=1)
    there = jnp.any(mine, axis=1)
    better = peak > species.best
    return Species(
        jnp.where(there, species.name, -1),
        species.example,
        jnp.where(there, jnp.maximum(species.best, peak), -jnp.inf),
        jnp.where(better | ~there, 0, species.idle + 1),
        species.born,
    )
