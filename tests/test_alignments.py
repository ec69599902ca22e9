"""Angles between a rule and backprop while a network learns: one call, one picture."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from compiled import layered, learn, two_way
from toy_learning import KEY, Copy

from neurula import alignments
from neurula.measures import alignment
from neurula.pictures import angles
from neurula.rules import (
    Backprop,
    ContrastiveHebb,
    EquilibriumPropagation,
    FeedbackAlignment,
    OutputOnly,
    PredictiveCoding,
    direction,
)
from neurula.wirings import Dense

SGD = optax.sgd(0.05)


@eqx.filter_jit
def watched(brain, rule, key=KEY, **how):
    how = {"steps": 43, "probes": 4, "batch": 8} | how
    return alignments(brain, rule, Copy(), SGD, key=key, **how)


def test_backprop_never_leaves_itself():
    found = watched(layered([4, 6, 4], key=KEY), Backprop())
    np.testing.assert_array_equal(found.updates, [0, 13, 23, 33, 43])
    for angle in found.angles.values():
        np.testing.assert_allclose(angle, 0.0, atol=0.05)


def test_watching_changes_nothing():
    brain, rule = layered([4, 6, 5, 4], key=KEY), FeedbackAlignment()
    found = watched(brain, rule)
    alone = eqx.filter_jit(lambda: learn(brain, rule, Copy(), SGD, steps=43, batch=8, key=KEY))()
    for a, b in zip(
        jax.tree.leaves(found.learned.brain), jax.tree.leaves(alone.brain), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert found.learned.costs["updates"] == 43


def test_angles_are_those_of_the_rule_as_it_is_by_then():
    """Feedback weights come from the rule's state."""
    brain, rule = layered([4, 6, 5, 4], key=KEY), FeedbackAlignment()
    found = watched(brain, rule, steps=5, probes=1)
    draw = jax.vmap(lambda k: Copy().sample("train", key=k))
    samples = draw(jax.random.split(jax.random.split(jax.random.fold_in(KEY, 2))[0], 128))
    learned = found.learned
    for at, (net, state) in enumerate(
        (
            (brain, rule.init(brain, key=jax.random.split(KEY)[0])),
            (learned.brain, learned.rule_state),
        )
    ):
        mine, best = (
            direction(r, s, net, samples, Copy().error, key=KEY)[0]
            for r, s in ((rule, state), (Backprop(), None))
        )
        for name, angle in alignment(mine, best).items():
            assert found.angles[name][at] == pytest.approx(float(angle), abs=0.05)
    assert found.angles["input->hidden1"][0] > 20
    assert found.angles["hidden2->output"][0] < 0.1


@pytest.mark.slow
def test_rules_that_relax_are_compared_with_what_they_estimate():
    start, how = layered([4, 6, 4], gain=0.5, key=KEY), {"steps": 4, "probes": 2}
    near, far, both = (
        watched(two_way(start), EquilibriumPropagation(nudge, 80, 60, **kind), **how)
        for nudge, kind in ((0.02, {}), (2.0, {"centred": False}), (0.02, {"symmetric": False}))
    )
    weak = watched(two_way(start, 0.02), ContrastiveHebb(), **how)
    worst = lambda found: max(float(jnp.max(angle)) for angle in found.angles.values())  # noqa: E731
    assert worst(near) < 2 < worst(far)
    # weights that change apart are soon no mirror images any more, and it is the gradient no more
    assert all(angle[0] < 2 < angle[-1] for angle in both.angles.values())
    for name in ("input->hidden1", "hidden1->output"):
        assert (weak.angles[name] < 5).all()


@pytest.mark.slow
def test_precise_predictive_coding_points_where_backprop_does():
    brain = layered([4, 6, 5, 4], key=KEY)
    rough, precise = (
        watched(brain, PredictiveCoding(100, 0.1, precision)) for precision in (1.0, 100.0)
    )
    first = "input->hidden1"
    assert (precise.angles[first] < 4).all()
    assert (rough.angles[first] > precise.angles[first]).all()


@pytest.mark.slow
def test_holes_in_a_wiring_have_no_direction():
    mask = jnp.ones((6, 4), bool).at[:, 1:].set(False)
    brain = layered([4, 6, 4], wirings=[Dense(6, 4, mask), Dense(4, 6)], key=KEY)
    found = watched(brain, FeedbackAlignment(), steps=4, probes=1)
    # each cell hears one input, so that a direction is a vector over cells
    rule, draw = FeedbackAlignment(), jax.vmap(lambda k: Copy().sample("train", key=k))
    samples = draw(jax.random.split(jax.random.split(jax.random.fold_in(KEY, 2))[0], 128))
    state = rule.init(brain, key=jax.random.split(KEY)[0])
    mine, best = (
        direction(r, s, brain, samples, Copy().error, key=KEY)[0].projections[0].weight[:, 0]
        for r, s in ((rule, state), (Backprop(), None))
    )
    wanted = np.rad2deg(np.arccos(mine @ best / np.linalg.norm(mine) / np.linalg.norm(best)))
    assert found.angles["input->hidden1"][0] == pytest.approx(float(wanted), abs=0.05)
    assert jnp.isnan(watched(brain, OutputOnly()).angles["input->hidden1"]).all()


@pytest.mark.slow
def test_many_seeds_make_one_picture():
    brain = layered([4, 6, 4], key=KEY)
    found = jax.vmap(lambda key: watched(brain, FeedbackAlignment(), key))(jax.random.split(KEY, 3))
    assert found.angles["input->hidden1"].shape == (3, 5)
    picture = angles(found.updates[0], found.angles)
    named = [trace.name for trace in picture.data if trace.name]
    assert named == ["hidden1-&gt;output", "input-&gt;hidden1"]
    means = [np.asarray(trace.y, float) for trace in picture.data if trace.name]
    np.testing.assert_allclose(means[1], found.angles["input->hidden1"].mean(0), rtol=1e-5)
    assert picture.layout.shapes[0].y0 == 90
    assert any(note.text == "chance" for note in picture.layout.annotations)
    alone = angles(found.updates[0], {name: a[0] for name, a in found.angles.items()})
    assert len(alone.data) == len(picture.data)
