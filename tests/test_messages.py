"""What rules send backwards, against counts by hand."""

import jax
import jax.numpy as jnp
import pytest
from compiled import free, layered, two_way

from neurula import rules
from neurula.contracts import Sample
from neurula.rules import messages
from neurula.wirings import Dense, Grid

KEY = jax.random.key(0)
CHAIN = layered([4, 6, 5, 3], key=KEY)  # 5 + 3 cells send back to hidden ones


def error(outputs, sample):
    return 0.5 * jnp.mean((outputs - sample.target) ** 2)


def sent(rule, brain=CHAIN, steps=1):
    inputs, outputs = sum(brain.inputs.values()), sum(brain.outputs.values())
    sample = Sample(jnp.ones((steps, inputs)), jnp.ones((steps, outputs)))
    found = messages(rule, brain, sample, error, key=KEY)
    assert not found.gaps
    return found.flops


@pytest.mark.parametrize(
    "rule",
    [rules.Backprop(), rules.FeedbackAlignment(), rules.SignSymmetry(), rules.WeightMirror()],
    ids=lambda rule: type(rule).__name__,
)
def test_every_cell_above_hidden_ones_sends_its_error_once(rule):
    assert sent(rule) == 5 + 3


def test_rules_that_send_nothing_back():
    for rule in (rules.OutputOnly(), rules.Hebb(), rules.Oja(), rules.BCM()):
        assert sent(rule) == 0


def test_direct_feedback_sends_the_output_error_to_each_population():
    assert sent(rules.DirectFeedbackAlignment()) == 2 * 3


def test_cells_that_share_an_input_send_back_what_they_explain():
    assert sent(rules.OjaSubspace()) == 6 + 5 + 3


@pytest.mark.parametrize("fixed", [False, True])
def test_predictive_coding_sends_errors_at_every_step_of_inference(fixed):
    per_step = 5 + 3
    assert sent(rules.PredictiveCoding(steps=7, fixed=fixed)) == 7 * per_step


def test_networks_that_settle_send_back_through_mirrored_weights_at_every_step():
    brain = two_way(CHAIN)
    rule = rules.EquilibriumPropagation(free_steps=10, nudged_steps=4)
    assert sent(rule, brain) == (10 + 2 * 4) * (5 + 3)
    assert sent(rules.ContrastiveHebb(10, 4), brain) == (10 + 4) * (5 + 3)


def test_targets_go_back_through_inverses():
    # The gradient at the last hidden layer (3); then that layer's target and activity, and its
    # noisy activity when the inverse practises (5 each).
    assert sent(rules.TargetPropagation()) == 3 + 3 * 5


def test_through_loops_errors_travel_at_every_step():
    for graph in (Dense(7, 7), Grid(2, 4)):
        cells = graph.shape[0]
        brain = free(graph, inputs=4, outputs=3, key=KEY)
        assert sent(rules.Backprop(), brain, steps=5) == 5 * (cells + 3)
