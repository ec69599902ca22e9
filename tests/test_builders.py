"""Ready-made networks against networks written by hand, and first weights against theory."""

import jax
import jax.numpy as jnp
import networkx
import numpy as np
import optax
import pytest
from compiled import free, layered, learn, lesion, respond

from neurula import builders, from_networkx, to_networkx, wirings
from neurula.network import Population, Positions
from neurula.neurons import Leaky, Rate
from neurula.populations import Projection
from neurula.rules import Backprop
from neurula.tasks import Recall
from neurula.weights import fan_in

CELLS = 12


def parts(network):
    """Weights by name of the projection, and biases by name of the population."""
    biases = {n: p.neuron.bias for n, p in network.populations.items()}
    return {p.name: p.weight for p in network.projections}, biases


def stirred(network, key):
    """The network with biases that are not zero."""
    count = iter(jax.random.split(key, 9))

    def stir(leaf):
        return leaf if leaf.ndim != 1 else jax.random.normal(next(count), leaf.shape)

    return jax.tree.map(lambda x: stir(x) if x.dtype == jnp.float32 else x, network)


def test_layered_is_a_multilayer_perceptron(key):
    network = stirred(layered([5, 7, 6, 3], key=key), key)
    weights, biases = parts(network)
    x = jax.random.normal(key, (4, 5))
    hidden = jnp.tanh(x @ weights["input->hidden1"].T + biases["hidden1"][None])
    hidden = jnp.tanh(hidden @ weights["hidden1->hidden2"].T + biases["hidden2"][None])
    expected = hidden @ weights["hidden2->output"].T + biases["output"][None]
    np.testing.assert_allclose(respond(network, x), expected, rtol=1e-4, atol=1e-5)


def test_with_delay_activity_takes_a_step_per_layer(key):
    now, late = (stirred(layered([5, 7, 3], delay=d, key=key), key) for d in (0, 1))
    x = jax.random.normal(key, (6, 5))
    np.testing.assert_allclose(respond(late, x)[2:], respond(now, x)[:-2], rtol=1e-4, atol=1e-5)


def test_layered_takes_other_cells_and_wirings(key):
    relu = layered([4, 6, 2], neuron=lambda size: Rate("relu", jnp.ones(size)), key=key)
    few = wirings.patches((1, 6), (1, 4), radius=1.0)
    local = layered([4, 6, 2], wirings=[few, wirings.Dense(2, 6)], key=key)
    weights, _ = parts(relu)
    x = jax.random.normal(key, (1, 4))
    expected = jax.nn.relu(x @ weights["input->hidden1"].T + 1) @ weights["hidden1->output"].T
    np.testing.assert_allclose(respond(relu, x), expected, rtol=1e-4, atol=1e-5)
    assert (parts(local)[0]["input->hidden1"][~few.mask] == 0).all()


@pytest.mark.parametrize("sheet", ["matrix", "edge list", "grid"])
def test_free_is_the_recurrence(sheet, key):
    graph = {
        "matrix": wirings.random(CELLS, 0.3, seed=0),
        "edge list": wirings.Sparse(jnp.arange(CELLS), jnp.roll(jnp.arange(CELLS), 1), 12, 12),
        "grid": wirings.Grid(3, 4, 8, shared=True),
    }[sheet]
    network = free(graph, inputs=3, outputs=2, sensory=[0, 1, 5], motor=[7, 5], key=key)
    weights, _ = parts(network)
    assert set(np.flatnonzero(weights["input->cells"].any(1))) == {0, 1, 5}
    assert set(np.flatnonzero(weights["cells->output"].any(0))) == {5, 7}
    if sheet != "grid":  # its shared weights look like a bias to `stirred`
        network = stirred(network, key)
    weights, biases = parts(network)
    loop = jax.vmap(lambda one: graph.drive(weights["cells->cells"], one))(jnp.eye(CELLS)).T
    stimuli = jax.random.normal(key, (5, 3))
    cells, expected = jnp.zeros(CELLS), []
    for now in stimuli:
        cells = jnp.tanh(weights["input->cells"] @ now + loop @ cells + biases["cells"])
        expected.append(weights["cells->output"] @ cells + biases["output"])
    np.testing.assert_allclose(respond(network, stimuli), jnp.stack(expected), rtol=1e-4, atol=1e-5)


def test_free_takes_other_cells(key):
    network = free(wirings.random(8, 0.5, seed=0), inputs=2, outputs=1, neuron=Leaky(), key=key)
    assert network.populations["cells"].neuron == Leaky()
    assert respond(network, jnp.ones((4, 2))).shape == (4, 1)


@pytest.mark.slow
def test_a_lesion_equals_a_network_without_these_cells(key):
    graph = wirings.random(CELLS, 0.5, seed=0)
    network = free(graph, inputs=3, outputs=2, key=key)
    lost = jnp.arange(CELLS) >= 9
    mask = graph.mask[:9, :9]
    small = free(wirings.Dense(9, 9, mask), inputs=3, outputs=2, key=key)
    weights, _ = parts(network)
    cut = {"input->cells": np.s_[:9], "cells->cells": np.s_[:9, :9], "cells->output": np.s_[:, :9]}

    def shrink(p):
        weight = weights[p.name][cut[p.name]]
        return Projection(p.source, p.target, p.wiring, weight, p.port, p.delay)

    stimuli = jax.random.normal(key, (6, 3))
    lesioned = lesion(network, {"cells": lost})
    np.testing.assert_allclose(
        respond(lesioned, stimuli), respond(small.edit(shrink), stimuli), rtol=1e-4, atol=1e-5
    )
    assert (respond(lesioned, stimuli) != respond(network, stimuli)).any()


@pytest.mark.slow
def test_a_lesion_outlasts_learning(key):
    network = free(wirings.random(CELLS, 0.5, seed=0), inputs=4, outputs=4, key=key)
    lesioned = lesion(network, {"cells": jnp.arange(CELLS) < 3})
    task = Recall(length=4, back=1)
    learned = learn(lesioned, Backprop(), task, optax.adam(0.01), steps=5, batch=4, key=key).brain
    weights, _ = parts(learned)
    assert not weights["cells->cells"][:3].any()
    assert not weights["cells->cells"][:, :3].any()
    assert not weights["cells->output"][:, :3].any()


# ---- first weights ---------------------------------------------------------------------------

WIRINGS = {
    "dense": wirings.Dense(400, 300),
    "holes": wirings.random(400, 0.1, seed=0),
    "edge list": wirings.Sparse(
        *map(jnp.asarray, np.nonzero(np.asarray(wirings.random(400, 0.1, seed=0).mask).T)), 400, 400
    ),
    "patches": wirings.patches((20, 20), (20, 20), radius=2.0),
    "grid": wirings.Grid(20, 20, 8),
}


@pytest.mark.parametrize("name", WIRINGS)
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_fan_in_keeps_the_variance(name, gain, key):
    """Uncorrelated inputs of variance 1 drive linear cells with variance gain^2, wherever."""
    wiring = WIRINGS[name]
    to_weight, to_input = jax.random.split(key)
    weight = fan_in(wiring, key=to_weight, gain=gain)
    heard = jax.vmap(lambda x: wiring.drive(weight, x))(
        jax.random.normal(to_input, (200, wiring.shape[1]))
    )
    assert float(jnp.var(heard)) == pytest.approx(gain**2, rel=0.05)


def test_fan_in_of_shared_weights_is_that_of_an_average_cell(key):
    sheet = wirings.Grid(9, 9, 8, shared=True, periodic=True)
    weights = jax.vmap(lambda k: fan_in(sheet, key=k, gain=2.0))(jax.random.split(key, 2000))
    assert weights.shape == (2000, 8)
    assert float(jnp.var(weights)) == pytest.approx(4 / 8, rel=0.05)


@pytest.mark.parametrize("gain", [0.7, 1.4])
def test_gain_is_the_spectral_radius_of_a_random_graph(gain, key):
    """The circular law: of 500 cells the largest eigenvalue is at the gain, give or take 8 %."""
    graph = wirings.random(500, 0.1, seed=0)
    network = free(graph, inputs=1, outputs=1, gain=gain, key=key)
    values = np.linalg.eigvals(np.asarray(parts(network)[0]["cells->cells"]))
    assert np.abs(values).max() == pytest.approx(gain, rel=0.08)


def test_no_eigenvalue_without_a_loop(key):
    network = free(wirings.acyclic(40, 0.3, seed=0), inputs=1, outputs=1, key=key)
    loop = np.asarray(parts(network)[0]["cells->cells"])
    assert not np.diagonal(loop).any()
    assert not np.triu(loop).any()  # so all eigenvalues are zero


@pytest.mark.parametrize("sheet", ["matrix", "edge list", "grid"])
def test_cells_keep_their_sign(sheet, key):
    """Dale's principle at the start and through learning that pulls the other way."""
    edges = np.array(networkx.gnp_random_graph(CELLS, 0.5, seed=0, directed=True).edges)
    graph = {
        "matrix": wirings.from_edges(edges, post=CELLS, pre=CELLS),
        "edge list": wirings.Sparse(*jnp.asarray(edges).T, CELLS, CELLS),
        "grid": wirings.Grid(3, 4, 4),
    }[sheet]
    sign = jnp.where(jnp.arange(CELLS) % 4 == 0, -1, 1).astype(jnp.int8)
    network = free(graph, inputs=4, outputs=4, sign=sign, key=key)
    task = Recall(length=5, back=1)
    learned = learn(network, Backprop(), task, optax.sgd(3.0), steps=20, batch=4, key=key).brain
    side, _ = graph.ends(sign.astype(jnp.float32), jnp.zeros(CELLS))
    before, after = (parts(net)[0]["cells->cells"] for net in (network, learned))
    assert (before * side >= 0).all()
    assert (after * side >= 0).all()
    assert (before != after).any()
    assert ((after == 0) & (before != 0)).any()  # some hit the wall


# ---- NetworkX --------------------------------------------------------------------------------


@pytest.fixture
def graph():
    graph = networkx.gnp_random_graph(9, 0.4, seed=5, directed=True)
    rng = np.random.default_rng(0)
    for node in graph:
        graph.nodes[node]["position"] = tuple(rng.random(3))
    for edge in graph.edges:
        graph.edges[edge]["weight"] = float(rng.normal())
    return graph


def test_there_and_back_again(graph, key):
    network = from_networkx(graph, inputs=2, outputs=3, key=key)
    found = to_networkx(network)
    cells = found.subgraph(n for n, p in found.nodes(data="population") if p == "cells")
    assert cells.number_of_nodes() == 9
    assert {(a[1], b[1]) for a, b in cells.edges} == set(graph.edges)
    for a, b, data in graph.edges(data=True):
        edge = found.edges[("cells", a), ("cells", b)]
        assert edge["weight"] == pytest.approx(data["weight"])
        assert (edge["delay"], edge["port"]) == (1, "current")
    for node, place in graph.nodes(data="position"):
        assert found.nodes["cells", node]["position"] == pytest.approx(place)
    assert found.number_of_edges() == graph.number_of_edges() + 2 * 9 + 9 * 3
    again = from_networkx(networkx.DiGraph(cells), inputs=2, outputs=3, key=key)
    stimuli = jax.random.normal(key, (6, 2))
    # The subgraph may list cells in another order, which the loop itself does not show.
    order = [node for _, node in cells.nodes]
    loop = np.asarray(parts(network)[0]["cells->cells"])[np.ix_(order, order)]
    np.testing.assert_allclose(parts(again)[0]["cells->cells"], loop, rtol=1e-6)
    assert jnp.isfinite(respond(again, stimuli)).all()


def test_networkx_gives_weights_only_if_all_edges_have_one(graph, key):
    bare = networkx.DiGraph(graph.edges)
    first = from_networkx(bare, inputs=1, outputs=1, key=key)
    bare.add_edge(0, 1, weight=100.0)
    second = from_networkx(bare, inputs=1, outputs=1, key=key)
    assert first.populations["cells"].positions is None
    assert float(jnp.abs(parts(second)[0]["cells->cells"]).max()) < 100


def test_a_layered_network_as_a_graph(key):
    found = to_networkx(layered([3, 4, 2], key=key))
    assert networkx.is_directed_acyclic_graph(found)
    assert networkx.dag_longest_path_length(found, default_weight=0, weight="delay") == 0
    assert len(networkx.dag_longest_path(found, weight=None)) == 3
    assert found.number_of_edges() == 3 * 4 + 4 * 2


@pytest.mark.parametrize("shared", [False, True])
def test_a_grid_as_a_graph(shared, key):
    network = free(wirings.Grid(3, 4, 4, shared=shared), inputs=1, outputs=1, key=key)
    found = to_networkx(network)
    lattice = networkx.grid_2d_graph(3, 4).to_directed()
    cells = {(a[1], b[1]) for a, b in found.edges if a[0] == b[0] == "cells"}
    assert cells == {(4 * a[0] + a[1], 4 * b[0] + b[1]) for a, b in lattice.edges}


LOOP = wirings.random(5, 0.4, seed=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda k: layered([4], key=k), r"got sizes \[4\]. For example"),
        (lambda k: layered([4, 0, 2], key=k), r"with a cell each, but got sizes \[4, 0, 2\]"),
        (lambda k: layered([4, 3, 2], wirings=[wirings.Dense(3, 4)], key=k), "2 wirings.* got 1"),
        (
            lambda k: layered([4, 2], wirings=[wirings.Dense(4, 2)], key=k),
            r"\(post, pre\) = \(2, 4\).*got \(4, 2\)",
        ),
        (lambda k: free(LOOP, inputs=1, outputs=1, sensory=[5], key=k), r"0 to 4, but got \[5\]"),
        (lambda k: free(LOOP, inputs=1, outputs=1, motor=[], key=k), r"`motor` lists .*got \[\]"),
        (lambda k: free(wirings.Dense(5, 4), inputs=1, outputs=1, key=k), r"= \(5, 5\).*\(5, 4\)"),
        (
            lambda k: builders.free(LOOP, inputs=1, outputs=1, positions=np.zeros((4, 2)), key=k),
            "5 cells needs 5 positions, but got 4",
        ),
        (
            lambda k: free(LOOP, inputs=1, outputs=1, sign=jnp.ones(4, jnp.int8), key=k),
            r"each of the 5 cells that speak, but got shape \(4,\)",
        ),
        (
            lambda k: fan_in(wirings.Grid(3, 4, shared=True), sign=jnp.ones(12, jnp.int8), key=k),
            r"Grid lets cells share weights \(shape \(8,\)\).*`shared=False`",
        ),
        (
            lambda k: from_networkx(networkx.path_graph(3), inputs=1, outputs=1, key=k),
            "directed graph .*got a Graph of 3 nodes.*DiGraph",
        ),
        (
            lambda k: from_networkx(networkx.MultiDiGraph([(0, 1)]), inputs=1, outputs=1, key=k),
            "got a MultiDiGraph of 2 nodes",
        ),
        (
            lambda k: from_networkx(networkx.DiGraph(), inputs=1, outputs=1, key=k),
            "of 0 nodes",
        ),
        (lambda k: Population(2, Rate(), Positions(jnp.zeros((3, 2)))), "2 positions, but got 3"),
    ],
)
def test_advice(make, message, key):
    with pytest.raises(ValueError, match=message):
        make(key)
