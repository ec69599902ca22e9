"""The pieces of the feedback alignment experiment; not its verdict."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from compiled import learn

from neurula.claims import FeedbackAlignment
from neurula.claims.feedback_alignment import DEPTHS, FIXED, LOCAL, RULES, SHAPES, angle
from neurula.experiment import Outcome
from neurula.tasks import Digits

KEY, GAIN = jax.random.key(0), jnp.ones(())
SEEDS = 10


def hidden(claim, shape):
    network = claim.network(shape, GAIN, key=KEY)
    return [p.size for name, p in network.populations.items() if name.startswith("hidden")]


def test_networks_have_the_shapes_that_the_arms_say():
    claim = FeedbackAlignment()
    assert hidden(claim, "1 layer") == [128]
    assert hidden(claim, "3 layers") == hidden(claim, LOCAL) == [64] * 3
    assert hidden(claim, "6 layers") == [32] * 6
    assert hidden(FeedbackAlignment(width=32), "6 layers") == [16] * 6
    assert set(claim.arms) == {f"{rule}, {shape}" for rule in RULES for shape in SHAPES}
    assert [len(hidden(claim, shape)) for shape in DEPTHS] == [*DEPTHS.values()]


def test_local_cells_see_a_patch_of_the_layer_below():
    *local, last = FeedbackAlignment().network(LOCAL, GAIN, key=KEY).projections
    assert last.wiring.mask is None
    for p in local:
        heard = np.asarray(p.wiring.mask).sum(1)
        assert (heard.max(), heard.min()) == (9, 4)  # in the middle and in the corners
    # a cell three layers up sees no further than three cells to each side
    reach = np.linalg.multi_dot([np.asarray(p.wiring.mask, float) for p in local[::-1]])
    middle = reach[4 * 8 + 4].reshape(8, 8) > 0
    assert middle.sum() == 49
    assert middle[1:, 1:].all()


def test_a_width_that_makes_no_sheet_is_refused():
    with pytest.raises(ValueError, match=r"multiple of 8, got 20\. .* Try --width 16"):
        FeedbackAlignment(width=20)


def test_every_arm_is_tuned_in_the_same_space():
    claim = FeedbackAlignment()
    spaces = [claim.space(arm) for arm in claim.arms]
    assert all(space == spaces[0] for space in spaces)


def test_the_angle_is_taken_with_the_feedback_that_is_learned_with():
    task, (rule, _) = Digits(), RULES[FIXED]
    start = FeedbackAlignment(width=16).network("3 layers", GAIN, key=KEY)
    learned = learn(start, rule, task, optax.sgd(0.1), steps=1, key=KEY)
    ours = rule.init(start, key=jax.random.split(KEY)[0])  # as in `run`
    assert jax.tree.all(jax.tree.map(np.array_equal, ours, learned.rule_state))


def test_angles_before_learning():
    task = Digits()
    brain = FeedbackAlignment().network("3 layers", GAIN, key=KEY)
    exam = task.exam("tune", key=KEY)
    state = RULES[FIXED][0].init(brain, key=jax.random.key(1))
    through = {p.name: p.weight for p in brain.projections}
    find = eqx.filter_jit(lambda s: angle(RULES[FIXED][0], s, brain, exam, task.error))
    assert find(state) == pytest.approx(90, abs=15)
    assert find(through) == pytest.approx(0, abs=0.1)


def outcomes(**accuracy):
    """Outcomes with the accuracy of each rule by shape; what is not given has 95 %."""
    noise = np.random.default_rng(0).normal(0, 1e-3, (len(FeedbackAlignment.arms), SEEDS))
    angles = np.tile([80.0, 60.0], (SEEDS, 1)) + noise[0][:, None]
    angles = jnp.asarray(angles, jnp.float32)
    found = {}
    for arm, wobble in zip(FeedbackAlignment.arms, noise, strict=True):
        rule, shape = arm.split(", ")
        by_shape = accuracy.get(rule.replace(" ", "_"), {})
        score = jnp.asarray(by_shape.get(shape, 0.95) + wobble, jnp.float32)
        curves = {f"angle to backprop, {shape}": angles} if rule == FIXED else {}
        found[arm] = Outcome(score, score, curves)
    return found


WORSE = {"3 layers": 0.80}


def test_evidence_compares_the_arms_that_the_sentence_names():
    claim = FeedbackAlignment()
    falling = {"1 layer": 0.95, "3 layers": 0.94, "6 layers": 0.92, LOCAL: 0.90}
    found = claim.evidence(outcomes(output_only=WORSE, redrawn=WORSE, feedback_alignment=falling))
    primary = found.primary.decide()
    assert primary.estimate == pytest.approx(-1.0, abs=0.1)
    assert primary.margin == claim.margin
    assert all(gate.held for gate in found.gates)
    effects = {name: test.decide().estimate for name, test in found.secondary.items()}
    assert effects["the gap grows with depth (points per layer)"] == pytest.approx(0.605, abs=0.05)
    assert effects["the gap grows with local connections"] == pytest.approx(4.0, abs=0.2)
    assert effects["the angle to backprop falls (degrees)"] == pytest.approx(20, abs=0.1)
    assert effects["it ends below 90 degrees"] == pytest.approx(30, abs=0.1)
    assert effects["feedback alignment = backprop, 6 layers"] == pytest.approx(-3, abs=0.1)


@pytest.mark.parametrize(
    ("what", "held"),
    [
        ({"output_only": {"3 layers": 0.93}, "redrawn": WORSE}, [False, True]),
        ({"output_only": WORSE, "redrawn": {"3 layers": 0.945}}, [True, False]),
    ],
)
def test_gates_fall_where_learning_of_hidden_layers_is_not_needed(what, held):
    found = FeedbackAlignment().evidence(outcomes(**what))
    assert [gate.held for gate in found.gates] == held


def test_the_figure_shows_every_rule_at_every_depth():
    figure = FeedbackAlignment().figure(outcomes(output_only=WORSE))
    means = {trace.name: trace for trace in figure.data if trace.name}
    assert set(means) == set(RULES)
    np.testing.assert_allclose(means["output only"].y, [5, 20, 5], atol=0.3)
    assert all(list(trace.x) == [1, 3, 6] for trace in means.values())


def test_a_run_leaves_curves_by_shape():
    claim = dataclasses.replace(FeedbackAlignment(), width=8, steps=4, probes=2)
    settings = {"rate": jnp.float32(0.1), "gain": jnp.float32(1.0)}
    outcome = jax.jit(lambda: claim.run(f"{FIXED}, {LOCAL}", settings, key=KEY))()
    assert set(outcome.curves) == {f"tune accuracy, {LOCAL}", f"angle to backprop, {LOCAL}"}
    assert all(curve.shape == (3,) for curve in outcome.curves.values())  # one before learning
    assert outcome.curves[f"angle to backprop, {LOCAL}"][0] == pytest.approx(90, abs=30)
    assert outcome.tuning == outcome.curves[f"tune accuracy, {LOCAL}"][-1]
    assert 0 <= outcome.score <= 1
