"""Climb expected fitness by the score function: REINFORCE over where genomes are drawn from.

Williams (1992), Mach. Learn. 8:229; over bits: Berny (2000), PPSN 6:287; over parameters: Sehnke et
al. (2010), Neural Netw. 23:551; the baseline of the others: Kool et al. (2019), ICLR workshop.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from ..allowed import require_between
from ..genomes.bits import Bits
from ..heredity import AbstractEvolver, AbstractGenome, require_vector
from .last_finite import last_finite, none_refused


class Drawer(eqx.Module):
    """The middle of the distribution (of bits: log odds), and what the optimiser remembers."""

    mean: Float[Array, " gene"]
    memory: PyTree
    refused: Int[Array, ""]  # updates that were not finite, and not taken


class ScoreFunction(AbstractEvolver[Drawer]):
    """The gradient of expected fitness by the likelihood ratio, without ranks; Adam follows it.

    Vectors are drawn from a normal distribution with mean m and deviation s, `Bits` with the chance
    p = 1 / (1 + exp(-m)). With fitness f_k of n and the baseline b_k, the mean of the others',
    Adam climbs sum_k (f_k - b_k) grad log P(z_k) / n, where grad log P is (z_k - m) / s^2, for bits
    z_k - p. The search starts at m = 0. Lives that are not finite count as the worst of the others.
    """

    population: int = eqx.field(static=True, default=64)
    rate: float | Float[Array, ""] = 0.05  # of Adam, in units of m
    deviation: float | Float[Array, ""] = 0.3  # s, of genes; bits need none

    def __check_init__(self):
        if self.population < 2:
            raise ValueError(
                f"`ScoreFunction` compares each of at least 2 genomes with the others, but got "
                f"population={self.population}. Use `ScoreFunction(population=64)`."
            )
        require_between(self, "rate", 0.0)
        require_between(self, "deviation", 0.0, above=True)

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Drawer:
        del key
        size = genome.size if isinstance(genome, Bits) else require_vector(self, genome).size
        mean = jnp.zeros(size)
        return Drawer(mean, optax.scale_by_adam().init(mean), none_refused())

    def ask(
        self, state: Drawer, genome: AbstractGenome, *, key: PRNGKeyArray
    ) -> tuple[Drawer, Array]:
        shape = self.population, *state.mean.shape
        if isinstance(genome, Bits):
            return state, jax.random.bernoulli(key, jax.nn.sigmoid(state.mean)[None, :], shape)
        drawn = jax.random.normal(key, shape)
        return state, state.mean[None, :] + self.deviation * drawn

    def tell(
        self, state: Drawer, genome: AbstractGenome, genes: Array, fitness: Float[Array, " genome"]
    ) -> Drawer:
        fine = jnp.isfinite(fitness)
        fitness = jnp.where(fine, fitness, jnp.min(jnp.where(fine, fitness, jnp.inf)))
        count = self.population
        ahead = (fitness - jnp.mean(fitness)) * count / (count - 1)  # f_k - b_k
        if isinstance(genome, Bits):
            score = genes.astype(jnp.float32) - jax.nn.sigmoid(state.mean)[None, :]
        else:
            score = (genes - state.mean[None, :]) / self.deviation**2
        uphill = ahead @ score / count
        with jax.numpy_dtype_promotion("standard"):
            found: Any = optax.scale_by_adam().update(uphill, state.memory)
            step, memory = found
        return last_finite(Drawer(state.mean + self.rate * step, memory, state.refused), state)
