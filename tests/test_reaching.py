"""Paths from senses to voices, as graphs have them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import networkx
import numpy as np
import pytest

import neurula as nl
from neurula.reaching import reaches, require_path
from neurula.wirings import Dense


def sparse(rate):
    """Twelve cells in a free graph, with entries and exits at a few of them."""

    def make(key):
        inner = jax.random.bernoulli(key, rate, (12, 12))
        return nl.free(
            Dense(12, 12, inner), inputs=2, outputs=2, sensory=[0, 1], motor=[10, 11], key=key
        )

    return make


def test_it_says_what_a_graph_says():
    make = sparse(0.1)
    found = []
    judge = eqx.filter_jit(reaches)
    for seed in range(24):
        network = make(jax.random.key(seed))
        graph = nl.to_networkx(network)
        pairs = [(("input", i), ("output", o)) for i in range(2) for o in range(2)]
        there = any(networkx.has_path(graph, a, b) for a, b in pairs)
        assert bool(judge(network)) == there
        found.append(there)
    assert 4 < np.sum(found) < 20  # both happen


def test_what_joins_nothing_is_unfit_and_said():
    whole = nl.layered([2, 3, 1], key=jax.random.key(0))
    cut = nl.lesion(whole, {"hidden1": jnp.ones(3, bool)})
    life = nl.Connected(lambda network, *, key: jnp.asarray(3.0))
    assert life(whole, key=jax.random.key(0)).fitness == 3
    assert life(cut, key=jax.random.key(0)).fitness == -np.inf
    require_path(whole)
    with pytest.raises(ValueError, match=r"No path leads .* unfit"):
        require_path(cut)
