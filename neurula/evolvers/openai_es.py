"""Climb an estimated gradient of expected fitness with any optimiser.

Salimans, Ho, Chen, Sidor & Sutskever (2017), arXiv:1703.03864; Rechenberg (1973) for the idea.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from ..allowed import require_kind
from ..heredity import AbstractEvolver, AbstractGenome, require_vector
from .last_finite import last_finite, none_refused
from .ranks import centred_ranks


class Climber(eqx.Module):
    """Where the search is, and what the optimiser remembers."""

    mean: Float[Array, " gene"]
    memory: PyTree
    refused: Int[Array, ""]  # updates that were not finite, and not taken


class OpenAIES(AbstractEvolver[Climber]):
    """The evolution strategy of OpenAI: mirrored draws, centred ranks, an optax optimiser.

    Draws z_k = m + s e_k and m - s e_k with standard normal e_k. With ranks u_k from 1/2 for the
    fittest of n down to -1/2, the optimiser climbs sum_k u_k e_k / (n s). The deviation s stays.
    The search starts at genes of 0: with `Weights(brain, around=True)` that is `brain` itself.
    """

    population: int = eqx.field(static=True, default=64)
    deviation: float = 0.1  # of genes
    optimiser: optax.GradientTransformation = eqx.field(static=True, default=optax.adam(0.05))

    def __check_init__(self):
        if self.population < 4 or self.population % 2 or not self.deviation > 0:
            raise ValueError(
                f"`OpenAIES` draws pairs of mirrored genomes with a deviation above 0, at least 4 "
                f"genomes, but got population={self.population}, deviation={self.deviation}. Use "
                "`OpenAIES(population=64, deviation=0.1)`."
            )
        require_kind(
            self, "optimiser", optax.GradientTransformation, "OpenAIES(optimiser=optax.adam(0.05))"
        )

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Climber:
        del key
        mean = jnp.zeros(require_vector(self, genome).size)
        return Climber(mean, self.optimiser.init(mean), none_refused())

    def ask(
        self, state: Climber, genome: AbstractGenome, *, key: PRNGKeyArray
    ) -> tuple[Climber, Float[Array, "genome gene"]]:
        half = jax.random.normal(key, (self.population // 2, *state.mean.shape))
        drawn = jnp.concatenate([half, -half])
        return state, state.mean[None, :] + self.deviation * drawn

    def tell(
        self,
        state: Climber,
        genome: AbstractGenome,
        genes: Float[Array, "genome gene"],
        fitness: Float[Array, " genome"],
    ) -> Climber:
        drawn = (genes - state.mean[None, :]) / self.deviation
        uphill = centred_ranks(fitness) @ drawn / (self.population * self.deviation)
        with jax.numpy_dtype_promotion("standard"):
            step, memory = self.optimiser.update(-uphill, state.memory, state.mean)
            mean: Any = optax.apply_updates(state.mean, step)
        return last_finite(Climber(mean, memory, state.refused), state)
