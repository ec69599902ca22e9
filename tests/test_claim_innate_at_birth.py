"""What the experiment on wiring without weights rests on: even weights, slices, drift."""

import equinox as eqx
import jax
import numpy as np

from neurula.claims.innate_at_birth import (
    LAYERED,
    SLICES,
    WIDEST,
    InnateAtBirth,
    Mutants,
    fresh_weights,
    shared,
)
from neurula.genomes import Neat
from neurula.network import trainable

CLAIM = InnateAtBirth(steps=3)


def numbers(network):
    return np.concatenate([np.ravel(x) for x in jax.tree.leaves(trainable(network))])


def test_the_layered_network_has_one_weight_64_times(key):
    network, _ = CLAIM.champion(LAYERED, key=key)
    np.testing.assert_array_equal(numbers(network), np.ones(64))


def test_what_evolved_with_weights_is_tried_with_one_for_all(key):
    graph = Neat(5, 1, cells=3, connections=12)
    network = graph.develop(graph.sample(key=key), key=key)
    assert len(np.unique(np.abs(numbers(network)))) > 5
    np.testing.assert_array_equal(numbers(shared(network)), numbers(network) != 0)


def test_fresh_weights_are_one_from_each_slice_of_their_range(key):
    found = np.asarray(fresh_weights(key))
    edges = np.linspace(-WIDEST, WIDEST, SLICES + 1)
    assert (found > edges[:-1]).all()
    assert (found < edges[1:]).all()
    assert (found != np.asarray(fresh_weights(jax.random.key(5)))).all()


def test_drifting_graphs_mutate_up_to_so_many_times():
    genome = Mutants(Neat(2, 1, cells=8, connections=40, add_cell=1.0), 6, born=1.0)
    draw = eqx.filter_jit(jax.vmap(lambda k: genome.sample(key=k).sizes()[0]))
    cells = np.asarray(draw(jax.random.split(jax.random.key(0), 256)))
    assert cells.max() == 6
    assert cells.min() == 0
    assert 2.5 < cells.mean() < 3.5  # uniform from 0 to 6
