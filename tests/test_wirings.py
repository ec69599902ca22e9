"""Wirings against matrices, convolutions and NetworkX."""

import equinox as eqx
import jax
import jax.numpy as jnp
import networkx
import numpy as np
import pytest
import scipy.ndimage

from neurula import wirings
from neurula.weights import fan_in

GRIDS = [
    (neighbours, shared, periodic)
    for neighbours in (4, 8)
    for shared in (False, True)
    for periodic in (False, True)
]
MAKERS = {
    "dense": lambda: wirings.Dense(5, 4),
    "holes": lambda: wirings.patches((3, 3), (4, 5), radius=1.0),
    "sparse": lambda: wirings.Sparse(jnp.array([0, 2, 1, 2]), jnp.array([1, 1, 3, 0]), 5, 3),
    "random": lambda: wirings.random(7, 0.3, seed=1),
    **{
        f"grid {n} {'shared' if s else 'own'} {'periodic' if p else 'open'}": (
            lambda n=n, s=s, p=p: wirings.Grid(3, 4, n, shared=s, periodic=p)
        )
        for n, s, p in GRIDS
    },
}


@eqx.filter_jit
def drive(wiring, weight, activity):
    return wiring.drive(weight, activity)


@eqx.filter_jit
def matrix(wiring, weight):
    """The (post, pre) matrix that a wiring stands for, column by column."""
    columns = jnp.eye(wiring.shape[1])
    return jax.vmap(lambda one: wiring.drive(weight, one), out_axes=1)(columns)


def edges_of(wiring):
    return networkx.from_numpy_array(np.asarray(wiring.mask).T, create_using=networkx.DiGraph)


@pytest.fixture
def graph():
    graph = networkx.gnp_random_graph(12, 0.3, seed=3, directed=True)
    rng = np.random.default_rng(0)
    for _, _, data in graph.edges(data=True):
        data["weight"] = float(rng.normal())
    return graph


def test_dense_and_sparse_and_networkx_agree(graph, key):
    edges = np.array(graph.edges)
    weights = jnp.array([w for _, _, w in graph.edges(data="weight")], jnp.float32)
    adjacency = networkx.to_numpy_array(graph)  # row: source
    activity, signal = jax.random.normal(key, (2, 12))
    sparse = wirings.Sparse(jnp.array(edges[:, 0]), jnp.array(edges[:, 1]), 12, 12)
    dense = wirings.from_edges(edges, post=12, pre=12)
    assert isinstance(dense, wirings.Dense)
    for wiring, weight in ((sparse, weights), (dense, jnp.asarray(adjacency.T, jnp.float32))):
        np.testing.assert_allclose(
            drive(wiring, weight, activity), adjacency.T @ activity, rtol=1e-4, atol=1e-5
        )
        back = eqx.filter_jit(wiring.back)(weight, signal)
        np.testing.assert_allclose(back, adjacency @ signal, rtol=1e-4, atol=1e-5)


def test_many_cells_with_few_connections_become_a_list():
    edges = np.array([[0, 2100], [2100, 5]])
    wiring = wirings.from_edges(edges, post=2101, pre=2101)
    assert isinstance(wiring, wirings.Sparse)
    spoken = np.zeros(2101, np.float32)
    spoken[[0, 2100]] = 1.0, 10.0
    heard = wiring.drive(jnp.array([2.0, 3.0]), jnp.asarray(spoken))
    # Pairs may be stored in any order, so the weights are told apart by what they carry.
    assert set(np.flatnonzero(heard)) == {5, 2100}
    assert set(zip(*map(np.asarray, (wiring.source, wiring.target)), strict=True)) == {
        (0, 2100),
        (2100, 5),
    }


@pytest.mark.parametrize(("neighbours", "shared", "periodic"), GRIDS)
def test_a_grid_is_a_correlation(neighbours, shared, periodic, key):
    grid = wirings.Grid(5, 6, neighbours, shared=shared, periodic=periodic)
    sheet = jax.random.normal(key, (30,))
    weight = fan_in(grid, key=key)
    mode = "wrap" if periodic else "constant"
    expected = np.zeros((5, 6))
    for k, (down, right) in enumerate(grid.offsets):
        kernel = np.zeros((3, 3))
        kernel[1 + down, 1 + right] = 1
        seen = scipy.ndimage.correlate(np.asarray(sheet).reshape(5, 6), kernel, mode=mode)
        expected += seen * (float(weight[k]) if shared else np.asarray(weight[k]).reshape(5, 6))
    np.testing.assert_allclose(drive(grid, weight, sheet), expected.ravel(), rtol=1e-4, atol=1e-5)


def test_a_shared_grid_is_a_convolution(key):
    grid = wirings.Grid(5, 6, 8, shared=True)
    sheet, weight = jax.random.normal(key, (30,)), jnp.arange(1.0, 9.0)
    kernel = np.zeros((3, 3), np.float32)
    for k, (down, right) in enumerate(grid.offsets):
        kernel[1 + down, 1 + right] = weight[k]
    expected = jax.lax.conv(
        sheet.reshape(1, 1, 5, 6), jnp.asarray(kernel[None, None]), (1, 1), "SAME"
    )
    np.testing.assert_allclose(drive(grid, weight, sheet), np.ravel(expected), rtol=1e-4)


@pytest.mark.parametrize("name", MAKERS)
def test_back_is_the_transpose(name, key):
    wiring = MAKERS[name]()
    weight = fan_in(wiring, key=key)
    columns = jnp.eye(wiring.shape[0])
    back = jax.jit(jax.vmap(lambda one: wiring.back(weight, one), out_axes=1))(columns)
    np.testing.assert_allclose(back, matrix(wiring, weight).T, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("periodic", [False, True])
def test_spread_transposed_collects_shared_weights(periodic, key):
    """The change of a shared weight is the sum of the changes of the connections that use it."""
    shared = wirings.Grid(3, 4, 8, shared=True, periodic=periodic)
    own = wirings.Grid(3, 4, 8, periodic=periodic)
    pre, post = jax.random.normal(key, (2, 12))
    weight = jnp.arange(8.0)
    collect = jax.jit(lambda each: jax.linear_transpose(shared.spread, weight)(each)[0])
    speaks, hears = eqx.filter_jit(own.ends)(pre, post)
    each = np.where(own.exists, np.asarray(speaks) * np.asarray(hears), np.float32(0))
    collected = collect(each)
    np.testing.assert_allclose(collected, each.sum(1), rtol=1e-5, atol=1e-6)
    slope = jax.jit(jax.grad(lambda w: post @ shared.drive(w, pre)))(weight)
    np.testing.assert_allclose(collected, slope, rtol=1e-4, atol=1e-5)
    counts = collect(np.ones((8, 12), np.float32))
    assert counts.sum() == (96 if periodic else 2 * (3 * 3 + 2 * 4) + 4 * 2 * 3)


@pytest.mark.parametrize("name", MAKERS)
def test_cells_that_are_not_kept_neither_speak_nor_hear(name, key):
    wiring = MAKERS[name]()
    post, pre = wiring.shape
    weight = fan_in(wiring, key=key)
    speak, hear = np.arange(pre) % 2 == 0, np.arange(post) != 1
    keep = eqx.filter_jit(lambda wiring, *who: wiring.keep(*who))
    kept = keep(wiring, speak, hear)
    weight_kept = eqx.filter_jit(lambda: weight * kept.fill(1.0))()
    expected = np.asarray(matrix(wiring, weight)) * np.outer(hear, speak)
    np.testing.assert_allclose(matrix(kept, weight_kept), expected, rtol=1e-6, atol=1e-7)
    again = keep(kept, np.ones(pre, bool), np.ones(post, bool))
    np.testing.assert_allclose(matrix(again, weight_kept), expected, rtol=1e-6, atol=1e-7)


GRAPHS = {
    "random": lambda density, seed: wirings.random(40, density, seed=seed),
    "acyclic": lambda density, seed: wirings.acyclic(40, density, seed=seed),
    "spatial": lambda density, seed: wirings.spatial(
        np.random.default_rng(0).random((40, 2)), density, reach=0.3, seed=seed
    ),
    "small world": lambda density, seed: wirings.small_world(40, density, seed=seed),
}


@pytest.mark.parametrize("kind", GRAPHS)
@pytest.mark.parametrize("density", [0.0, 0.05, 0.25, 0.45])
def test_graphs_have_the_density_asked_for(kind, density):
    mask = np.asarray(GRAPHS[kind](density, 0).mask)
    assert mask.sum() == round(density * 40 * 40)
    assert not mask.diagonal().any()


@pytest.mark.parametrize("kind", GRAPHS)
def test_graphs_follow_their_seed(kind):
    first, again, other = (np.asarray(GRAPHS[kind](0.25, seed).mask) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_acyclic_has_no_loop_and_random_has():
    for seed in range(5):
        acyclic, loops = wirings.acyclic(30, 0.2, seed=seed), wirings.random(30, 0.2, seed=seed)
        assert networkx.is_directed_acyclic_graph(edges_of(acyclic))
        assert not networkx.is_directed_acyclic_graph(edges_of(loops))


def test_random_graphs_treat_all_pairs_alike():
    """Each of 400 graphs holds a pair with probability 0.3 * 16 / 15: five sigma either way."""
    times = sum(np.asarray(wirings.random(16, 0.3, seed=s).mask, int) for s in range(400))
    odds = round(0.3 * 256) / 240
    off = times[~np.eye(16, dtype=bool)]
    assert abs(off - 400 * odds).max() < 5 * np.sqrt(400 * odds * (1 - odds))


def test_a_small_world_begins_as_a_ring():
    ring = wirings.small_world(30, 6 / 30, rewire=0.0, seed=0)
    found = networkx.from_numpy_array(np.asarray(ring.mask))
    expected = networkx.watts_strogatz_graph(30, 6, 0.0)
    assert {frozenset(edge) for edge in found.edges} == {frozenset(edge) for edge in expected.edges}
    assert (np.asarray(ring.mask) == np.asarray(ring.mask).T).all()
    # Watts & Strogatz (1998): 3 (k - 2) / (4 (k - 1))
    assert networkx.average_clustering(found) == pytest.approx(3 * 4 / (4 * 5))


def test_a_small_world_ends_as_a_random_graph():
    """Rewired altogether, clustering falls to the density, and every cell keeps its 20 inputs."""
    ends = wirings.small_world(200, 0.1, rewire=1.0, seed=0)
    graph = edges_of(ends)
    assert set(dict(graph.in_degree).values()) == {20}
    assert networkx.average_clustering(graph) == pytest.approx(0.1, abs=0.01)


def test_a_small_world_is_clustered_and_yet_near():
    """The small-world regime: paths shorten long before the clustering is gone."""
    ring, small, chance = (
        edges_of(wirings.small_world(200, 0.05, rewire=rewire, seed=0))
        for rewire in (0.0, 0.1, 1.0)
    )
    paths = [networkx.average_shortest_path_length(graph) for graph in (ring, small, chance)]
    clustering = [networkx.average_clustering(graph) for graph in (ring, small, chance)]
    assert paths[1] < 0.4 * paths[0]
    assert clustering[1] > 0.6 * clustering[0] > 5 * clustering[2]


def test_in_space_near_cells_connect_more():
    places = np.random.default_rng(0).random((60, 2))
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    pairs = apart[~np.eye(60, dtype=bool)]
    near, wide = (
        apart[np.asarray(wirings.spatial(places, 0.1, reach=reach, seed=0).mask)].mean()
        for reach in (0.1, 100.0)
    )
    assert near < 0.5 * pairs.mean()
    assert wide == pytest.approx(pairs.mean(), rel=0.1)


def test_a_patch_is_the_neighbourhood():
    mask = np.asarray(wirings.patches((4, 5), (4, 5), radius=1.0).mask).reshape(4, 5, 4, 5)
    for row, column in np.ndindex(4, 5):
        heard = {(int(r), int(c)) for r, c in zip(*np.nonzero(mask[row, column]), strict=True)}
        near = {
            (r, c)
            for r in range(max(row - 1, 0), min(row + 2, 4))
            for c in range(max(column - 1, 0), min(column + 2, 5))
        }
        assert heard == near


def test_patches_of_a_coarser_sheet_tile_the_finer_one():
    mask = np.asarray(wirings.patches((2, 2), (4, 4), radius=0.5).mask)
    assert (mask.sum(0) == 1).all()
    assert mask[0].reshape(4, 4)[:2, :2].all()
    assert mask[3].reshape(4, 4)[2:, 2:].all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wirings.Dense(2, 3, jnp.ones((3, 2), bool)), r"\(2, 3\), but got \(3, 2\)"),
        (lambda: wirings.Sparse(jnp.array([3]), jnp.array([0]), 2, 3), "3 to 3, but there are 3"),
        (lambda: wirings.Sparse(jnp.array([0]), jnp.array([-1]), 2, 3), "`target` holds cells -1"),
        (lambda: wirings.Grid(3, 3, 6), "4 or 8 neighbours, but got 6"),
        (lambda: wirings.Grid(0, 3), "at least 1 x 1, but got 0 x 3"),
        (lambda: wirings.Grid(2, 5, periodic=True), "periodic grid is at least 3 x 3.*2 x 5"),
        (lambda: wirings.from_edges(np.array([[0, 1], [2, 0]]), post=2, pre=2), r"edge 1 is \(2"),
        (lambda: wirings.random(0, 0.5, seed=0), "at least one cell.*got 0 cells"),
        (lambda: wirings.random(5, 1.5, seed=0), "density 1.5. The density is the share"),
        (lambda: wirings.random(5, 1.0, seed=0), "asks for 25 connections.*room for 20"),
        (lambda: wirings.acyclic(5, 0.6, seed=0), "asks for 15 connections.*room for 10"),
        (lambda: wirings.small_world(9, 0.2, rewire=1.1, seed=0), "from 0 .* to 1 .*got 1.1"),
        (lambda: wirings.spatial(np.eye(4), 0.2, reach=0.0, seed=0), "`reach` .* got 0.0"),
        (lambda: wirings.spatial(np.eye(4), 0.2, reach=1e-4, seed=0), "room for 0.*longer `reach`"),
        (lambda: wirings.patches((2, 2), (4, 4), radius=0.2), "4 of 4 cells hear nobody.*0.5"),
    ],
)
def test_advice(make, message):
    with pytest.raises(ValueError, match=message):
        make()
