"""Any algorithm of evosax as one of our evolvers.

Lange (2023), evosax: JAX-based evolution strategies, GECCO Companion 659, version 0.3.
"""

import contextlib
import difflib
import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..extras import needed
from ..heredity import AbstractEvolver, AbstractGenome, require_vector
from .last_finite import last_finite, none_refused


class Guest(eqx.Module):
    """The state of evosax, and the chance that its next `tell` will ask for."""

    theirs: Any
    first: Float[Array, "genome gene"]  # who lives first, where a population is what evolves
    luck: PRNGKeyArray
    generation: Int[Array, ""]
    refused: Int[Array, ""]  # updates that were not finite, and not taken


class EvosaxStrategy(AbstractEvolver[Guest]):
    """The algorithm `name` of `evosax.algorithms.algorithms`.

    `settings` go to its constructor, such as {"optimizer": optax.adam(0.05)}; `parameters` replace
    some of its default parameters, such as {"std_init": 0.5}. "SV_CMA_ES" and "SV_Open_ES" ask for
    the setting "num_populations", "RandomSearch" for "sampling_fn". Distributions start at genes
    of 0, populations at genes that the genome samples. Evosax minimises: it is told minus the
    fitness, and the worst of the others for a life without a finite one. Needs
    `pip install 'neurula[evosax]'`.
    """

    name: str = eqx.field(static=True)
    population: int = eqx.field(static=True, default=64)
    parameters: dict[str, Any] = eqx.field(default_factory=dict)
    settings: Any = eqx.field(static=True, default=(), converter=lambda s: tuple(dict(s).items()))

    def __check_init__(self):
        _kind(self.name)

    def init(self, genome: AbstractGenome, *, key: PRNGKeyArray) -> Guest:
        size = require_vector(self, genome).size
        algorithm, parameters = self._theirs(size)
        to_sample, to_init = jax.random.split(key)
        keys = jax.random.split(to_sample, self.population)
        first = jax.vmap(lambda key: genome.sample(key=key))(keys)
        with _loose():
            if self._by_population:
                told = jnp.zeros(self.population)
                theirs = algorithm.init(to_init, first, told, parameters)
            else:
                groups = getattr(algorithm, "num_populations", None)
                mean = jnp.zeros(size if groups is None else (groups, size))
                theirs = algorithm.init(to_init, mean, parameters)
        return Guest(_arrays(theirs), first, to_init, jnp.zeros((), jnp.int32), none_refused())

    def ask(
        self, state: Guest, genome: AbstractGenome, *, key: PRNGKeyArray
    ) -> tuple[Guest, Float[Array, "genome gene"]]:
        algorithm, parameters = self._theirs(state.first.shape[1])
        to_ask, to_tell = jax.random.split(key)
        with _loose():
            genes, theirs = algorithm.ask(to_ask, state.theirs, parameters)
        if self._by_population:  # those who were sampled have to live first
            genes = jnp.where(state.generation == 0, state.first, genes)
        theirs = _as(theirs, state.theirs)
        return Guest(theirs, state.first, to_tell, state.generation, state.refused), genes

    def tell(
        self,
        state: Guest,
        genome: AbstractGenome,
        genes: Float[Array, "genome gene"],
        fitness: Float[Array, " genome"],
    ) -> Guest:
        algorithm, parameters = self._theirs(state.first.shape[1])
        fine = jnp.isfinite(fitness)
        worst = jnp.max(jnp.where(fine, -fitness, -jnp.inf))
        loss = jnp.where(fine, -fitness, jnp.where(jnp.isfinite(worst), worst, 0.0))
        with _loose():
            theirs, _ = algorithm.tell(state.luck, genes, loss, state.theirs, parameters)
            theirs = _as(theirs, state.theirs)
            if self._by_population:
                begun = algorithm.init(state.luck, genes, loss, parameters)
                pick = lambda new, old: jnp.where(state.generation == 0, new, old)  # noqa: E731
                theirs = jax.tree.map(pick, _as(begun, state.theirs), theirs)
        new = Guest(theirs, state.first, state.luck, state.generation + 1, state.refused)
        return last_finite(new, state)

    @property
    def _by_population(self) -> bool:
        return _kind(self.name)[1]

    def _theirs(self, size: int) -> tuple[Any, Any]:
        algorithm, usual = _made(self.name, self.population, size, self.settings)
        return algorithm, usual.replace(**self.parameters)


def _arrays(state: Any) -> Any:
    """A state that begins with Python's numbers could not go through a loop."""
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), state)


def _as(new: Any, old: Any) -> Any:
    """The new state in the types of the old one, which a loop must keep."""
    return jax.tree.map(lambda a, b: jnp.asarray(a, b.dtype), new, old)


@contextlib.contextmanager
def _loose():
    """Evosax mixes types and ranks, which whoever calls us may have forbidden."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@functools.cache
def _kind(name: str) -> tuple[Any, bool]:
    """An algorithm's class, and whether what evolves is a population."""
    theirs = needed("evosax.algorithms", "evosax")
    if name not in theirs.algorithms:
        near = difflib.get_close_matches(name, theirs.algorithms, n=3, cutoff=0.3)
        raise ValueError(
            f"evosax has no algorithm {name!r}. "
            f"{'Nearest: ' + ', '.join(near) + '. ' if near else ''}It has: "
            f"{', '.join(theirs.algorithms)}. For example `EvosaxStrategy('CMA_ES')`."
        )
    return theirs.algorithms[name], name in theirs.population_based_algorithms


@functools.lru_cache(maxsize=64)
def _made(name: str, population: int, size: int, settings: tuple) -> tuple[Any, Any]:
    """An algorithm of evosax and its usual parameters, made once, outside compiled programs."""
    groups = dict(settings).get("num_populations", 1)
    if population % groups:
        raise ValueError(
            f"{name} shares {population} genomes among {groups} populations, which does not come "
            f"out even. Use a population of {groups * max(1, population // groups)}."
        )
    with jax.ensure_compile_time_eval(), _loose():
        algorithm = _kind(name)[0](
            population_size=population // groups, solution=jnp.zeros(size), **dict(settings)
        )
        return algorithm, algorithm.default_params
