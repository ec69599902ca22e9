"""Cooperative synapse neuroevolution: what changes places, and what it finds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.evolvers import CoSyNE
from neurula.evolvers.cosyne import permute_marked
from neurula.genomes import Neat, Weights

GENOME = Weights(nl.layered([2, 3, 1], key=jax.random.key(0)))


def test_marked_genes_change_places_within_their_column_and_others_stay():
    genes = jax.random.normal(jax.random.key(0), (9, 4))
    marked = jax.random.bernoulli(jax.random.key(1), 0.6, genes.shape)
    turn = jax.vmap(lambda key: permute_marked(genes, marked, key=key))
    turned = np.asarray(jax.jit(turn)(jax.random.split(jax.random.key(2), 300)))
    stays = ~np.asarray(marked)
    assert (turned[:, stays] == np.asarray(genes)[stays]).all()
    assert (np.sort(turned, axis=1) == np.sort(np.asarray(genes), axis=0)).all()
    column = np.flatnonzero(np.asarray(marked)[:, 0])  # each marked one lands everywhere alike
    lands = np.mean(turned[:, column, 0] == np.asarray(genes)[column[0], 0], axis=0)
    np.testing.assert_allclose(lands, 1 / len(column), atol=0.1)


def test_the_best_stays_whole_and_the_worst_quarter_is_replaced():
    evolver = CoSyNE(population=8)
    state = evolver.init(GENOME, key=jax.random.key(0))
    state = evolver.tell(state, GENOME, state.genes, jnp.arange(8.0))
    _, genes = jax.jit(lambda s: evolver.ask(s, GENOME, key=jax.random.key(1)))(state)
    np.testing.assert_array_equal(genes[0], state.genes[7])
    lost = np.asarray(state.genes[:2])
    assert not np.isin(lost, np.asarray(genes)).any()


def test_it_finds_the_top_of_a_hill():
    def hill(network, *, key):
        weights = jnp.concatenate([jnp.ravel(p.weight) for p in network.projections])
        return -jnp.sum((weights - 3.0) ** 2)

    run = eqx.filter_jit(
        lambda key: nl.evolve(GENOME, CoSyNE(), hill, generations=300, key=key).fitness
    )
    assert run(jax.random.key(3)) > -3.0


def test_it_refuses_genes_that_are_no_vector():
    with pytest.raises(ValueError, match="evolves vectors of numbers"):
        CoSyNE().init(Neat(2, 1), key=jax.random.key(0))
    with pytest.raises(ValueError, match="A quarter of the networks breeds"):
        CoSyNE(population=3)
