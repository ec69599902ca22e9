"""Strings of genes: what crossover at points keeps together, and what it may not do."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.genomes import Bits, Vector
from neurula.heredity import crossed

KEYS = jax.random.split(jax.random.key(0), 4000)


def children(points, size=6):
    """Where each of many children changes parents: (child, gap between genes)."""
    zeros, ones = jnp.zeros(size, bool), jnp.ones(size, bool)
    cross = jax.jit(jax.vmap(lambda key: crossed(zeros, ones, points, key=key)))
    born = np.asarray(cross(KEYS))
    return born, np.diff(born, axis=1)


@pytest.mark.parametrize("points", [1, 2, 3])
def test_parents_change_at_so_many_places_all_equally_likely(points):
    born, changes = children(points)
    assert (changes.sum(1) == points).all()
    sets = list(itertools.combinations(range(5), points))
    counts = [(changes[:, list(one)].all(1)).mean() for one in sets]
    np.testing.assert_allclose(counts, 1 / len(sets), atol=0.025)
    assert born[:, 0].mean() == pytest.approx(0.5, abs=0.03)


def test_without_points_genes_come_one_by_one():
    born, _ = children(None)
    np.testing.assert_allclose(np.corrcoef(born.T.astype(float)), np.eye(6), atol=0.06)


def test_blocks_survive_two_points_more_often_than_mixing():
    """Five neighbours of 30 from one parent, or from the other: in closed form.

    Of 29 gaps 4 lie inside: they stay together unless a cut is inside, chance C(25,2) / C(29,2);
    and mixed gene by gene, 2 / 2^5.
    """
    for points, expected in ((2, 25 * 24 / (29 * 28)), (None, 2 / 32)):
        born, _ = children(points, 30)
        whole = (born[:, 10:15].all(1) | ~born[:, 10:15].any(1)).mean()
        assert whole == pytest.approx(expected, abs=0.03)


def test_refuses_more_cuts_than_gaps():
    with pytest.raises(ValueError, match=r"6 genes can be cut at 1 to 5 places, but got points=6"):
        crossed(jnp.zeros(6), jnp.ones(6), 6, key=KEYS[0])


def test_bits_flip_by_chance_and_develop_in_their_order():
    genome = Bits(40, order=jax.random.permutation(KEYS[0], 40))
    genes = genome.sample(key=KEYS[1])
    mutants = np.asarray(jax.vmap(lambda key: genome.mutate(genes, key=key))(KEYS))
    flips = (mutants != np.asarray(genes)).sum(1)
    assert flips.mean() == pytest.approx(1.0, abs=0.06)  # one in 40, 40 of them
    assert (flips == 0).mean() == pytest.approx((39 / 40) ** 40, abs=0.03)
    grown = genome.develop(genes, key=KEYS[0])
    np.testing.assert_array_equal(grown, np.asarray(genes, np.float32)[np.asarray(genome.order)])
    np.testing.assert_array_equal(genome.encode(grown), genes)
    assert genome.distance(genes, ~genes) == 1


def test_vectors_are_what_they_are():
    genome = Vector(500, spread=3.0, mutation=0.5, points=2)
    genes = genome.sample(key=KEYS[0])
    assert np.std(genes) == pytest.approx(3.0, rel=0.1)
    assert np.std(genome.mutate(genes, key=KEYS[1]) - genes) == pytest.approx(0.5, rel=0.1)
    child = genome.cross(genes, -genes, key=KEYS[2])
    assert (np.diff(np.asarray(child == genes)) != 0).sum() == 2
    np.testing.assert_array_equal(genome.encode(genome.develop(genes, key=KEYS[3])), genes)
