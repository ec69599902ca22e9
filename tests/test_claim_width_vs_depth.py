"""The pieces of the experiment on width and depth; not its verdict."""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import respond

from neurula.claims import WidthVsDepth
from neurula.claims.width_vs_depth import DEEP, DIGITS, SIGNALS, WIDE, Shape, arms, best, count
from neurula.experiment import Outcome
from neurula.network import trainable
from neurula.wirings import OneToOne, Sparse

KEY, GAIN, SEEDS = jax.random.key(0), jnp.ones(()), 10
SHAPES = [shape for shape, _ in arms().values()]


def size(network):
    return sum(x.size for x in jax.tree.leaves(trainable(network)))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_shape_has_the_parameters_that_it_should(shape):
    claim = WidthVsDepth()

    @eqx.filter_jit  # counted while it is traced: no weight has to be drawn
    def built():
        network = claim.network(shape, GAIN, key=KEY)
        return size(network), {name: p.size for name, p in network.populations.items()}

    parameters, cells = built()
    assert parameters == pytest.approx(claim.parameters * shape.share, rel=0.02)
    hidden = [count for name, count in cells.items() if name.startswith("hidden")]
    assert len(hidden) == shape.depth
    assert len(set(hidden)) == 1
    _, inputs, outputs = claim.task(shape).shape
    assert count(inputs, outputs, shape, hidden[0]) == parameters


def test_every_hidden_layer_has_one_skip_past_it():
    network = WidthVsDepth(parameters=1000).network(Shape(DIGITS, 4, True), GAIN, key=KEY)
    names = ["input", "hidden1", "hidden2", "hidden3", "hidden4", "output"]
    steps = {*itertools.pairwise(names)}
    skips = {*zip(names, names[2:], strict=False)}
    assert {(p.source, p.target) for p in network.projections} == steps | skips
    between = [p for p in network.projections if isinstance(p.wiring, OneToOne)]
    assert [p.name for p in between] == ["hidden1->hidden3", "hidden2->hidden4"]
    assert all(np.all(np.asarray(p.weight) == 1) for p in between)


def test_what_a_skip_adds_is_a_residual():
    """Against the same network written as matrices."""
    claim = WidthVsDepth(parameters=1000)
    network = claim.network(Shape(DIGITS, 4, True), GAIN, key=KEY)
    w = {p.name: np.asarray(p.weight) for p in network.projections}
    x = np.asarray(jax.random.uniform(jax.random.key(1), (64,)))
    relu = lambda drive: np.maximum(drive, 0)  # noqa: E731
    one = relu(w["input->hidden1"] @ x)
    two = relu(w["hidden1->hidden2"] @ one + w["input->hidden2"] @ x)
    three = relu(w["hidden2->hidden3"] @ two + one)
    four = relu(w["hidden3->hidden4"] @ three + two)
    said = w["hidden4->output"] @ four + w["hidden3->output"] @ three
    np.testing.assert_allclose(
        respond(network, jnp.asarray(x)[None])[0], said, rtol=1e-4, atol=1e-5
    )


def test_one_to_one_is_a_list_of_edges_from_each_cell_to_its_own():
    cells = jnp.arange(5)
    mine, edges = OneToOne(5), Sparse(cells, cells, 5, 5)
    weight, activity = jax.random.normal(KEY, (2, 5))
    np.testing.assert_allclose(mine.drive(weight, activity), edges.drive(weight, activity))
    np.testing.assert_allclose(mine.back(weight, activity), edges.back(weight, activity))
    kept = jnp.array([True, False, True, True, True])
    cut = mine.keep(kept, kept[::-1]).fill(1.0)
    np.testing.assert_allclose(cut, [1, 0, 1, 0, 1])


def outcomes(test, tune=None):
    """Outcomes with the accuracy of each shape on test data and on tuning data; 0.9 if not given.

    Small networks have 0.8.
    """
    noise = np.random.default_rng(0).normal(0, 1e-3, (len(SHAPES), SEEDS))
    tune = test if tune is None else tune

    def one(shape, wobble):
        usual = 0.9 if shape.share == 1 else 0.8
        said = [jnp.asarray(x.get(shape, usual) + wobble, jnp.float32) for x in (test, tune)]
        return Outcome(*said)

    return {s.name: one(s, w) for s, w in zip(SHAPES, noise, strict=True)}


def test_tuning_data_choose_and_test_data_judge():
    lucky, able = Shape(SIGNALS, 8, True), Shape(SIGNALS, 4)
    claim = WidthVsDepth()
    found = claim.evidence(outcomes({lucky: 0.97, able: 0.92}, {able: 0.95}))
    primary = found.primary.decide()
    assert primary.estimate == pytest.approx(-2, abs=0.2)
    assert primary.ruling == "refuted"
    assert primary.margin == claim.margin
    assert all(gate.held for gate in found.gates)
    [rules] = [name for name in found.secondary if "rules" in name]
    assert able.name in rules
    assert SIGNALS in rules


def test_the_task_on_which_depth_leads_most_rules():
    wide, deep = Shape(SIGNALS, 2), Shape(DIGITS, 4)
    found = WidthVsDepth().evidence(outcomes({wide: 0.99, deep: 0.93}))
    assert found.primary.decide().estimate == pytest.approx(-3, abs=0.2)
    chosen = outcomes({wide: 0.99, deep: 0.93})
    assert best(chosen, SIGNALS)[0] == wide
    assert best(chosen, DIGITS)[1] == deep


@pytest.mark.parametrize("depths", [WIDE, DEEP])
def test_shapes_that_are_no_better_than_a_small_network_say_nothing(depths):
    poor = {Shape(task, d, s): 0.81 for task in (DIGITS, SIGNALS) for d in depths for s in (0, 1)}
    gates = WidthVsDepth().evidence(outcomes(poor)).gates
    assert [gate.held for gate in gates] == [depths != WIDE, depths != DEEP]


def test_every_arm_is_tuned_in_the_same_space():
    claim = WidthVsDepth()
    spaces = [claim.space(arm) for arm in claim.arms]
    assert all(space == spaces[0] for space in spaces)


def test_a_deep_network_with_skips_learns():
    claim = dataclasses.replace(WidthVsDepth(), parameters=3000, updates=150)
    settings = {"rate": jnp.float32(5e-3), "gain": jnp.float32(1.0)}
    arm = Shape(DIGITS, 8, True).name
    outcome = eqx.filter_jit(lambda: claim.run(arm, settings, key=KEY))()
    assert outcome.score > 0.7
    assert outcome.tuning > 0.7


def test_the_figure_shows_every_depth():
    figure = WidthVsDepth().figure(outcomes({Shape(DIGITS, 1): 0.95}))
    means = {trace.name: trace for trace in figure.data if trace.name}
    assert len(means) == 4
    np.testing.assert_allclose(means[DIGITS].y, [5, 10, 10, 10], atol=0.3)
