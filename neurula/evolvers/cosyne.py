"""Evolve every weight in a subpopulation of its own, and shuffle them into new networks.

Gomez, Schmidhuber & Miikkulainen (2008), J. Mach. Learn. Res. 9:937 (cooperative synapse
neuroevolution).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..allowed import require_between
from ..heredity import AbstractEvolver, AbstractGenome, require_vector


class Synapses(eqx.Module):
    """Networks in rows, the subpopulation of a weight in a column."""

    genes: Float[Array, "genome gene"]
    fitness: Float[Array, " genome"]
    generation: Int[Array, ""]


class CoSyNE(AbstractEvolver[Synapses]):
    """Cooperative coevolution of the numbers of a vector.

    The fittest quarter of networks breeds: each child is crossed at one point from two of them, and
    each of its genes moves by `noise` times a Cauchy number with the chance `mutation`. Children
    replace the worst quarter. Then gene i of network j is marked with the probability
    1 - ((f_j - f_min) / (f_max - f_min))^(1 / genes), and the marked ones of a column change places
    at random. Genes are at first uniform from -`spread` to `spread`. Broken lives count as f_min.
    """

    population: int = eqx.field(static=True, default=40)
    spread: float = 10.0
    mutation: float = 0.1
    noise: float = 0.3

    def __check_init__(self):
        if self.population < 4 or not (self.spread > 0 and 0 <= self.mutation <= 1):
            raise ValueError(
                f"A quarter of the networks breeds, from genes in a range, but got population="
                f"{self.population}, spread={self.spread}, mutation={self.mutation}. Use "
                "`CoSyNE(population=40, spread=10.0, mutation=0.1)`."
            )
        require_between(self, "noise", 0.0)

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Synapses:
        size = require_vector(self, genome).size
        shape = self.population, size
        genes = jax.random.uniform(key, shape, minval=-self.spread, maxval=self.spread)
        return Synapses(genes, jnp.zeros(self.population), jnp.zeros((), jnp.int32))

    def ask(
        self, state: Synapses, genome: AbstractGenome, *, key: PRNGKeyArray
    ) -> tuple[Synapses, Float[Array, "genome gene"]]:
        at_breed, at_mark, at_order = jax.random.split(key, 3)
        order = jnp.argsort(-state.fitness, stable=True)
        genes, fitness = state.genes[order], state.fitness[order]
        worst = jnp.min(jnp.where(jnp.isfinite(fitness), fitness, jnp.inf))
        fitness = jnp.where(jnp.isfinite(fitness), fitness, worst)
        quarter = self.population // 4
        children = self._children(genes[:quarter], at_breed)
        genes = jnp.concatenate([genes[:-quarter], children])
        range_ = fitness[0] - fitness[-1]
        merit = jnp.where(range_ > 0, (fitness - fitness[-1]) / jnp.where(range_ > 0, range_, 1), 0)
        odds = 1 - merit ** (1 / genes.shape[1])
        marked = jax.random.uniform(at_mark, genes.shape) < odds[:, None]
        shuffled = permute_marked(genes, marked, key=at_order)
        return state, jnp.where(state.generation == 0, state.genes, shuffled)

    def tell(
        self,
        state: Synapses,
        genome: AbstractGenome,
        genes: Float[Array, "genome gene"],
        fitness: Float[Array, " genome"],
    ) -> Synapses:
        return Synapses(genes, fitness, state.generation + 1)

    def _children(
        self, parents: Float[Array, "parent gene"], key: PRNGKeyArray
    ) -> Float[Array, "parent gene"]:
        at_parents, at_point, at_mutate, at_noise = jax.random.split(key, 4)
        count, size = parents.shape
        mother, father = jax.random.randint(at_parents, (2, count), 0, count)
        point = jax.random.randint(at_point, (count, 1), 0, size + 1)
        first = jnp.arange(size)[None, :] < point
        mixed = jnp.where(first, parents[mother], parents[father])
        moved = jax.random.uniform(at_mutate, mixed.shape) < self.mutation
        return mixed + jnp.where(moved, self.noise * jax.random.cauchy(at_noise, mixed.shape), 0.0)


def permute_marked(
    genes: Float[Array, "genome gene"], marked: Array, *, key: PRNGKeyArray
) -> Float[Array, "genome gene"]:
    """Within every column, marked genes change places at random; the others stay."""
    count = genes.shape[0]
    place = jnp.broadcast_to(jnp.arange(count, dtype=jnp.float32)[:, None], genes.shape)
    drawn = jax.random.uniform(key, genes.shape)
    to = jnp.argsort(jnp.where(marked, place, count + place), axis=0)
    off = jnp.argsort(jnp.where(marked, drawn, count + place), axis=0)
    columns = jnp.arange(genes.shape[1])[None, :]
    return genes.at[to, columns].set(jnp.take_along_axis(genes, off, axis=0))
