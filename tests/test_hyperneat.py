"""Patterns are the functions that their genes say, and substrates get exactly these weights."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.genomes import HyperNeat, Neat, cppn, patterns, sandwich, sheet
from neurula.genomes.marks import NOTHING, mark
from neurula.genomes.neat_genes import add_cell_gene, add_connection_genes, empty
from neurula.network import Network, Population, Projection
from neurula.neurons import Rate
from neurula.populations import Positions
from neurula.reaching import reaches
from neurula.wirings import Dense, Grid, Sparse

KEY = jax.random.key(0)
FUNCTIONS = {
    "sin": np.sin, "gaussian": lambda x: np.exp(-(x**2)), "abs": np.abs, "identity": lambda x: x,
    "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "square": np.square,
}  # fmt: skip


def genes_of(neat, weights, hidden=()):
    """Genes by hand: {(source, target): weight}; cells of `hidden` = {name: kind} are added."""
    genes, marks = empty(neat.cells, neat.connections), {}
    names = [*[f"in{i}" for i in range(neat.inputs)], "bias"]
    names += [f"out{i}" for i in range(neat.outputs)]
    marks = {name: jnp.asarray(i, jnp.int32) for i, name in enumerate(names)}
    for index, (name, kind) in enumerate(dict(hidden).items()):
        marks[name] = mark(jnp.asarray(0), jnp.asarray(neat.inputs + 1), 50 + index)
        kind = jnp.asarray(neat.nonlinearities.index(kind), jnp.int32)
        genes = add_cell_gene(genes, marks[name], kind, jnp.ones((), bool))
    for (a, b), weight in weights.items():
        ends, weight = (marks[a][None], marks[b][None]), jnp.full(1, weight, jnp.float32)
        genes = add_connection_genes(genes, *ends, weight, jnp.ones(1, bool))
    return genes


@pytest.fixture(scope="module")
def grown():
    """Patterns that have grown for 40 mutations."""
    neat = cppn(4, 2, cells=8, connections=32, add_cell=0.3, add_connection=0.5)

    @eqx.filter_jit
    def grow(key):
        one = lambda genes, k: (neat.mutate(genes, key=k), None)  # noqa: E731
        return jax.lax.scan(one, neat.sample(key=key), jax.random.split(key, 40))[0]

    return neat, jax.vmap(grow)(jax.random.split(KEY, 8))


def by_hand(neat, genes, point):
    """A pattern at one point by recursion over connections, in NumPy."""
    genes = jax.tree.map(np.asarray, genes)
    fixed, known = neat.inputs + 1, dict(enumerate([*point, 1.0]))
    kinds = dict(zip(genes.cells.tolist(), genes.kind.tolist(), strict=True))

    def drive(cell):
        mine = np.flatnonzero((genes.target == cell) & genes.enabled)
        return sum(genes.weight[i] * value(int(genes.source[i])) for i in mine)

    def value(cell):
        if cell not in known:
            known[cell] = FUNCTIONS[neat.nonlinearities[kinds[cell]]](drive(cell))
        return known[cell]

    return [np.tanh(drive(fixed + i)) for i in range(neat.outputs)]


def test_patterns_are_those_of_an_independent_recursion(grown):
    neat, genes = grown
    points = jax.random.uniform(KEY, (5, 4), minval=-1.0, maxval=1.0)
    found = jax.jit(jax.vmap(lambda g: patterns(neat, g, points)))(genes)
    assert (np.asarray(genes.cells) != NOTHING).sum() > 20
    for i in range(8):
        one = jax.tree.map(lambda x: x[i], genes)  # noqa: B023
        expected = [by_hand(neat, one, np.asarray(p, float)) for p in points]
        np.testing.assert_allclose(found[i], expected, atol=2e-4)


def test_patterns_are_what_the_developed_network_settles_to(grown):
    neat, genes = grown
    one = jax.tree.map(lambda x: x[3], genes)
    point = jnp.array([0.3, -0.2, 0.9, -1.0])

    @eqx.filter_jit
    def settled(genes):
        network = neat.develop(genes, key=KEY)
        play = jnp.broadcast_to(point, (neat.cells + 1, 4))
        return nl.respond(network, play)[-1]

    np.testing.assert_allclose(settled(one), patterns(neat, one, point[None])[0], atol=1e-4)


def test_a_known_pattern_gives_exactly_its_weights():
    """o = sin(2 x1) - 0.5 y2, cut at 1 and thresholded, for every pair of cells."""
    neat = cppn(4, output="identity")
    said = {("in0", "a"): 2.0, ("a", "out0"): 1.0, ("in3", "out0"): -0.5}
    genome = HyperNeat(sandwich([(3, 3), (3, 3)]), neat, threshold=0.2, largest=3.0)
    network = genome.develop(genes_of(neat, said, {"a": "sin"}), key=KEY)
    places = np.asarray(sheet(3, 3))
    o = np.sin(2 * places[None, :, 0]) - 0.5 * places[:, None, 1]
    o = np.clip(o, -1, 1)
    expected = np.where(np.abs(o) > 0.2, 3 * np.sign(o) * (np.abs(o) - 0.2) / 0.8, 0)
    np.testing.assert_allclose(network.projections[0].weight, expected, atol=1e-5)
    mask = network.projections[0].wiring.mask
    assert np.array_equal(mask, np.abs(o) > 0.2)
    stimulus = np.linspace(-1, 1, 9)
    said = nl.respond(network, jnp.asarray(stimulus[None], jnp.float32))[0]
    np.testing.assert_allclose(said, np.tanh(expected @ stimulus), atol=1e-5)


def test_a_symmetric_pattern_gives_symmetric_weights():
    """A gaussian of x1 - x2 joins a to b as b to a; of distance, too."""
    neat = cppn(5)
    said = {("in0", "a"): 1.5, ("in2", "a"): -1.5, ("a", "out0"): 2.0, ("in4", "out0"): -0.7}
    genome = HyperNeat(sandwich([(2, 4), (2, 4)]), neat, with_distance=True)
    weight = genome.develop(genes_of(neat, said, {"a": "gaussian"}), key=KEY).projections[0].weight
    assert np.ptp(weight) > 0.5
    np.testing.assert_allclose(weight, weight.T, atol=1e-6)
    sheets = np.asarray(weight).reshape(2, 4, 2, 4)  # mirrored left to right, both at once
    np.testing.assert_allclose(sheets, sheets[:, ::-1, :, ::-1], atol=1e-6)


def test_expression_says_where_connections_are():
    neat = cppn(4, 2, output="identity")
    said = {("bias", "out0"): 0.1, ("in0", "out1"): 1.0}
    genome = HyperNeat(sandwich([(1, 3), (1, 2)]), neat, expression=True, largest=2.0)
    found = genome.develop(genes_of(neat, said), key=KEY).projections[0]
    np.testing.assert_allclose(found.weight, [[0, 0, 0.2], [0, 0, 0.2]], atol=1e-6)


def recurrent(wiring, weight):
    cells = Population(9, Rate("tanh"), Positions(sheet(3, 3)))
    loop = Projection("cells", "cells", wiring, weight)
    return Network({"cells": cells}, [loop], senses=["cells"], voices=["cells"])


def test_edges_lists_and_grids_are_filled_as_matrices_are():
    neat = cppn(4, output="identity")
    genes = genes_of(neat, {("in0", "out0"): 0.8, ("in3", "out0"): -0.3, ("bias", "out0"): 0.4})
    dense = HyperNeat(recurrent(Dense(9, 9), jnp.zeros((9, 9))), neat).develop(genes, key=KEY)
    matrix = np.asarray(dense.projections[0].weight)
    source, target = jnp.array([0, 4, 8]), jnp.array([1, 2, 3])
    sparse = recurrent(Sparse(source, target, 9, 9), jnp.zeros(3))
    weight = HyperNeat(sparse, neat).develop(genes, key=KEY).projections[0].weight
    np.testing.assert_allclose(weight, matrix[target, source], atol=1e-6)
    grid = Grid(3, 3)
    found = HyperNeat(recurrent(grid, grid.fill(0.0)), neat).develop(genes, key=KEY)
    middle = [found.projections[0].weight[i, 4] for i in range(8)]
    near = [matrix[4, 4 + 3 * down + right] for down, right in grid.offsets]
    np.testing.assert_allclose(middle, near, atol=1e-6)
    assert (np.asarray(found.projections[0].weight)[~np.asarray(grid.exists)] == 0).all()


def test_whether_a_way_leads_from_senses_to_voices():
    network = sandwich([(1, 2), (1, 2), (1, 1)])

    def joined(first, second):
        ends = (network.projections[0], network.projections[1])
        weights = [jnp.asarray(w, jnp.float32) for w in (first, second)]
        filled = (eqx.tree_at(lambda p: p.weight, p, w) for p, w in zip(ends, weights, strict=True))
        return eqx.tree_at(lambda n: n.projections, network, tuple(filled))

    there = joined([[0, 1], [0, 0]], [[-1, 0]])
    gone = joined([[0, 1], [0, 0]], [[0, 5]])
    found = eqx.filter_jit(lambda networks: [reaches(n) for n in networks])([there, gone])
    assert bool(found[0])
    assert not bool(found[1])
    life = nl.Connected(lambda network, *, key: jnp.ones(()))
    assert life(there, key=KEY).fitness == 1
    assert life(gone, key=KEY).fitness == -jnp.inf


def test_refusals():
    placed = sandwich([(1, 2), (1, 2)])
    with pytest.raises(ValueError, match="no path leads from the senses"):
        HyperNeat(Network(placed.populations, [], senses=["input"], voices=["output"]))
    with pytest.raises(ValueError, match=r"pattern is painted over places.*'input': None"):
        HyperNeat(nl.layered([2, 2], key=KEY))
    with pytest.raises(ValueError, match="of 4 coordinates and with 1 outputs, but got 2 and 1"):
        HyperNeat(placed, cppn(2))
    with pytest.raises(ValueError, match="loops=True"):
        HyperNeat(placed, Neat(4, 1, loops=True))
    with pytest.raises(ValueError, match="threshold=1"):
        HyperNeat(placed, threshold=1.0)
    grid = Grid(3, 3, shared=True)
    with pytest.raises(ValueError, match="many share one"):
        HyperNeat(recurrent(grid, grid.fill(0.0)))
    with pytest.raises(ValueError, match="two sheets at least"):
        sandwich([(2, 2)])
    neat = cppn(4)
    with pytest.raises(ValueError, match="4 coordinates, without loops, but got points with 3"):
        patterns(neat, neat.sample(key=KEY), jnp.zeros((2, 3)))
