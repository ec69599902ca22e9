"""Networks that grow: how many cells, where, joined by whom, and what they can learn."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.genomes import Development, Morphogens
from neurula.genomes.affinity import affinity, weights
from neurula.genomes.tissue import divide, push
from neurula.rules import Backprop
from neurula.tasks import MNIST1D

KEY = jax.random.key(0)
SMALL = Development(3, 2, capacity=16, steps=6)
grow = eqx.filter_jit(lambda genome, genes, key=KEY: genome.stages(genes, key=key))
PARTS = list(SMALL.programme.answers)


def told(genome, **parts):
    """Genes of a programme that always answers the same: biases of the last layer."""
    programme = genome.programme
    genes = np.zeros(genome.size, np.float32)
    said = sum(programme.answers.values())
    last, at = genes[-said:], 0
    for name, size in programme.answers.items():
        last[at : at + size] = np.sqrt(programme.hidden + 1) * np.asarray(parts.get(name, 0)) / 2
        at += size
    return jnp.asarray(genes)


def alive(stages):
    return np.asarray(stages.alive).sum(axis=1)


def test_certain_divisions_double_the_cells_until_the_room_is_full():
    stages, _ = grow(SMALL, told(SMALL, divide=1.0, axis=(1.0, 0.5, 0.0)))
    assert alive(stages).tolist() == [1, 2, 4, 8, 16, 16, 16]
    parent, born = np.asarray(stages.parent[-1]), np.asarray(stages.born[-1])
    assert (parent[1:] < np.arange(1, 16)).all()  # mothers are older
    assert born.tolist() == [0, 1, 2, 2, 3, 3, 3, 3, *[4] * 8]
    places = np.asarray(stages.places[-1])
    assert len(np.unique(places.round(4), axis=0)) == 16
    none, _ = grow(SMALL, told(SMALL, divide=-2.0))
    assert alive(none).tolist() == [1] * 7


def test_cells_climb_the_gradient_that_they_are_told_to():
    up, _ = grow(SMALL, told(SMALL, divide=-2.0, migrate=(1.0, 0.0, 0.0)))
    height = np.asarray(up.places[:, 0, 1])  # towards the floor
    assert (np.diff(height) < 0).all()
    np.testing.assert_allclose(up.places[:, 0, 0], 0.5, atol=1e-6)
    away, _ = grow(SMALL, told(SMALL, divide=-2.0, migrate=(0.0, -1.0, 0.0)))
    assert (np.diff(np.asarray(away.places[:, 0, 0])) > 0).all()  # from the left
    # The first step by hand: radius * tanh(|pull|), pull = exp(-distance / reach) / reach.
    pull = np.exp(-0.5 / 0.35) / 0.35
    assert 0.5 - height[1] == pytest.approx(SMALL.radius * np.tanh(pull), abs=1e-5)


def test_a_mirrored_gradient_grows_the_mirror_image():
    pair = [
        Development(3, 2, capacity=16, steps=6, morphogens=Morphogens(plates=("floor", side)))
        for side in ("left", "right")
    ]
    genes = pair[0].sample(key=jax.random.key(3)) + told(pair[0], divide=1.0)
    (left, network), (right, other) = (grow(genome, genes) for genome in pair)
    assert alive(left)[-1] >= 8
    np.testing.assert_array_equal(left.alive, right.alive)
    mirrored = np.asarray(left.places) * [-1, 1] + [1, 0]
    there = np.asarray(left.alive)
    np.testing.assert_allclose(np.asarray(right.places)[there], mirrored[there], atol=1e-3)
    inner = [n.projections[1].weight for n in (network, other)]
    np.testing.assert_allclose(inner[0], inner[1], atol=2e-2)
    assert np.abs(inner[0]).max() > 0.2
    assert np.abs(mirrored - np.asarray(left.places))[there].max() > 0.05  # it is not symmetric


def test_the_same_genes_fill_rooms_of_different_sizes():
    genes = SMALL.sample(key=jax.random.key(3)) + told(SMALL, divide=6.0)
    wide = Development(3, 2, capacity=40, steps=6)
    assert wide.size == SMALL.size
    few, many = (alive(grow(genome, genes)[0])[-1] for genome in (SMALL, wide))
    assert few == 16
    assert many == 40


def test_development_is_the_last_stage_and_repeats_itself():
    noisy = Development(3, 2, capacity=16, steps=6, noise=0.3)
    genes = noisy.sample(key=jax.random.key(3)) + told(noisy, divide=1.0)
    stages, network = grow(noisy, genes)
    again = eqx.filter_jit(noisy.develop)(genes, key=KEY)
    born = np.asarray(stages.alive[-1])[:, None]
    there = np.where(born, np.asarray(stages.places[-1]), -1.0)
    np.testing.assert_array_equal(network.populations["cells"].positions.places, there)
    for one, two in zip(jax.tree.leaves(network), jax.tree.leaves(again), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    elsewhere, _ = grow(noisy, genes, jax.random.key(9))
    assert np.abs(np.asarray(elsewhere.places[-1] - stages.places[-1])).max() > 0.01


def test_cells_that_were_never_born_are_joined_to_nobody():
    genes = SMALL.sample(key=jax.random.key(6)) + told(SMALL, divide=-6.0)
    stages, network = grow(SMALL, genes)
    unborn = ~np.asarray(stages.alive[-1])
    assert unborn.sum() == 15
    into, among, out = (np.asarray(p.wiring.exists) for p in network.projections)
    assert not into[unborn].any()
    assert not out[:, unborn].any()
    assert not among[unborn].any()
    assert not among[:, unborn].any()


def test_shuffled_cells_feel_nothing_of_where_they_are():
    """Two founders, apart, in one state: shuffled, their place makes no difference to them."""
    plates = Morphogens(secreted=0)
    genes = Development(3, 2, capacity=16, morphogens=plates).sample(key=jax.random.key(1))
    for shuffled in (None, jax.random.key(7)):
        genome = Development(3, 2, capacity=16, morphogens=plates, shuffled=shuffled)
        here = genome.founding()
        there = eqx.tree_at(lambda t: t.places, here, here.places + 0.3)
        step = eqx.filter_jit(
            lambda t, g=genome: g.step(genes, t, jnp.asarray(1, jnp.int32), jnp.zeros((16, 2)))
        )
        change = np.abs(np.asarray(step(here).state[0] - step(there).state[0])).max()
        assert (change == 0) == (shuffled is not None)


def test_a_division_by_hand():
    tissue = SMALL.founding()
    places = jnp.asarray(np.random.default_rng(0).random((16, 2)), jnp.float32)
    state = jnp.asarray(np.random.default_rng(1).random((16, 3)), jnp.float32)
    living = jnp.arange(16) < 13
    tissue = eqx.tree_at(lambda t: (t.places, t.state, t.alive), tissue, (places, state, living))
    wish = jnp.isin(jnp.arange(16), jnp.array([1, 4, 6, 9, 15]))  # 15 is not alive; room for 3
    half, less = jnp.full((16, 2), 0.01), jnp.full((16, 3), 0.2)
    after = eqx.filter_jit(divide)(tissue, wish, half, less, jnp.asarray(5, jnp.int32))
    assert after.alive.all()
    assert after.parent[13:].tolist() == [1, 4, 6]
    assert after.born[13:].tolist() == [5, 5, 5]
    np.testing.assert_allclose(after.places[13:], places[jnp.array([1, 4, 6])] + 0.01, atol=1e-6)
    np.testing.assert_allclose(after.places[1], places[1] - 0.01, atol=1e-6)
    np.testing.assert_allclose(after.places[9], places[9])  # no room was left for its daughter
    np.testing.assert_allclose(after.state[14], state[4] + 0.2, atol=1e-6)
    np.testing.assert_allclose(after.state[4], state[4] - 0.2, atol=1e-6)


def test_overlapping_cells_part_and_others_stay():
    places = jnp.array([[0.5, 0.5], [0.52, 0.5], [0.9, 0.9], [0.5, 0.51]])
    living = jnp.array([True, True, True, False])
    after = np.asarray(eqx.filter_jit(push)(places, living, 0.05, 30))
    assert np.linalg.norm(after[1] - after[0]) == pytest.approx(0.1, abs=1e-3)
    np.testing.assert_allclose(after[:2].mean(0), [0.51, 0.5], atol=1e-5)
    np.testing.assert_allclose(after[2:], places[2:], atol=1e-6)


def test_affinity_by_hand():
    random = np.random.default_rng(2)
    receptors, ligands = random.normal(size=(3, 4)), random.normal(size=(5, 4))
    here, there = random.random((3, 2)), random.random((5, 2))
    arrays = [jnp.asarray(x, jnp.float32) for x in (receptors, ligands, here, there)]
    found = affinity(*arrays, 0.4)
    hand = np.zeros((3, 5))
    for i in range(3):
        for j in range(5):
            near = np.exp(-((here[i] - there[j]) ** 2).sum() / (2 * 0.4**2))
            hand[i, j] = receptors[i] @ ligands[j] / 4 * near
    np.testing.assert_allclose(found, hand, atol=1e-5)
    possible = jnp.asarray(random.random((3, 5)) < 0.8)
    exists, weight = weights(found, possible, 0.1, 2.0)
    expected = (np.abs(hand) > 0.1) & np.asarray(possible)
    np.testing.assert_array_equal(exists, expected)
    inputs = np.maximum(expected.sum(1, keepdims=True), 1)
    np.testing.assert_allclose(weight, np.where(expected, 2 * hand / np.sqrt(inputs), 0), atol=1e-5)


def test_what_grew_can_be_taught():
    genome = Development(40, 10, capacity=24, steps=6)
    genes = genome.sample(key=jax.random.key(3)) + told(genome, divide=1.0)
    task, rule = MNIST1D(), Backprop()

    @eqx.filter_jit
    def lesson():
        brain = genome.develop(genes, key=KEY)
        sample = task.sample("train", key=jax.random.key(1))
        way, _ = rule.propose(rule.init(brain, key=KEY), brain, sample, task.error, key=KEY)
        way = brain.mask(way)
        taught = eqx.apply_updates(brain, jax.tree.map(lambda g: -0.05 * g, way))
        error = lambda b: task.error(nl.respond(b, sample.stimuli), sample)  # noqa: E731
        return error(brain), error(taught), taught

    before, after, taught = lesson()
    assert after < before - 1e-3
    for p in taught.projections:
        assert (np.asarray(p.weight)[~np.asarray(p.wiring.exists)] == 0).all()


def test_refusals():
    with pytest.raises(ValueError, match="capacity=4 has no room to grow from founders=5"):
        Development(3, 2, capacity=4, founders=5)
    with pytest.raises(ValueError, match="no room"):
        Development(3, 2, capacity=1)
    with pytest.raises(ValueError, match="at least 2 modes"):
        Development(3, 2, morphogens=Morphogens(modes=1))
