"""Wiring without weights: what is inherited, and lives with weights that all connections share."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import neurula as nl
from neurula.genomes import Neat, WeightAgnostic, rewired
from neurula.genomes.marks import NOTHING
from neurula.lives import scaled
from neurula.response import respond

GRAPH = Neat(2, 1, cells=4, connections=12, add_cell=0.6, add_connection=0.6, output="identity")
GENOME = WeightAgnostic(GRAPH, born=1.0)


@eqx.filter_jit
def grown(key):
    """Genes after eight mutations."""
    mutate = lambda genes, k: (GENOME.mutate(genes, key=k), None)  # noqa: E731
    return jax.lax.scan(mutate, GENOME.sample(key=key), jax.random.split(key, 8))[0]


def test_every_enabled_connection_has_the_weight_one(key):
    genes = grown(key)
    assert int(genes.sizes()[1]) > 3
    np.testing.assert_array_equal(genes.weight, np.where(genes.exists, 1.0, 0.0))
    network = GENOME.develop(genes, key=key)
    enabled = int(jnp.sum((genes.exists & genes.enabled).astype(jnp.int32)))
    biases = sum(
        float(jnp.sum(jnp.abs(p.neuron.bias)))
        for p in network.populations.values()
        if p.neuron.bias is not None
    )
    assert sum(float(jnp.sum(p.weight)) for p in network.projections) + biases == enabled


def test_a_shared_weight_multiplies_weights_and_biases():
    """A line: 2 (x + y + 1) for the minimal graph with the weight 2."""
    network = GENOME.develop(GENOME.sample(key=jax.random.key(0)), key=jax.random.key(0))
    answer = respond(scaled(network, jnp.float32(2.0)), jnp.array([[0.3, -0.1]]))
    np.testing.assert_allclose(answer[-1], [2 * (0.3 - 0.1 + 1)], rtol=1e-6)


def test_lives_with_shared_weights_are_averaged_and_their_steps_summed(key):
    network = GENOME.develop(GENOME.sample(key=key), key=key)

    def life(developed, *, key):
        return nl.Life(respond(developed, jnp.array([[0.0, 0.0]]))[-1, 0] ** 2, steps=jnp.ones(()))

    found = nl.SharedWeights(life, jnp.array([-1.0, 2.0, 3.0]))(network, key=key)
    np.testing.assert_allclose(found.fitness, (1 + 4 + 9) / 3, rtol=1e-6)
    assert float(found.steps) == 3


def test_rewired_graphs_have_the_size_and_the_kinds_but_any_ends(key):
    kinds = Neat(3, 2, cells=6, connections=40, add_cell=0.6, nonlinearities=("tanh", "sin", "abs"))
    genome = WeightAgnostic(kinds)

    @jax.vmap
    def both(key):
        mutate = lambda genes, k: (genome.mutate(genes, key=k), None)  # noqa: E731
        genes = jax.lax.scan(mutate, genome.sample(key=key), jax.random.split(key, 12))[0]
        return genes, rewired(genes, 3, 2, key=key)

    old, new = jax.jit(both)(jax.random.split(key, 64))
    size = lambda genes: jnp.sum((genes.exists & genes.enabled).astype(jnp.int32))  # noqa: E731
    np.testing.assert_array_equal(jax.vmap(size)(new), jax.vmap(size)(old))
    np.testing.assert_array_equal(new.cells, old.cells)
    different = 0
    for i in range(64):
        before, after = (jax.tree.map(lambda x, i=i: np.asarray(x[i]), g) for g in (old, new))
        there = before.cells != NOTHING
        assert sorted(before.kind[there].tolist()) == sorted(after.kind[there].tolist())
        marks = after.innovation[after.innovation != NOTHING]
        assert (np.diff(marks) > 0).all()  # sorted, and no pair twice
        different += set(marks.tolist()) != set(before.innovation[before.enabled].tolist())
    assert different > 55
    network = genome.develop(jax.tree.map(lambda x: x[0], new), key=key)
    assert all(bool(jnp.isfinite(p.weight).all()) for p in network.projections)


def test_at_birth_so_many_connections_are_enabled():
    graph = Neat(9, 5)
    for born in (0.0, 0.3, 1.0):
        draw = jax.vmap(lambda k, b=born: WeightAgnostic(graph, born=b).sample(key=k).enabled)
        share = jax.jit(draw)(jax.random.split(jax.random.key(0), 200)).sum() / (200 * 50)
        np.testing.assert_allclose(share, born, atol=0.02)
