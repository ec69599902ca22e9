"""Weights are the start plus a fixed random matrix times the genes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import neurula as nl
from neurula.genomes import RandomProjection
from neurula.network import trainable
from neurula.wirings import Dense

BRAIN = nl.layered([4, 30, 2], key=jax.random.key(0))
numbers = lambda brain: ravel_pytree(trainable(brain))[0]  # noqa: E731


def test_weights_are_the_start_plus_the_matrix_times_the_genes():
    genome = RandomProjection(BRAIN, 7, scale=0.5, seed=3)
    genes = genome.sample(key=jax.random.key(1))
    grown = genome.develop(genes, key=jax.random.key(2))
    matrix = np.asarray(genome.matrix(), np.float64)
    hand = np.asarray(numbers(BRAIN), np.float64) + matrix @ np.asarray(genes, np.float64)
    np.testing.assert_allclose(numbers(grown), hand, atol=1e-5)
    start = genome.develop(jnp.zeros(7), key=jax.random.key(2))
    np.testing.assert_array_equal(numbers(start), numbers(BRAIN))
    assert matrix.shape == (4 * 30 + 30 * 2 + 30 + 2, 7)
    assert matrix.std() == pytest.approx(0.5 / np.sqrt(7), rel=0.05)
    other = RandomProjection(BRAIN, 7, scale=0.5, seed=4).matrix()
    assert abs(np.corrcoef(matrix.ravel(), np.ravel(other))[0, 1]) < 0.1


def test_a_population_shares_one_matrix_and_the_genome_keeps_none():
    """Nothing of the size of the matrix is kept, and a population draws it a single time."""
    genome = RandomProjection(BRAIN, 50)
    matrix = genome.matrix().size
    assert max(x.size for x in jax.tree.leaves(eqx.filter(genome, eqx.is_array))) < matrix / 10
    grow = jax.vmap(lambda genes: numbers(genome.develop(genes, key=jax.random.key(0))))
    program = str(jax.make_jaxpr(grow)(jnp.zeros((9, 50))))
    assert f"f32[{matrix // 50},50]" in program
    assert f"f32[9,{matrix // 50},50]" not in program


def test_holes_stay_empty_and_too_many_genes_are_refused():
    holes = Dense(3, 4, jnp.arange(12).reshape(3, 4) % 2 == 0)
    brain = nl.layered([4, 3], wirings=[holes], key=jax.random.key(0))
    genome = RandomProjection(brain, 5)
    grown = genome.develop(jnp.ones(5), key=jax.random.key(0))
    weight = np.asarray(grown.projections[0].weight)
    assert (weight[~np.asarray(holes.mask)] == 0).all()
    assert (weight[np.asarray(holes.mask)] != 0).all()
    with pytest.raises(ValueError, match="at most one for each of the 15 trainable"):
        RandomProjection(brain, 16)
    with pytest.raises(ValueError, match="scale above 0"):
        RandomProjection(brain, 5, scale=0.0)
