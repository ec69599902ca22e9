"""The genomic bottleneck against loops in NumPy, closed forms and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.genomes import Bottleneck
from neurula.neurons import Rate
from neurula.wirings import Dense, Grid, Sparse

KEY = jax.random.key(0)
BRAIN = nl.layered([5, 4, 3], key=KEY)


def codes(size, gray):
    """Strings of digits, written by Python."""
    wide = max(1, len(format(size - 1, "b")))
    numbers = [i ^ (i >> 1) if gray else i for i in range(size)]
    return [[1.0 if d == "1" else -1.0 for d in format(n, f"0{wide}b")] for n in numbers]


def by_loops(genes, hidden, pre, post, gray):
    """The weights of one projection, connection by connection."""
    xs, ys, weights = codes(pre, gray), codes(post, gray), np.zeros((post, pre))
    for i in range(post):
        for j in range(pre):
            said, place = np.array(xs[j] + ys[i]), 0
            for layer, above in enumerate((*hidden, 1)):
                said = np.tanh(said) if layer else said
                new = []
                for _ in range(above):
                    row = genes[place : place + len(said) + 1]
                    place += len(said) + 1
                    new.append((row[:-1] @ said + row[-1]) / np.sqrt(len(row)))
                said = np.array(new)
            weights[i, j] = said[0] / np.sqrt(pre)
    return weights, place


@pytest.mark.parametrize(("hidden", "code"), [((), "binary"), ((2,), "gray"), ((3, 2), "binary")])
def test_weights_are_those_of_loops(hidden, code):
    genome = Bottleneck(BRAIN, hidden=hidden, code=code)
    genes = np.asarray(genome.sample(key=KEY), np.float64)
    grown = genome.develop(jnp.asarray(genes, jnp.float32), key=KEY)
    first, used = by_loops(genes, hidden, 5, 4, code == "gray")
    second, rest = by_loops(genes[used:], hidden, 4, 3, code == "gray")
    assert genome.size == used + rest
    np.testing.assert_allclose(grown.projections[0].weight, first, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(grown.projections[1].weight, second, rtol=1e-4, atol=1e-6)


def test_a_linear_network_gives_a_row_plus_a_column():
    """w_ij = a_j + b_i, which has rank 2 at most and no interaction."""
    genome = Bottleneck(nl.layered([9, 8], key=KEY), hidden=())
    weight = genome.develop(genome.sample(key=KEY), key=KEY).projections[0].weight
    parts = weight.mean(0)[None, :] + weight.mean(1)[:, None] - weight.mean()
    np.testing.assert_allclose(weight, parts, atol=1e-5)
    assert np.linalg.matrix_rank(weight, tol=1e-4) == 2


def test_no_genes_no_weights():
    genome = Bottleneck(BRAIN, hidden=(3,))
    grown = genome.develop(jnp.zeros(genome.size), key=KEY)
    assert all(np.all(p.weight == 0) for p in grown.projections)


def test_gray_neighbours_differ_in_one_digit():
    listed = Bottleneck(nl.layered([16, 2], key=KEY)).codes("input")
    assert np.all((np.diff(listed, axis=0) != 0).sum(1) == 1)
    assert len({tuple(row) for row in listed}) == 16


def test_gradients_reach_the_genes():
    """Against finite differences of the error of what develops."""
    genome = Bottleneck(BRAIN, hidden=(2,))
    genes, seen = genome.sample(key=KEY), jnp.linspace(-1, 1, 5)[None, :]

    @jax.jit
    def error(genes):
        return jnp.sum((nl.respond(genome.develop(genes, key=KEY), seen) - 1.0) ** 2)

    slope = jax.jit(jax.grad(error))(genes)
    for place in (0, 7, genome.size - 1):
        step = jnp.zeros(genome.size).at[place].set(1e-2)
        rise = (error(genes + step) - error(genes - step)) / 2e-2
        np.testing.assert_allclose(slope[place], rise, rtol=2e-2, atol=2e-4)


def test_bits_are_counted():
    """Genes of 32 bits; codes: 5 cells of 3 digits, 4 of 2 and 3 of 2."""
    genome = Bottleneck(BRAIN, hidden=(2,))
    size = (2 * 6 + 3) + (2 * 5 + 3)
    assert genome.size == size
    assert genome.bits(codes=False) == 32 * size
    assert genome.bits() == 32 * size + 15 + 8 + 6


def test_sham_codes_hold_the_same_weights_in_other_places():
    brain = nl.layered([8, 6], key=KEY)
    genes = Bottleneck(brain).sample(key=KEY)
    grow = lambda how: Bottleneck(brain, shuffled=how).develop(genes, key=KEY)  # noqa: E731
    true, cells, connections = (
        np.asarray(grow(how).projections[0].weight) for how in (None, "cells", "connections")
    )
    np.testing.assert_allclose(np.sort(connections.ravel()), np.sort(true.ravel()), rtol=1e-6)
    assert not np.allclose(connections, true)
    assert np.linalg.matrix_rank(cells, tol=1e-4) == np.linalg.matrix_rank(true, tol=1e-4)
    listed = Bottleneck(brain, shuffled="cells").codes("input")
    assert {tuple(row) for row in listed} == {tuple(r) for r in Bottleneck(brain).codes("input")}
    assert not np.array_equal(listed, Bottleneck(brain).codes("input"))


def one_projection(wiring):
    cells = {"cells": nl.Population(wiring.shape[0], Rate("tanh"))}
    joined = nl.Projection("cells", "cells", wiring, wiring.fill(0.0))
    return nl.Network(cells, [joined], senses=["cells"], voices=["cells"])


def test_the_layout_of_a_wiring_does_not_matter():
    """The same connections as a matrix with holes and as a list get the same weights."""
    source, target = np.array([0, 2, 3, 1]), np.array([1, 1, 0, 3])
    mask = np.zeros((4, 4), bool)
    mask[target, source] = True
    listed = one_projection(Sparse(jnp.asarray(source), jnp.asarray(target), 4, 4))
    matrix = one_projection(Dense(4, 4, jnp.asarray(mask)))
    genes = Bottleneck(listed).sample(key=KEY)
    short = Bottleneck(listed).develop(genes, key=KEY).projections[0].weight
    long = Bottleneck(matrix).develop(genes, key=KEY).projections[0].weight
    assert np.all(np.asarray(long)[~mask] == 0)
    np.testing.assert_allclose(long[target, source], short, rtol=1e-5)


def test_connections_that_share_a_weight_get_the_mean():
    shared, own = (one_projection(Grid(3, 3, 4, shared=s)) for s in (True, False))
    genes = Bottleneck(own).sample(key=KEY)
    each = Bottleneck(own).develop(genes, key=KEY).projections[0].weight
    there = np.asarray(own.projections[0].wiring.exists)
    expected = [np.mean(np.asarray(each)[n][there[n]]) for n in range(4)]
    found = Bottleneck(shared).develop(genes, key=KEY).projections[0].weight
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_refuses_layers_without_cells():
    with pytest.raises(ValueError, match=r"at least one cell .* got hidden=\(0,\)"):
        Bottleneck(BRAIN, hidden=(0,))
