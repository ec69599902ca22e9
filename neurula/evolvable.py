"""Refuses, before anything is compiled, what cannot evolve."""

import inspect
import operator
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from .heredity import AbstractEvolver, AbstractGenome, Life, as_life

Fitness = Callable[..., Any]  # fitness(developed, key=key) -> a number or a `Life`


def check_evolution(
    genome: AbstractGenome,
    evolver: AbstractEvolver,
    fitness: Fitness,
    generations: int,
    *,
    lamarck: bool = False,
) -> Any:
    """Refuse, before anything is compiled, what cannot evolve. Gives the shapes of one's genes."""
    _check_parts(genome, evolver, generations)
    _check_call(fitness)
    key = jax.random.key(0)
    genes = eqx.filter_eval_shape(lambda k: genome.sample(key=k), key)

    def life(genes: Any, key: PRNGKeyArray) -> Any:
        found = fitness(genome.develop(genes, key=key), key=key)
        _check_number(found.fitness if isinstance(found, Life) else found)
        found = as_life(found)
        if lamarck:
            _check_learned(genome, genes, found)
        return found.fitness

    eqx.filter_eval_shape(life, genes, key)
    return genes


def _check_parts(genome: Any, evolver: Any, generations: Any) -> None:
    for part, kind in ((genome, AbstractGenome), (evolver, AbstractEvolver)):
        if not isinstance(part, kind):
            raise ValueError(
                f"Evolution takes a genome, an evolver and a fitness, in this order, but got "
                f"{_named(part)} where an {kind.__name__} was expected. Use for example "
                "`evolve(genomes.Weights(brain), evolvers.SNES(64), fitness, ...)`."
            )
    for what, number in (("generations", generations), ("population", evolver.population)):
        if not _counts(number):
            raise ValueError(
                f"Evolution takes at least one generation of at least one genome, in whole "
                f"numbers, but got {what}={number}. Use for example `{what}=100`."
            )


def _check_call(fitness: Any) -> None:
    """Refuse what cannot be called as fitness(developed, key=key)."""
    try:
        inspect.signature(fitness).bind(None, key=None)
    except (TypeError, ValueError) as error:  # ValueError: a built-in without a signature
        raise ValueError(
            f"A fitness is called as `fitness(developed, key=key)`, but got {_named(fitness)}, "
            f"for which Python says: {error}. Write `def fitness(developed, *, key): ...`."
        ) from None


def _check_number(found: Any) -> None:
    """Refuse a fitness that is not one real number."""
    try:
        value = jnp.asarray(found)
    except (TypeError, ValueError):
        value = None
    shape = None if value is None else value.shape
    if value is None or jnp.iscomplexobj(value):
        what = f"{_named(found)}" if value is None else "a complex number"
    elif shape != ():
        what = f"{shape} numbers"
    else:
        return
    raise ValueError(
        f"A fitness is one number, or a `Life` that holds it, but `fitness` gave {what}: who is "
        "fitter could not be told. Return their mean, or whatever is to be raised."
    )


def _check_learned(genome: AbstractGenome, genes: Any, life: Life) -> None:
    """Refuse what Lamarck could not inherit: no learning, or another block than what was born."""
    if type(genome).encode is AbstractGenome.encode:
        genome.encode(life.learned)  # says so
    if life.learned is None:
        raise ValueError(
            "With lamarck=True what a life has learned is inherited, but `fitness` gave no "
            "`learned`: nothing could be written back. Return `Life(score, learned=block)`, as "
            "`OnTask(task, rule, optimiser, steps=100)` does, or use `lamarck=False`."
        )
    shapes = lambda genes: [x.shape for x in jax.tree.leaves(genes)]  # noqa: E731
    try:
        got = f"genes of {shapes(genome.encode(life.learned))}"
        fits = got == f"genes of {shapes(genes)}"
    except (TypeError, ValueError) as error:  # from shapes that do not fit each other
        got, fits = f"none ({error})", False
    if not fits:
        raise ValueError(
            f"What a life has learned is inherited as genes of {shapes(genes)}, but it gives {got}:"
            " `learned` is another block than the one that developed. Return that one, with the "
            "numbers that it has after learning: `Life(score, learned=block)`."
        )


def _counts(number: Any) -> bool:
    try:
        return operator.index(number) >= 1
    except TypeError:
        return False


def _named(thing: Any) -> str:
    """A thing in a few words."""
    if inspect.isclass(thing):
        return f"the class {thing.__name__} itself"
    return f"{type(thing).__name__} {thing!r}"[:80] if _plain(thing) else type(thing).__name__


def _plain(thing: Any) -> bool:
    return thing is None or isinstance(thing, str | int | float | dict)
