"""Rules against hand-written formulas, against each other, and on every wiring alike."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from compiled import free, layered, learn

from neurula import Network, Plastic, Population, Projection, Sample, trainable
from neurula.measures import alignment
from neurula.neurons import Leaky, Rate
from neurula.rules import (
    Backprop,
    DirectFeedbackAlignment,
    FeedbackAlignment,
    Hebb,
    Mixed,
    Oja,
    OutputOnly,
    SignSymmetry,
    WeightMirror,
    direction,
    store,
)
from neurula.rules.weight_mirror import Mirror
from neurula.tasks import Digits
from neurula.wirings import Dense, Grid, Sparse

CELLS, STEPS = 12, 3
KEY = jax.random.key(0)


def error(outputs, sample):
    return 0.5 * jnp.sum((outputs - sample.target) ** 2)


@eqx.filter_jit
def some_sample(steps=1, size=4, outputs=2):
    keys = jax.random.split(jax.random.key(1))
    stimuli = jax.random.normal(keys[0], (steps, size))
    return Sample(stimuli, jax.random.normal(keys[1], (steps, outputs)))


def deep():
    return layered([4, 6, 5, 2], key=jax.random.key(2))


def looped(graph=None, neuron=None):
    graph = Dense(CELLS, CELLS) if graph is None else graph
    return free(graph, inputs=4, outputs=2, neuron=neuron, key=jax.random.key(3))


@eqx.filter_jit
def proposed(rule, brain, sample, state=None, by=error):
    state = rule.init(brain, key=KEY) if state is None else state
    return rule.propose(state, brain, sample, by, key=KEY)[0]


def weights(direction):
    return {p.name: p.weight for p in direction.projections}


def close(a, b, tolerance=1e-5):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, atol=tolerance, rtol=1e-4)


NETWORKS = {
    "layers": (deep, some_sample(1)),
    "loops": (looped, some_sample(STEPS)),
    "leaky loops": (lambda: looped(neuron=Leaky(bias=jnp.zeros(CELLS))), some_sample(STEPS)),
}
every_network = pytest.mark.parametrize("name", NETWORKS)

# ---- feedback alignment and its kin --------------------------------------------------------------


@every_network
def test_feedback_alignment_through_the_weights_is_backprop(name):
    make, sample = NETWORKS[name]
    brain = make()
    through = {p.name: p.weight for p in brain.projections}
    close(
        proposed(FeedbackAlignment(), brain, sample, through), proposed(Backprop(), brain, sample)
    )


def test_feedback_alignment_formula():
    brain, sample = deep(), some_sample()
    feedback = FeedbackAlignment(gain=2.0).init(brain, key=KEY)
    w1, w2, w3 = (np.asarray(p.weight) for p in brain.projections)
    b2, b3 = (np.asarray(feedback[name]) for name in ("hidden1->hidden2", "hidden2->output"))
    x, target = np.asarray(sample.stimuli[0]), np.asarray(sample.target[0])
    a1 = np.tanh(w1 @ x)
    a2 = np.tanh(w2 @ a1)
    e3 = w3 @ a2 - target
    e2 = (b3.T @ e3) * (1 - a2**2)
    e1 = (b2.T @ e2) * (1 - a1**2)
    found = proposed(FeedbackAlignment(), brain, sample, feedback)
    close(weights(found)["input->hidden1"], np.outer(e1, x))
    close(weights(found)["hidden1->hidden2"], np.outer(e2, a1))
    close(weights(found)["hidden2->output"], np.outer(e3, a2))
    close(found.populations["hidden1"].neuron.bias, e1)


def test_feedback_is_as_large_as_the_forward_weights_and_independent_of_them():
    brain = layered([400, 300], key=jax.random.key(4))
    [feedback] = FeedbackAlignment(gain=2.0).init(brain, key=KEY).values()
    weight = brain.projections[0].weight
    assert abs(np.std(feedback) / np.std(weight) - 2) < 0.02
    assert abs(np.corrcoef(feedback.ravel(), weight.ravel())[0, 1]) < 0.02


def test_redrawn_feedback_is_new_in_every_update_and_the_same_within():
    brain, rule = deep(), FeedbackAlignment(redraw=True)
    samples = jax.tree.map(lambda x: jnp.stack([x, x]), some_sample())
    state = rule.init(brain, key=KEY)
    find = eqx.filter_jit(lambda s: weights(direction(rule, s, brain, samples, error, key=KEY)[0]))
    first, again, later = find(state), find(state), find(rule.remember(state, None))
    close(first, again)
    close(first["hidden2->output"], later["hidden2->output"])  # needs no feedback
    close(first["input->hidden1"], weights(proposed(rule, brain, some_sample()))["input->hidden1"])
    assert np.abs(first["input->hidden1"] - later["input->hidden1"]).max() > 0.01


def test_direct_feedback_alignment_formula():
    brain, sample = deep(), some_sample()
    feedback = DirectFeedbackAlignment().init(brain, key=KEY)
    w1, w2, w3 = (np.asarray(p.weight) for p in brain.projections)
    x, target = np.asarray(sample.stimuli[0]), np.asarray(sample.target[0])
    a1 = np.tanh(w1 @ x)
    a2 = np.tanh(w2 @ a1)
    e3 = w3 @ a2 - target
    e2 = (np.asarray(feedback["hidden2"]) @ e3) * (1 - a2**2)
    e1 = (np.asarray(feedback["hidden1"]) @ e3) * (1 - a1**2)
    found = proposed(DirectFeedbackAlignment(), brain, sample, feedback)
    close(weights(found)["input->hidden1"], np.outer(e1, x))
    close(weights(found)["hidden1->hidden2"], np.outer(e2, a1))
    close(weights(found)["hidden2->output"], np.outer(e3, a2))
    close(found.populations["hidden2"].neuron.bias, e2)
    close(found.populations["output"].neuron.bias, e3)


def test_direct_feedback_alignment_formula_in_loops():
    brain, sample = looped(), some_sample(STEPS)
    feedback = DirectFeedbackAlignment().init(brain, key=KEY)
    enter, loop, leave = (np.asarray(p.weight) for p in brain.projections)
    a, change = np.zeros(CELLS), np.zeros((CELLS, CELLS))
    for x, target in zip(np.asarray(sample.stimuli), np.asarray(sample.target), strict=True):
        before, a = a, np.tanh(enter @ x + loop @ a)
        change += np.outer(
            (np.asarray(feedback["cells"]) @ (leave @ a - target)) * (1 - a**2), before
        )
    found = proposed(DirectFeedbackAlignment(), brain, sample, feedback)
    close(weights(found)["cells->cells"], change)


@every_network
def test_output_only_moves_the_output_as_backprop_does_and_nothing_else(name):
    make, sample = NETWORKS[name]
    brain = make()
    found, best = (proposed(rule, brain, sample) for rule in (OutputOnly(), Backprop()))
    for p, q in zip(found.projections, best.projections, strict=True):
        if p.target == "output":
            close(p.weight, q.weight)
            assert np.abs(p.weight).max() > 0.01
        else:
            assert not np.any(p.weight)
    assert all(
        not np.any(leaf)
        for name, population in found.populations.items()
        for leaf in jax.tree.leaves(population.neuron)
        if name != "output"
    )


@every_network
def test_sign_symmetry_sends_errors_through_signs_of_mean_size(name):
    make, sample = NETWORKS[name]
    brain = make()
    size = lambda w: np.sign(w) * np.abs(w).mean()  # noqa: E731
    signs = {p.name: jnp.asarray(size(np.asarray(p.weight))) for p in brain.projections}
    close(
        proposed(SignSymmetry(), brain, sample), proposed(FeedbackAlignment(), brain, sample, signs)
    )
    equal = brain.edit(lambda p: eqx.tree_at(lambda p: p.weight, p, signs[p.name]))
    close(proposed(SignSymmetry(), equal, sample), proposed(Backprop(), equal, sample))


# ---- the weight mirror ---------------------------------------------------------------------------


def mirrored(brain, rule, updates):
    samples = jax.tree.map(lambda x: x[None], some_sample())

    def update(state, _):
        _, notes = direction(rule, state, brain, samples, error, key=KEY)
        return rule.remember(state, notes), None

    start = rule.init(brain, key=KEY)
    live = eqx.filter_jit(lambda s: jax.lax.scan(update, s, None, length=updates)[0])
    return start.feedback, live(start).feedback


def correlation(a, b):
    return np.corrcoef(np.asarray(a).ravel(), np.asarray(b).ravel())[0, 1]


def test_the_mirror_converges_to_the_weights_up_to_scale():
    brain = layered([4, 40, 30, 2], key=jax.random.key(5))
    first, last = mirrored(brain, WeightMirror(rate=0.03, decay=0.01, patterns=16), 600)
    for p in brain.projections:
        assert correlation(last[p.name], p.weight) > 0.95
    [middle] = [p for p in brain.projections if p.name == "hidden1->hidden2"]
    assert abs(correlation(first[middle.name], middle.weight)) < 0.2
    mirror, weight = (np.asarray(x) for x in (last[middle.name], middle.weight))
    assert np.sum(mirror * weight) / np.sum(weight**2) == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize("graph", [Grid(3, 4), Grid(3, 4, shared=True)], ids=["own", "shared"])
@pytest.mark.slow
def test_the_mirror_works_on_grids(graph):
    brain = looped(graph)
    _, last = mirrored(brain, WeightMirror(rate=0.01, decay=0.01), 1000)
    loop = brain.projections[1]
    np.testing.assert_allclose(last[loop.name], loop.weight, atol=0.1)
    assert correlation(last[loop.name], loop.weight) > 0.95


def test_no_feedback_grows_where_no_connection_exists():
    mask = jnp.asarray(np.random.default_rng(0).random((CELLS, CELLS)) < 0.4)
    _, last = mirrored(looped(Dense(CELLS, CELLS, mask)), WeightMirror(), 3)
    assert not np.any(np.asarray(last["cells->cells"])[~np.asarray(mask)])


# ---- on real digits ------------------------------------------------------------------------------


def test_feedback_alignment_aligns_with_backprop_while_it_learns():
    task, rule = Digits(), FeedbackAlignment()
    brain = layered([64, 30, 30, 10], gain=0.5, key=jax.random.key(6))
    exam = task.exam("train", key=KEY)

    @eqx.filter_jit
    def angles(brain, state):
        pair = [
            direction(*each, brain, exam, task.error, key=KEY)[0]
            for each in ((rule, state), (Backprop(), None))
        ]
        return alignment(*pair)

    how = {"steps": 500, "key": jax.random.key(7)}
    learned = learn(brain, rule, task, optax.sgd(0.2), **how)
    first = angles(brain, learned.rule_state)
    last = angles(learned.brain, learned.rule_state)
    for name in ("input->hidden1", "hidden1->hidden2"):
        assert 70 < first[name] < 110
        assert last[name] < 75
    assert last["hidden2->output"] < 0.1  # no feedback in between


@pytest.fixture(scope="module")
def digits():
    pixels = np.asarray(Digits().exam("train", key=KEY).stimuli[:, 0])
    return jnp.asarray(pixels - pixels.mean(0, keepdims=True))


def one_cell():
    return layered([64, 1], key=jax.random.key(8))


def test_oja_settles_on_the_first_principal_component(digits):
    samples = Sample(digits[:, None])

    def update(brain, _):
        change, _ = direction(Oja(), None, brain, samples, error, key=KEY)
        return eqx.apply_updates(brain, jax.tree.map(lambda x: -0.3 * x, change)), None

    live = lambda brain: jax.lax.scan(update, brain, None, length=500)[0].projections[0].weight[0]  # noqa: E731
    weight = np.asarray(jax.jit(live)(one_cell()))
    _, _, components = np.linalg.svd(np.asarray(digits), full_matrices=False)
    cosine = abs(weight @ components[0]) / np.linalg.norm(weight)
    assert np.rad2deg(np.arccos(min(cosine, 1.0))) < 1
    assert np.linalg.norm(weight) == pytest.approx(1, abs=1e-3)


def test_oja_in_a_plastic_network_finds_the_same(digits):
    block = Plastic(one_cell(), Oja(), rate=0.005)
    stimuli = jnp.tile(digits, (5, 1))
    live = jax.jit(
        lambda: jax.lax.scan(lambda *a: block.step(*a), block.init(), stimuli)[0].weights[0][0]
    )
    weight = np.asarray(live())
    _, _, components = np.linalg.svd(np.asarray(digits), full_matrices=False)
    assert abs(weight @ components[0]) / np.linalg.norm(weight) > np.cos(np.deg2rad(10))


# ---- local rules ---------------------------------------------------------------------------------


def test_hebb_climbs_half_the_squared_output():
    brain = layered([4, 3], key=jax.random.key(9))
    up = lambda outputs, sample: -0.5 * jnp.mean(jnp.sum(outputs**2, -1))  # noqa: E731
    sample = some_sample(STEPS)
    hebb, climb = proposed(Hebb(), brain, sample), proposed(Backprop(), brain, sample, by=up)
    close(weights(hebb), weights(climb))
    # the bias follows no local rule
    assert not np.any(hebb.populations["output"].neuron.bias)


def test_local_rules_change_loops_by_what_was_sent_and_what_it_caused():
    brain, sample = looped(), some_sample(STEPS)
    enter, loop, _ = (np.asarray(p.weight) for p in brain.projections)
    a, hebb, oja = np.zeros(CELLS), np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    for x in np.asarray(sample.stimuli):
        before, a = a, np.tanh(enter @ x + loop @ a)
        hebb += np.outer(a, before) / STEPS
        oja += a[:, None] * (before[None, :] - a[:, None] * loop) / STEPS
    close(weights(proposed(Hebb(), brain, sample))["cells->cells"], -hebb)
    close(weights(proposed(Oja(), brain, sample))["cells->cells"], -oja)


# ---- Hopfield ------------------------------------------------------------------------------------


kept = eqx.filter_jit(store)


def patterns(count, cells=200, seed=0):
    return jnp.asarray(np.random.default_rng(seed).choice([-1.0, 1.0], (count, cells)), jnp.float32)


def memory(weight):
    cells = len(weight)
    wiring = Dense(cells, cells, ~jnp.eye(cells, dtype=bool))
    loop = Projection("cells", "cells", wiring, weight)
    population = Population(cells, Rate("sign"))
    return Network({"cells": population}, [loop], senses=["cells"], voices=["cells"])


def fixed(weight, stored):
    """The share of cells that stay where a stored pattern puts them."""
    stored = np.asarray(stored)
    return float(np.mean(np.where(stored @ np.asarray(weight).T < 0, -1.0, 1.0) == stored))


def test_stored_patterns_are_recalled_from_a_tenth_of_flipped_cells():
    stored = patterns(10)  # load 0.05
    network = memory(kept(stored))
    flipped = jnp.asarray(np.random.default_rng(1).random(stored.shape) < 0.1)

    def recall(cue):
        stimuli = jnp.zeros((10, len(cue))).at[0].set(cue)
        return jax.lax.scan(lambda *a: network.step(*a), network.init(), stimuli)[1][-1]

    found = jax.jit(jax.vmap(recall))(jnp.where(flipped, -stored, stored))
    assert np.mean(np.asarray(found) == np.asarray(stored)) > 0.999


def test_capacities():
    few, many, most = (patterns(count) for count in (40, 60, 180))  # loads 0.2, 0.3, 0.9
    assert fixed(kept(few), few) < 0.995  # above 0.138
    assert fixed(kept(few, by="storkey"), few) == 1.0
    assert fixed(kept(many, by="storkey"), many) > fixed(kept(many), many) + 0.01
    assert fixed(kept(most, by="pseudo-inverse"), most) == 1.0
    assert fixed(kept(most, by="storkey"), most) < 0.95


def test_pseudo_inverse_holds_correlated_patterns():
    rng = np.random.default_rng(2)
    stored = jnp.asarray(np.where(rng.random((20, 200)) < 0.85, 1.0, -1.0), jnp.float32)
    assert fixed(kept(stored, by="pseudo-inverse"), stored) == 1.0
    assert fixed(kept(stored), stored) < 0.95


def test_storkey_formula():
    stored = np.asarray(patterns(4, cells=7), float)
    weight, cells = np.zeros((7, 7)), range(7)
    for pattern in stored:
        field = np.array([
            [sum(weight[i, k] * pattern[k] for k in cells if k not in (i, j)) for j in cells]
            for i in cells
        ])  # fmt: skip
        cross = pattern[:, None] * field.T + field * pattern[None, :]
        weight = weight + (np.outer(pattern, pattern) - cross) / 7
    close(kept(jnp.asarray(stored, jnp.float32), by="storkey"), weight * (1 - np.eye(7)))


def test_patterns_played_one_by_one_are_stored_alike():
    stored = patterns(5, cells=20)
    network = memory(jnp.zeros((20, 20)))
    samples = Sample(stored[:, None])

    @eqx.filter_jit
    def masked(samples):
        change, _ = direction(Hebb(), None, network, samples, error, key=KEY)
        return network.mask(change).projections[0].weight

    learned = -np.asarray(masked(samples)) * 5 / 20
    # a pattern is sent in one step and arrives in the next, so it is shown for two
    assert not np.any(learned)
    twice = Sample(jnp.stack([stored, stored], 1))
    close(-np.asarray(masked(twice)) * 2 * 5 / 20, kept(stored))


# ---- the same on every wiring --------------------------------------------------------------------


@eqx.filter_jit
def matrix(wiring, weight):
    """A weight as a matrix (post, pre)."""
    return jax.vmap(lambda one: wiring.drive(weight, one))(jnp.eye(wiring.shape[1])).T


@eqx.filter_jit
def laid_out(wiring, matrix):
    """A matrix in the layout of a wiring."""
    post, pre = wiring.shape
    source, target = wiring.ends(jnp.arange(pre, dtype=float), jnp.arange(post, dtype=float))
    source, target = jnp.broadcast_arrays(source, target)
    return matrix[target.astype(int), source.astype(int)] * wiring.fill(1.0)


GRID = Grid(3, 4)
EXISTS = np.asarray(matrix(GRID, GRID.fill(1.0)) > 0)
TARGET, SOURCE = np.nonzero(EXISTS)
SAME = {
    "grid": GRID,
    "dense": Dense(CELLS, CELLS, jnp.asarray(EXISTS)),
    "sparse": Sparse(jnp.asarray(SOURCE), jnp.asarray(TARGET), CELLS, CELLS),
}


def on(wiring, by):
    """The direction that a rule proposes for a graph of cells, as a matrix."""
    graph, back = 0.3 * jax.random.normal(jax.random.key(10), (2, CELLS, CELLS))
    brain = looped(wiring)
    weight = laid_out(wiring, graph)
    brain = eqx.tree_at(lambda net: net.projections[1].weight, brain, weight)
    state = by.init(brain, key=KEY)
    if isinstance(by, FeedbackAlignment):
        state["cells->cells"] = laid_out(wiring, back)
    if isinstance(by, WeightMirror):
        state.feedback["cells->cells"] = laid_out(wiring, back)
    samples = jax.tree.map(lambda x: x[None], some_sample(STEPS))
    change, notes = eqx.filter_jit(direction)(by, state, brain, samples, error, key=KEY)
    later = eqx.filter_jit(by.remember)(state, notes)
    found = [matrix(wiring, eqx.filter_jit(brain.mask)(change).projections[1].weight)]
    if isinstance(later, Mirror):
        found.append(matrix(wiring, later.feedback["cells->cells"]))
    return found


@pytest.mark.parametrize(
    "by",
    [
        Backprop(),
        FeedbackAlignment(),
        DirectFeedbackAlignment(),
        SignSymmetry(),
        WeightMirror(),
        Hebb(),
        Oja(),
        Mixed({"cells->cells": Oja()}),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_the_same_graph_learns_the_same_on_every_wiring(by):
    wanted = on(SAME["grid"], by)
    assert np.abs(wanted[0]).max() > 1e-3
    for name in ("dense", "sparse"):
        close(on(SAME[name], by), wanted)


# ---- mixtures ------------------------------------------------------------------------------------


def test_mixed_rules_each_move_their_own_projection():
    brain, sample = deep(), some_sample()
    mixed = Mixed({"hidden2->output": Backprop(), "input->hidden1": Oja()}, neurons=OutputOnly())
    found = proposed(mixed, brain, sample)
    close(found.projections[0], proposed(Oja(), brain, sample).projections[0])
    assert not np.any(found.projections[1].weight)
    close(found.projections[2], proposed(Backprop(), brain, sample).projections[2])
    close(found.populations, proposed(OutputOnly(), brain, sample).populations)


def test_mixed_rules_keep_their_own_states():
    brain = deep()
    mixed = Mixed({"hidden1->hidden2": WeightMirror(rate=0.0, decay=0.5), "hidden2->output": Oja()})
    state = mixed.init(brain, key=KEY)
    samples = jax.tree.map(lambda x: x[None], some_sample())
    _, notes = eqx.filter_jit(direction)(mixed, state, brain, samples, error, key=KEY)
    later = mixed.remember(state, notes)
    before, after = (s["hidden1->hidden2"].feedback["hidden1->hidden2"] for s in (state, later))
    close(after, 0.5 * before)
    assert later["hidden2->output"] is None


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "by",
    [
        FeedbackAlignment(),
        DirectFeedbackAlignment(),
        SignSymmetry(),
        WeightMirror(),
        OutputOnly(),
        Hebb(),
        Mixed({}),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_rules_of_projections_refuse_other_blocks(by):
    block = Plastic(deep(), Hebb())
    name = type(by).__name__
    with pytest.raises(ValueError, match=rf"{name} changes .* got a Plastic.*Use `Backprop\(\)`"):
        by.init(block, key=KEY)


def test_backprop_teaches_any_block():
    block = Plastic(deep(), Hebb())
    found = proposed(Backprop(), block, some_sample())
    assert jax.tree.structure(found) == jax.tree.structure(trainable(block))


def test_mixed_refuses_projections_that_are_not_there():
    with pytest.raises(ValueError, match=r"names projections \['eye->output'\], but the network"):
        Mixed({"eye->output": Hebb()}).init(deep(), key=KEY)


def test_storage_refuses_other_names():
    with pytest.raises(ValueError, match="'hebb', 'storkey' or 'pseudo-inverse', but got 'hope'"):
        store.__wrapped__(patterns(2), by="hope")


def test_rules_refuse_samples_without_a_target(digits):
    class Unlabelled(Digits.__base__):
        @property
        def shape(self):
            return 1, 64, 1

        def sample(self, split, *, key):
            return Sample(digits[0][None])

        def exam(self, split, *, key):
            return Sample(digits[:, None])

        def error(self, outputs, sample):
            return jnp.sum(outputs)

        def score(self, outputs, sample):
            return jnp.sum(outputs)

    with pytest.raises(ValueError, match=r"FeedbackAlignment needs the target .*such as `Oja\(\)`"):
        learn(one_cell(), FeedbackAlignment(), Unlabelled(), optax.sgd(0.1), steps=1, key=KEY)
