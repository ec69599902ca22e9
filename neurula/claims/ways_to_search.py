"""Two ways to search for the weights of a network: down a gradient, or by generations.

Rumelhart, Hinton & Williams (1986), Nature 323:533; Salimans et al. (2017), arXiv:1703.03864.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Sample
from ..genomes import Weights
from ..heredity import AbstractEvolver

Genes = Float[Array, " gene"]
Loss = Callable[[Genes, Sample], Float[Array, ""]]  # of genes, on stacked examples


class Way(NamedTuple):
    """A way to search: where it begins, one update, its answer, and how it spends its budget."""

    begin: Any
    update: Callable[[Any, Sample, PRNGKeyArray], Any]
    answer: Callable[[Any], Genes]
    pictures: int  # in an update, the same for a whole population
    price: int  # forward passes of an update
    updates: int


def descent(
    loss: Loss,
    optimiser: optax.GradientTransformation,
    genome: Weights,
    pictures: int,
    updates: int,
    *,
    backward: int,
) -> Way:
    """From genes of 0 down the gradient; a backward pass costs `backward` forward ones."""

    def update(state: Any, seen: Sample, key: PRNGKeyArray) -> Any:
        genes, memory = state
        slope = jax.grad(loss)(genes, seen)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
            step, memory = optimiser.update(slope, memory)
        return genes + step, memory

    start = jnp.zeros(genome.size)
    begin, price = (start, optimiser.init(start)), pictures * (1 + backward)
    return Way(begin, update, lambda state: state[0], pictures, price, updates)


def evolution(
    loss: Loss,
    evolver: AbstractEvolver,
    deviation: Float[Array, ""],
    genome: Weights,
    pictures: int,
    updates: int,
    *,
    shuffled: bool = False,
    best: bool = False,
) -> Way:
    """Generations that all see the same pictures; the evolver's genes count `deviation` each.

    The answer is the centre of the search, or the `best` ever seen. What is `shuffled` learns whose
    fitness was whose at random.
    """

    def update(state: Any, seen: Sample, key: PRNGKeyArray) -> Any:
        state, champion, least = state
        at_ask, at_sham = jax.random.split(key)
        state, genes = evolver.ask(state, genome, key=at_ask)
        losses = jax.vmap(loss, (0, None))(deviation * genes, seen)
        told = jax.random.permutation(at_sham, losses) if shuffled else losses
        state = evolver.tell(state, genome, genes, -told)
        first = jnp.argmin(losses)
        champion = jnp.where(losses[first] < least, genes[first], champion)
        return state, champion, jnp.minimum(least, losses[first])

    key = jax.random.key(0)  # vector strategies begin without chance
    begin = evolver.init(genome, key=key), jnp.zeros(genome.size), jnp.asarray(jnp.inf)
    answer = lambda state: deviation * (state[1] if best else state[0].mean)  # noqa: E731
    price = evolver.population * pictures
    return Way(begin, update, answer, pictures, price, updates)


def slower(rate: Float[Array, ""], updates: int) -> optax.Schedule:
    """A rate that falls to 0 along half a cosine."""
    return optax.cosine_decay_schedule(rate, updates)
