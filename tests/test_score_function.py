"""The score function against gradients in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.evolvers import NoveltySearch, ScoreFunction
from neurula.evolvers.score_function import Drawer
from neurula.genomes import Bits, Neat, Vector

SLOPE = jnp.asarray([3.0, -4.0, 0.0])
KEYS = jax.random.split(jax.random.key(0), 4000)


def mean_gradients(genome, mean, search):
    """What Adam is told at first, on average; its memory of it is a tenth (1 - 0.9)."""

    def told(key):
        start = search.init(genome, key=key)
        state, genes = search.ask(Drawer(mean, start.memory, start.refused), genome, key=key)
        after = search.tell(state, genome, genes, 7.0 + genes.astype(jnp.float32) @ SLOPE)
        return 10 * after.memory.mu

    found = np.asarray(jax.jit(jax.vmap(told))(KEYS))
    return found.mean(0), found.std(0) / len(KEYS) ** 0.5


def test_normal_draws_give_the_slope():
    """Of a linear fitness the expectation has that slope, wherever and however wide."""
    search = ScoreFunction(8, deviation=0.4)
    found, error = mean_gradients(Vector(3), jnp.array([1.0, -2.0, 0.5]), search)
    assert (np.abs(found - SLOPE) < 4 * error).all()
    assert error.max() < 0.2


def test_bits_give_the_slope_times_their_variance():
    odds = jnp.array([1.0, -2.0, 0.5])
    chance = 1 / (1 + np.exp(-np.asarray(odds)))
    found, error = mean_gradients(Bits(3), odds, ScoreFunction(8))
    assert (np.abs(found - chance * (1 - chance) * SLOPE) < 4 * error).all()
    assert error.max() < 0.1


def test_lives_that_fail_count_as_the_worst_of_the_others():
    search, genome = ScoreFunction(3), Vector(3)
    state, genes = search.ask(search.init(genome, key=KEYS[0]), genome, key=KEYS[0])
    fails = search.tell(state, genome, genes, jnp.array([1.0, -jnp.inf, -2.0]))
    worst = search.tell(state, genome, genes, jnp.array([1.0, -2.0, -2.0]))
    np.testing.assert_array_equal(fails.mean, worst.mean)
    nobody = search.tell(state, genome, genes, jnp.full(3, -jnp.inf))
    assert nobody.refused == 1
    np.testing.assert_array_equal(nobody.mean, state.mean)


def test_it_refuses_what_has_no_distribution_here():
    with pytest.raises(ValueError, match="ScoreFunction evolves vectors"):
        ScoreFunction().init(Neat(2, 1), key=KEYS[0])
    with pytest.raises(ValueError, match=r"at least 2 genomes .* got population=1"):
        ScoreFunction(1)
    assert NoveltySearch(2, ScoreFunction(20)).population == 20
