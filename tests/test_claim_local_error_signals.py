"""The pieces of the experiment on local error signals; not its verdict."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import relaxing
from toy_learning import KEY, example, propose

from neurula.claims import LocalErrorSignals
from neurula.claims.local_error_signals import (
    BACKPROP,
    CENTRED,
    CODING,
    NUDGES,
    REVERSED,
    RULES,
    SHAPES,
    change,
    first,
    lack,
)
from neurula.costs import flops
from neurula.experiment import Outcome
from neurula.rules import Backprop, EquilibriumPropagation, Reversed
from neurula.tasks import Squared

GAIN, SEEDS = jnp.ones(()), 10
SMALL = LocalErrorSignals(width=8, updates=4, exact=400, seen=8)


def test_arms_differ_in_their_rule_and_in_nothing_else():
    claim = LocalErrorSignals()
    assert all(claim.space(arm) == claim.space(f"{BACKPROP}, {SHAPES[0]}") for arm in claim.arms)
    assert len(claim.arms) == len(RULES) * len(SHAPES)
    for shape, hidden in zip(SHAPES, ([128], [64, 64]), strict=True):
        plain = claim.network(f"{BACKPROP}, {shape}", GAIN, key=KEY)
        assert [p.size for p in plain.populations.values()] == [64, *hidden, 10]
        weights = {p.name: p.weight for p in plain.projections}
        for name, (rule, _) in RULES.items():
            brain = claim.network(f"{name}, {shape}", GAIN, key=KEY)
            feedback = [p for p in brain.projections if p.name not in weights]
            assert len(feedback) == (len(hidden) if name.startswith("EP") else 0)
            for p in brain.projections:
                ahead = weights.get(p.name, weights.get(f"{p.target}->{p.source}"))
                np.testing.assert_array_equal(p.weight, ahead)
            rule.init(brain, key=KEY)


def test_the_wrong_order_of_phases_turns_the_direction_round():
    brain, sample = relaxing([4, 5, 3], key=KEY), example(4, 3)
    rule = EquilibriumPropagation(0.5)
    right, wrong = (propose(r, brain, sample) for r in (rule, Reversed(rule)))
    for a, b in zip(jax.tree.leaves(right), jax.tree.leaves(wrong), strict=True):
        np.testing.assert_allclose(a, -b, atol=1e-6)


@pytest.mark.slow
def test_directions_near_the_gradient_as_the_teacher_weakens():
    def angles(arm):
        grow = lambda: SMALL.network(f"{arm}, {SHAPES[1]}", GAIN / 2, key=KEY)  # noqa: E731
        found = eqx.filter_jit(lambda: SMALL.angles(arm, [grow(), grow()]))()
        return jax.tree.map(np.asarray, found)

    for arm in (CENTRED, CODING):
        found, moves = angles(arm)
        assert found.shape[:2] == (2, len(NUDGES))
        np.testing.assert_array_equal(found[0], found[1])
        worst = found[0].max(-1)
        assert (np.diff(worst) < 0).all()
        assert worst[0] > 3 > worst[-1]
        assert (moves < 1e-4).all()
    np.testing.assert_allclose(angles(REVERSED)[0][:, -1], 180, atol=3)


def test_operations_of_backprop_by_hand():
    task = Squared()
    brain = LocalErrorSignals().network(f"{BACKPROP}, {SHAPES[0]}", GAIN, key=KEY)
    seen = first(task, "train", 32)
    weights = 128 * (64 + 10)  # ahead, products with errors; and back to the hidden layer
    wanted = 2 * 32 * (2 * weights + 128 * 10)
    found = flops(lambda: change(Backprop(), brain, seen, task.error)[0])
    assert found == pytest.approx(wanted, rel=0.05)


def test_what_the_worst_cosine_lacks():
    angles = np.zeros((2, 2, 3, 2))
    angles[:, :, 0] = 90.0  # the strongest teacher does not count
    angles[1, 1, -1, 0] = 60.0
    made = {
        f"{CODING}, {s}": Outcome(jnp.zeros(2), kept={"angles": jnp.asarray(x, jnp.float32)})
        for s, x in zip(SHAPES, (angles, 0 * angles), strict=True)
    }
    np.testing.assert_allclose(lack(made, CODING), [0, 50], atol=1e-4)


def outcomes(accuracy=None, degrees=None, moves=1e-7):
    """Outcomes of all arms; what is not given has 96 % and points along the gradient."""
    accuracy, degrees = {REVERSED: 0.1} | (accuracy or {}), {REVERSED: 180.0} | (degrees or {})
    noise = np.random.default_rng(0).normal(0, 1e-3, (len(LocalErrorSignals.arms), SEEDS))
    found = {}
    for arm, wobble in zip(LocalErrorSignals.arms, noise, strict=True):
        name = arm.rsplit(", ", 1)[0]
        score = jnp.asarray(accuracy.get(name, 0.96) + wobble, jnp.float32)
        kept = {"angles": jnp.full((SEEDS, 2, 3, 4), degrees.get(name, 1.0))}
        found[arm] = Outcome(score, kept=kept | {"moves": jnp.full((SEEDS, 2), moves)})
    return found


@pytest.mark.parametrize(
    ("what", "kind", "ruling"),
    [
        ({}, "parity", "supported"),
        ({"accuracy": {CENTRED: 0.93}}, "parity", "refuted"),
        ({"accuracy": {CODING: 0.93}}, "parity", "refuted"),
        ({"degrees": {CODING: 9.0}}, "identity", "refuted"),
        ({"degrees": {REVERSED: 2.0}}, "identity", "inconclusive"),
    ],
)
def test_the_primary_test_is_that_of_the_weakest_part(what, kind, ruling):
    found = LocalErrorSignals().evidence(outcomes(**what))
    assert found.primary.kind == kind
    assert found.primary.decide().ruling == ruling
    assert all(gate.held for gate in found.gates)


@pytest.mark.parametrize(
    ("what", "held"),
    [
        ({"accuracy": dict.fromkeys(RULES, 0.9)}, [False, True, False]),
        ({"moves": 1e-3}, [True, False, True]),
        ({"accuracy": {REVERSED: 0.95}}, [True, True, False]),
    ],
)
def test_gates_fall_where_the_experiment_says_nothing(what, held):
    assert [gate.held for gate in LocalErrorSignals().evidence(outcomes(**what)).gates] == held


def test_the_figure_shows_angles_by_strength_of_the_teacher():
    figure = LocalErrorSignals().figure(outcomes(degrees={CODING: 4.0}))
    means = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_allclose(means[CODING].y, 4.0)
    np.testing.assert_allclose(means[CENTRED].x, NUDGES)
