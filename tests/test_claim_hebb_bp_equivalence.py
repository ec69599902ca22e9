"""The pieces of the experiment on contrastive Hebb and backprop; not its verdict."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import layered, relaxing, respond, settle
from toy_learning import AHEAD, KEY, by_name, example, propose

from neurula.claims import HebbBpEquivalence
from neurula.claims.hebb_bp_equivalence import (
    BACKPROP,
    HEBB,
    HOW,
    MEDIUM,
    PRICED,
    REVERSED,
    SHALLOW,
    STRONG,
    WEAK,
    is_back,
    lack,
    multiply_adds,
    price,
    reach,
)
from neurula.experiment import Outcome
from neurula.rules import ClampedHebb
from neurula.symmetric import regain

GAIN, SEEDS = jnp.ones(()), 10
SMALL = HebbBpEquivalence(width=8, updates=4, probes=2, exact=60, seen=8)


def test_arms_differ_in_their_rule_and_feedback_and_in_nothing_else():
    claim = HebbBpEquivalence()
    assert all(claim.space(arm) == claim.space(BACKPROP) for arm in claim.arms)
    weights = {p.name: p.weight for p in claim.network(BACKPROP, GAIN, key=KEY).projections}
    for arm in claim.arms:
        brain = claim.network(arm, GAIN, key=KEY)
        sizes = [p.size for p in brain.populations.values()]
        assert sizes == ([64, 128, 10] if SHALLOW in arm else [64, 64, 64, 10])
        back = [p for p in brain.projections if is_back(p)]
        assert {p.wiring.gain for p in back} == (
            set() if BACKPROP in arm else {HOW.get(arm, HOW[WEAK])[0]}
        )
        if SHALLOW not in arm:
            for name in AHEAD:
                np.testing.assert_array_equal(by_name(brain)[name], weights[name])


def test_cut_feedback_leaves_the_layers():
    brain = relaxing([4, 6, 5, 3], tau=0.5, key=KEY)
    ahead, stimulus = layered([4, 6, 5, 3], key=KEY), example(4, 3).stimuli[0]
    said = settle(regain(brain, 0.0), stimulus, steps=40).outputs
    np.testing.assert_allclose(said, respond(ahead, stimulus[None])[0], atol=1e-5)
    assert not np.allclose(settle(brain, stimulus, steps=40).outputs, said, atol=1e-2)


@pytest.mark.slow
def test_directions_near_the_gradient_as_feedback_weakens_and_not_without_contrast():
    def worst(arm):
        grow = lambda: SMALL.network(arm, GAIN, key=KEY)  # noqa: E731
        found = np.asarray(eqx.filter_jit(lambda: SMALL.angles(arm, [grow(), grow()]))())
        assert found.shape == (2, 2 if arm == WEAK else 1, 3)
        np.testing.assert_array_equal(found[0], found[1])
        assert arm != WEAK or (found[0, 1] < found[0, 0] / 5).all()  # a tenth of the gain
        return float(found[0, 0].max())

    angles = [worst(arm) for arm in (STRONG, MEDIUM, WEAK)]
    assert (np.diff(angles) < 0).all()
    assert angles[-1] < 3
    assert worst(REVERSED) > 177
    assert worst(HEBB) > 30


def test_clamped_hebb_multiplies_what_settles_with_the_target_on():
    brain, sample = relaxing([4, 5, 3], key=KEY), example(4, 3)
    found = by_name(propose(ClampedHebb(60), brain, sample))
    ended = settle(brain, sample.stimuli[0], steps=60, clamp={"output": sample.target[0]}).activity
    np.testing.assert_array_equal(ended["output"], sample.target[0])
    for name in ("input->hidden1", "hidden1->output"):
        pre, post = (np.asarray(ended[end]) for end in name.split("->"))
        np.testing.assert_allclose(found[name], -np.outer(post, pre), atol=1e-6)
    np.testing.assert_array_equal(found["hidden1->output"], found["output->hidden1"])


def test_multiply_adds_by_hand():
    claim = HebbBpEquivalence()
    pixels, rest = 64 * 64, 64 * 64 + 64 * 10
    backprop = claim.network(BACKPROP, GAIN, key=KEY)
    assert multiply_adds(backprop, 2, 1) == 2 * pixels + 3 * rest
    both = claim.network(WEAK, GAIN, key=KEY)  # each of 14 steps uses a weight both ways
    assert multiply_adds(both, 14, 2) == 3 * pixels + (2 * 14 + 2) * rest


def test_when_a_curve_reaches_a_goal():
    assert reach(jnp.array([0.9, 1.0]), 0.95) == pytest.approx(0.75)
    assert reach(jnp.array([0.4, 0.8]), 0.2) == pytest.approx(0.25)
    assert reach(jnp.array([0.5, 0.3, 0.7, 0.2]), 0.4) == pytest.approx(0.8 / 4)
    assert reach(jnp.array([0.5, 0.6]), 0.95) == 1


def outcome(accuracy=0.96, degrees=1.0, each=1.0, updates=100.0):
    """An outcome with as many seeds as a ruling needs."""
    wobble = np.random.default_rng(0).normal(0, 1e-3, SEEDS)
    score = jnp.asarray(accuracy + wobble, jnp.float32)
    kept = {"updates": jnp.full(SEEDS, updates), "angles": jnp.full((SEEDS, 2, 2, 3), degrees)}
    costs = {"multiply-adds per example": jnp.full(SEEDS, each)}
    return Outcome(score, score, costs=costs, kept=kept)


def outcomes(**changed):
    """Outcomes of all arms under which the sentence is true, but for what is changed."""
    made = {arm: outcome(each=10.0) for arm in HebbBpEquivalence.arms}
    made |= {BACKPROP: outcome(), BACKPROP + SHALLOW: outcome()}
    made |= {arm: outcome(0.5, 90.0, 10.0) for arm in (HEBB, REVERSED)}
    return made | {
        {"weak": WEAK, "hebb": HEBB, "backprop": BACKPROP}[k]: changed[k] for k in changed
    }


@pytest.mark.parametrize(
    ("changed", "kind", "ruling"),
    [
        ({}, "identity", "supported"),
        ({"weak": outcome(degrees=9.0, each=10.0)}, "identity", "refuted"),
        ({"hebb": outcome(0.5, 5.0, 10.0)}, "identity", "inconclusive"),
        ({"weak": outcome(0.93, each=10.0)}, "parity", "refuted"),
        ({"weak": outcome(each=4.5)}, "superiority", "refuted"),
        ({"weak": outcome(each=4.5, updates=120.0)}, "identity", "supported"),
    ],
)
def test_the_primary_test_is_that_of_the_weakest_part(changed, kind, ruling):
    found = HebbBpEquivalence().evidence(outcomes(**changed))
    assert found.primary.kind == kind
    assert found.primary.decide().ruling == ruling
    assert all(gate.held for gate in found.gates)


@pytest.mark.parametrize(
    ("changed", "held"),
    [
        ({"backprop": outcome(updates=600.0)}, [False, True]),
        ({"hebb": outcome(0.95, 90.0, 10.0)}, [True, False]),
    ],
)
def test_gates_fall_where_the_experiment_says_nothing(changed, held):
    found = HebbBpEquivalence().evidence(outcomes(**changed))
    assert [gate.held for gate in found.gates] == held


def test_prices_are_powers_of_five():
    times = price(outcome(each=50.0, updates=100.0)) - price(outcome(each=1.0, updates=200.0))
    np.testing.assert_allclose(times, 2.0)


def test_what_the_worst_cosine_lacks():
    np.testing.assert_allclose(lack(outcome(degrees=60.0)), 50, atol=1e-4)
    np.testing.assert_allclose(lack(outcome(degrees=np.nan)), 100, atol=1e-4)


def test_the_figure_shows_prices():
    figure = HebbBpEquivalence().figure(outcomes())
    assert {label.split("<")[0] for label in figure.layout.yaxis.ticktext} >= {PRICED[0]}


def test_a_run_leaves_curves_and_the_time_to_the_goal():
    settings = {"rate": jnp.float32(0.01), "gain": jnp.float32(1.0)}
    found = jax.jit(lambda: SMALL.run(BACKPROP, settings, key=KEY))()
    assert found.curves["test accuracy"].shape == (2,)
    assert found.kept["updates"] == SMALL.updates  # never reached
    assert found.score == found.curves["test accuracy"][-1]
    assert found.tuning == pytest.approx(float(found.curves["tune accuracy"].mean()))
