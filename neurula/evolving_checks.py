"""What every genome and every evolver promise, as checks for parts of one's own."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .evolution import evolve
from .heredity import AbstractEvolver, AbstractGenome, AbstractVectorGenome, Life


def check_genome(genome: AbstractGenome) -> None:
    """Genes keep their shapes; the same key gives the same; distance is one; it develops."""
    keys = jax.random.split(jax.random.key(0), 6)
    sample = lambda k: genome.sample(key=k)  # noqa: E731

    @eqx.filter_jit
    def all_of_it() -> dict:
        one, other = sample(keys[0]), sample(keys[1])
        distance = genome.distance
        return {
            "one": one,
            "again": sample(keys[0]),
            "other": other,
            "mutant": genome.mutate(one, key=keys[2]),
            "same mutant": genome.mutate(one, key=keys[2]),
            "child": genome.cross(one, other, key=keys[3]),
            "to itself": distance(one, one),
            "there": distance(one, other),
            "back": distance(other, one),
        }

    found = all_of_it()
    shape = lambda genes: jax.tree.map(lambda x: (x.shape, x.dtype), genes)  # noqa: E731
    for name in ("other", "mutant", "child"):
        assert shape(found[name]) == shape(found["one"]), f"the {name} has genes of other shapes"
    assert _same(found["one"], found["again"]), "the same key sampled other genes"
    assert _same(found["mutant"], found["same mutant"]), "the same key mutated otherwise"
    assert not _same(found["one"], found["other"]), "two keys sampled the same genes"
    assert found["to itself"] == 0, f"distance to itself is {found['to itself']}, not 0"
    assert np.isclose(found["there"], found["back"]), "distance depends on the direction"
    assert found["there"] > 0, "two random genomes are at distance 0"
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(_floats(found["mutant"])))
    if isinstance(genome, AbstractVectorGenome):
        assert found["one"].shape == (genome.size,), f"`size` is {genome.size}"
    _check_development(genome, found["one"], keys[4])


def _check_development(genome: AbstractGenome, genes: object, key: jax.Array) -> None:
    """Finite, the same again for the same key, and side by side as one by one."""
    grow = lambda genes: _floats(genome.develop(genes, key=key))  # noqa: E731
    grown = eqx.filter_jit(grow)(genes)
    assert _same(grown, eqx.filter_jit(grow)(genes)), "the same key grew something else"
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(grown)), "it grew numbers not finite"
    pair = jax.tree.map(lambda x: jnp.stack([x, x]), genes)
    side = eqx.filter_jit(lambda genes: jax.vmap(grow)(genes))(pair)
    for one, two in zip(jax.tree.leaves(grown), jax.tree.leaves(side), strict=True):
        np.testing.assert_allclose(two[1], one, rtol=1e-4, atol=1e-5)


def check_evolver(
    evolver: AbstractEvolver,
    genome: AbstractGenome,
    *,
    generations: int = 30,
    rises: bool = True,
) -> None:
    """It raises a fitness that can be raised, survives NaN, and repeats itself for the same key.

    Fitness is minus the distance of what develops from something drawn at random, NaN for one life
    in ten; behaviour is its first two numbers. `rises=False` for a search without memory, which
    starts anew in every generation, or one that looks for something else.
    """
    goal = _numbers(genome.develop(genome.sample(key=jax.random.key(99)), key=jax.random.key(98)))

    def near(developed: object, *, key: jax.Array) -> Life:
        numbers = _numbers(developed)
        distance = jnp.sqrt(jnp.mean((numbers - goal) ** 2))
        fitness = jnp.where(jax.random.uniform(key) < 0.1, jnp.nan, -distance)
        return Life(fitness, behaviour=numbers[:2])

    run = eqx.filter_jit(
        lambda key: evolve(genome, evolver, near, generations=generations, key=key)
    )
    first, again = run(jax.random.key(0)), run(jax.random.key(0))
    assert _same(first.genes, again.genes), "the same key evolved something else"
    assert not _same(first.genes, run(jax.random.key(1)).genes), "two keys evolved the same"
    lives = int(first.evaluations)
    assert lives == generations * evolver.population, (
        f"{lives} lives in {generations} generations of {evolver.population}"
    )
    best = np.asarray(first.curves["best"])
    assert np.isfinite(best).all(), "a generation without a single finite fitness"
    late = best[-generations // 4 :].mean()
    assert late > best[0] or not rises, (
        f"fitness did not rise: {best[0]:.4g} at first, {late:.4g} at the end"
    )


def _numbers(developed: object) -> jax.Array:
    return ravel_pytree(eqx.filter(developed, eqx.is_inexact_array))[0]


def _floats(tree: object) -> object:
    return eqx.filter(tree, eqx.is_inexact_array)


def _same(one: object, other: object) -> bool:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
