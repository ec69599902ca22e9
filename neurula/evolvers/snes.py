"""Follow the natural gradient of expected fitness, with a step size for every gene.

Schaul, Glasmachers & Schmidhuber (2011), GECCO 845; Wierstra et al. (2014), J. Mach. Learn. Res.
15:949 (separable natural evolution strategies).
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..allowed import require_between
from ..heredity import AbstractEvolver, AbstractGenome, require_vector
from .last_finite import last_finite, none_refused
from .ranks import log_utilities


class Cloud(eqx.Module):
    """Where genomes are drawn from: a normal distribution without correlations."""

    mean: Float[Array, " gene"]
    deviation: Float[Array, " gene"]
    refused: Int[Array, ""]  # updates that were not finite, and not taken


class SNES(AbstractEvolver[Cloud]):
    """Separable natural evolution strategy, for many genes.

    Draws z_k = m + s * e_k with standard normal e_k. With utilities u_k by rank:
    m += rate_mean * s * sum_k u_k e_k, s *= exp(rate_deviation / 2 * sum_k u_k (e_k^2 - 1)).
    Without a rate of its own, the deviation learns at (3 + ln d) / (5 sqrt(d)), d the genes.
    """

    population: int = eqx.field(static=True, default=64)
    deviation: float = 1.0  # of genes in the first generation
    rate_mean: float = 1.0
    rate_deviation: float | None = None

    def __check_init__(self):
        if self.population < 4 or not self.deviation > 0:
            raise ValueError(
                f"SNES ranks at least 4 genomes, drawn with a deviation above 0, but got "
                f"population={self.population}, deviation={self.deviation}. Use "
                "`SNES(population=64, deviation=1.0)`."
            )
        require_between(self, "rate_mean rate_deviation", 0.0)

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Cloud:
        del key
        size = require_vector(self, genome).size
        return Cloud(jnp.zeros(size), jnp.full(size, self.deviation), none_refused())

    def ask(
        self, state: Cloud, genome: AbstractGenome, *, key: PRNGKeyArray
    ) -> tuple[Cloud, Float[Array, "genome gene"]]:
        drawn = jax.random.normal(key, (self.population, *state.mean.shape))
        return state, state.mean[None, :] + state.deviation[None, :] * drawn

    def tell(
        self,
        state: Cloud,
        genome: AbstractGenome,
        genes: Float[Array, "genome gene"],
        fitness: Float[Array, " genome"],
    ) -> Cloud:
        utility = log_utilities(fitness)
        drawn = (genes - state.mean[None, :]) / state.deviation[None, :]
        size = state.mean.shape[0]
        rate = self.rate_deviation
        rate = (3 + math.log(size)) / (5 * size**0.5) if rate is None else rate
        mean = state.mean + self.rate_mean * state.deviation * (utility @ drawn)
        spread = state.deviation * jnp.exp(rate / 2 * (utility @ (drawn**2 - 1)))
        return last_finite(Cloud(mean, spread, state.refused), state)
