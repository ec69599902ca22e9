"""Rules that contrast two settled states against gradients of what settles."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from compiled import free, layered, learn, relaxing, settle, two_way
from toy_learning import (
    AHEAD,
    BACK,
    KEY,
    Copy,
    apart,
    by_name,
    cosine,
    double,
    example,
    flat,
    half_square,
    propose,
)

from neurula.contracts import Sample
from neurula.network import trainable
from neurula.rules import (
    Backprop,
    ContrastiveHebb,
    EquilibriumPropagation,
    GeneralisedRecirculation,
    PredictiveCoding,
    RecurrentBackprop,
    check_settled,
)
from neurula.wirings import Dense, Grid


def test_two_way_mirrors_every_projection_but_those_of_inputs():
    one_way = layered([4, 5, 3, 2], key=KEY)
    network = two_way(one_way, 0.5)
    assert {p.name for p in network.projections} == {*AHEAD, *BACK}
    assert all(p.delay == 1 for p in network.projections)
    weights = by_name(network)
    assert (weights["hidden2->hidden1"] == weights["hidden1->hidden2"]).all()
    back = next(p for p in network.projections if p.name == "output->hidden2")
    signal = jnp.array([1.0, -2.0])
    expected = 0.5 * weights["hidden2->output"].T @ signal
    np.testing.assert_allclose(back.wiring.drive(back.weight, signal), expected, rtol=1e-6)
    drawn = by_name(two_way(one_way, key=KEY))
    assert not np.allclose(drawn["hidden2->hidden1"], drawn["hidden1->hidden2"])


@pytest.mark.parametrize(
    "rule",
    [EquilibriumPropagation(free_steps=20, nudged_steps=20), ContrastiveHebb(20, 20)],
    ids=lambda rule: type(rule).__name__,
)
def test_mirrored_weights_stay_equal_under_adam(rule):
    gain = 0.5 if isinstance(rule, ContrastiveHebb) else 1.0
    brain = relaxing([4, 5, 4, 4], gain=gain, key=KEY)
    learned = learn(brain, rule, Copy(), optax.adam(0.01), steps=50, batch=4, key=KEY)
    weights = by_name(learned.brain)
    for ahead, back in zip(AHEAD[1:], BACK, strict=True):
        np.testing.assert_array_equal(weights[ahead], weights[back])
        assert not np.allclose(weights[ahead], by_name(brain)[ahead], atol=1e-3), "it learned"
    assert learned.rule_state.steps == (60 if gain == 1.0 else 40)
    assert 0 < learned.rule_state.residual < 0.1


def settled_gradient(brain, sample, steps=300):
    """The gradient of the settled network's error through all steps; mirrored weights as one."""
    arrays, rest = eqx.partition(brain, eqx.is_inexact_array)

    @jax.jit
    def slope(arrays):
        def error(arrays):
            outputs = settle(eqx.combine(arrays, rest), sample.stimuli[-1], steps=steps).outputs
            return half_square(outputs[None], sample)

        return jax.grad(error)(arrays)

    whole = slope(arrays)
    change = by_name(whole)
    tied = [change[name] for name in AHEAD]
    tied = [tied[0], tied[1] + change[BACK[0]], tied[2] + change[BACK[1]]]
    biases = [whole.populations[n].neuron.bias for n in ("hidden1", "hidden2", "output")]
    return np.concatenate([np.ravel(x) for x in (*tied, *biases)])


def all_changes(direction):
    biases = [direction.populations[n].neuron.bias for n in ("hidden1", "hidden2", "output")]
    return np.concatenate([flat(direction, AHEAD), *biases])


def test_recurrent_backprop_is_the_slope_of_the_settled_error():
    """Against finite differences that move both of two mirrored weights."""
    brain, sample = relaxing([4, 6, 5, 3], key=KEY), example(4, 3)
    with jax.enable_x64(True):
        brain, sample = double(brain), double(sample)
        found = propose(RecurrentBackprop(300), brain, sample)
        np.testing.assert_allclose(all_changes(found), settled_gradient(brain, sample), atol=1e-12)
        end = lambda net: settle(net, sample.stimuli[0], steps=300)  # noqa: E731
        error = jax.jit(lambda net: half_square(end(net).outputs[None], sample))
        for ahead, back in ((AHEAD[1], BACK[0]), (AHEAD[2], BACK[1]), (AHEAD[0], None)):

            def moved(by, pair=(ahead, back)):
                there = lambda p: eqx.tree_at(  # noqa: E731
                    lambda p: p.weight, p, p.weight.at[1, 2].add(by)
                )
                return brain.edit(lambda p: there(p) if p.name in pair else p)

            slope = (error(moved(1e-5)) - error(moved(-1e-5))) / 2e-5
            assert by_name(found)[ahead][1, 2] == pytest.approx(float(slope), rel=1e-6)
    change = by_name(found)
    np.testing.assert_allclose(change[AHEAD[1]], change[BACK[0]], rtol=1e-12)


def test_recurrent_backprop_of_a_loop_and_of_separate_feedback():
    graph = Dense(5, 5, ~jnp.eye(5, dtype=bool))
    brain, sample = two_way(free(graph, inputs=4, outputs=3, gain=0.5, key=KEY)), example(4, 3)
    with jax.enable_x64(True):
        brain, sample = double(brain), double(sample)
        rules = RecurrentBackprop(300), EquilibriumPropagation(1e-3, 300, 300)
        truth, found = (by_name(propose(rule, brain, sample)) for rule in rules)
        for name in truth:
            np.testing.assert_allclose(found[name], truth[name], atol=1e-4)
        rules = (
            RecurrentBackprop(300, symmetric=False),
            EquilibriumPropagation(1e-3, 300, 300, symmetric=False),
        )
        truth, found = (by_name(propose(rule, brain, sample)) for rule in rules)
        for name in truth:
            np.testing.assert_allclose(found[name], truth[name], atol=1e-4)


def test_settling_is_what_a_network_does_when_it_is_played_a_stimulus():
    """Though inputs are computed once only."""
    brain, stimulus = relaxing([4, 6, 5, 3], key=KEY), example(4, 3).stimuli[0]
    state, step = brain.init(), jax.jit(lambda state: brain.observe(state, stimulus))
    for _ in range(200):
        state, outputs, signals = step(state)
    end = settle(brain, stimulus, steps=200)
    np.testing.assert_allclose(end.outputs, outputs, atol=1e-6)
    for name, activity in signals.activity.items():
        np.testing.assert_allclose(end.activity[name], activity, atol=1e-6)
    held = {"input": jnp.ones(4)}
    np.testing.assert_allclose(
        settle(brain, stimulus, steps=200, clamp=held).outputs,
        settle(brain, jnp.ones(4), steps=200).outputs,
        atol=1e-6,
    )


def test_equilibrium_propagation_estimates_the_gradient():
    brain, sample = relaxing([4, 6, 5, 3], key=KEY), example(4, 3)
    with jax.enable_x64(True):
        brain, sample = double(brain), double(sample)
        check_settled(brain, settle(brain, sample.stimuli[0], steps=300), tolerance=1e-12)
        truth = settled_gradient(brain, sample)

        def miss(nudge, centred):
            rule = EquilibriumPropagation(nudge, 300, 300, centred=centred)
            return apart(all_changes(propose(rule, brain, sample)), truth)

        one_sided = [miss(nudge, False) for nudge in (0.02, 0.01)]
        centred = [miss(nudge, True) for nudge in (0.02, 0.01)]
        change = propose(EquilibriumPropagation(0.01, 300, 300), brain, sample)
    assert cosine(all_changes(change), truth) > 0.99999
    assert np.log2(one_sided[0] / one_sided[1]) == pytest.approx(1.0, abs=0.1)
    assert np.log2(centred[0] / centred[1]) == pytest.approx(2.0, abs=0.1)
    assert centred[1] < one_sided[1] / 20
    names = by_name(change)
    np.testing.assert_array_equal(names["hidden2->hidden1"], names["hidden1->hidden2"])


def test_the_vector_field_version_sums_to_the_symmetric_one():
    brain, sample = relaxing([4, 6, 5, 3], key=KEY), example(4, 3)
    whole = by_name(propose(EquilibriumPropagation(), brain, sample))
    ends = by_name(propose(EquilibriumPropagation(symmetric=False), brain, sample))
    for ahead, back in zip(AHEAD[1:], BACK, strict=True):
        np.testing.assert_allclose(ends[ahead] + ends[back], whole[ahead], atol=1e-5)
        assert not np.allclose(ends[ahead], ends[back], atol=1e-3)


def test_the_vector_field_version_learns_with_random_feedback():
    brain = two_way(layered([4, 8, 4], key=KEY), key=jax.random.key(7))
    rule = EquilibriumPropagation(free_steps=15, nudged_steps=15, symmetric=False)
    exam = Copy().exam("tune", key=KEY)

    learned = learn(brain, rule, Copy(), optax.adam(0.02), steps=200, batch=8, key=KEY).brain

    @eqx.filter_jit
    def error(net):
        ends = jax.vmap(lambda s: settle(net, s[0], steps=30).outputs)(exam.stimuli)
        return jnp.mean((ends - exam.target[:, 0]) ** 2)

    assert error(learned) < 0.5 * error(brain)


def test_contrastive_hebb_becomes_backprop_as_feedback_weakens():
    one_way, sample = layered([4, 6, 5, 3], key=KEY), example(4, 3)
    ways = {gain: two_way(one_way, gain) for gain in (0.02, 0.01)}
    with jax.enable_x64(True):
        sample = double(sample)
        truth = flat(propose(Backprop(), double(one_way), sample))

        def change(gain):
            return flat(propose(ContrastiveHebb(200, 200), double(ways[gain]), sample), AHEAD)

        misses = [apart(change(gain), truth) for gain in (0.02, 0.01)]
        near = cosine(change(0.01), truth)
    assert near > 0.999
    assert np.log2(misses[0] / misses[1]) == pytest.approx(1.0, abs=0.1)
    assert misses[1] < 0.05


def test_generalised_recirculation_is_contrastive_hebb_to_first_order():
    brain, sample = relaxing([4, 6, 5, 3], key=KEY), example(4, 3)
    with jax.enable_x64(True):
        brain, sample = double(brain), double(sample)
        outputs = settle(brain, sample.stimuli[0], steps=200).outputs

        def changes(rule, teaching):
            near = outputs + teaching * (sample.target[0] - outputs)
            return by_name(propose(rule, brain, Sample(sample.stimuli, near[None])))

        def miss(teaching, midpoint=False):
            rule = GeneralisedRecirculation(200, 200, midpoint=midpoint)
            parts, hebb = changes(rule, teaching), changes(ContrastiveHebb(200, 200), teaching)
            pairs = zip(AHEAD[1:], BACK, strict=True)
            return max(apart(parts[a] + parts[b], hebb[a]) for a, b in pairs)

        misses = [miss(0.02), miss(0.01)]
        exact = miss(1.0, midpoint=True)
    assert misses[0] / misses[1] == pytest.approx(2.0, rel=0.1)
    assert exact < 1e-12


def test_settling_can_stop_early():
    brain, sample = relaxing([4, 6, 3], key=KEY), example(4, 3)
    early = jax.jit(lambda x: settle(brain, x, steps=500, tolerance=1e-4))(sample.stimuli[0])
    late = settle(brain, sample.stimuli[0], steps=500)
    assert early.steps < 100
    assert early.residual <= 1e-4
    assert late.steps == 500
    np.testing.assert_allclose(early.outputs, late.outputs, atol=2e-3)


@pytest.mark.parametrize("rule", [EquilibriumPropagation(nudge=0.1), PredictiveCoding()])
def test_rules_report_how_still_the_network_was(rule):
    relaxes = isinstance(rule, EquilibriumPropagation)
    brain = (relaxing if relaxes else layered)([4, 6, 5, 4], key=KEY)
    how = {"free_steps": 500, "nudged_steps": 500} if relaxes else {"steps": 500}
    kind, how = type(rule), how | {"tolerance": 1e-3}

    @eqx.filter_jit
    def lasting(rule):
        return learn(brain, rule, Copy(), optax.sgd(0.01), steps=2, batch=4, key=KEY).rule_state

    early, late = lasting(kind(**how)), lasting(kind(**how | {"tolerance": None}))
    assert early.steps < late.steps / 5
    assert late.residual < early.residual <= 1e-3
    assert check_settled(brain, early) is early
    few = lasting(
        kind(**dict.fromkeys(("free_steps", "nudged_steps"), 2) if relaxes else {"steps": 2})
    )
    words = (
        r"after 6 steps of 1.0 ms .*free_steps=24" if relaxes else r"after 2 steps of inf.*rate="
    )
    with pytest.raises(ValueError, match=words):
        check_settled(brain, few)


def test_what_does_not_settle_is_reported():
    brain = relaxing([4, 6, 3], key=KEY)
    once = settle(brain, example(4, 3).stimuli[0], steps=2)
    with pytest.raises(ValueError, match=r"after 2 steps of 1.0 ms .*tau \[2.0\].*free_steps=8"):
        check_settled(brain, once)
    wild = relaxing([4, 6, 3], nonlinearity="relu", key=KEY)
    wild = wild.edit(lambda p: eqx.tree_at(lambda p: p.weight, p, 9 * p.weight))
    runaway = settle(wild, example(4, 3).stimuli[0], steps=40)
    with pytest.raises(ValueError, match=r"has not settled.*relaxing.sizes, tau=8.0"):
        check_settled(wild, runaway)


def test_a_loop_becomes_symmetric_and_learns():
    brain = two_way(
        free(Dense(5, 5, ~jnp.eye(5, dtype=bool)), inputs=4, outputs=3, gain=0.5, key=KEY)
    )
    loop = by_name(brain)["cells->cells"]
    np.testing.assert_allclose(loop, loop.T)
    change = by_name(propose(EquilibriumPropagation(), brain, example(4, 3)))
    np.testing.assert_allclose(change["cells->cells"], change["cells->cells"].T, atol=1e-6)
    assert EquilibriumPropagation().init(brain, key=KEY).steps == 0


def test_loops_on_a_grid_learn_by_rules_that_need_no_symmetry():
    grid = free(Grid(2, 2), inputs=4, outputs=3, gain=0.5, key=KEY)
    brain, rule = two_way(grid, key=KEY), EquilibriumPropagation(symmetric=False)
    np.testing.assert_array_equal(by_name(brain)["cells->cells"], by_name(grid)["cells->cells"])
    assert all((w != 0).any() for w in by_name(propose(rule, brain, example(4, 3))).values())


def test_directions_have_the_shape_of_the_brain_when_shared_on_a_grid():
    brain = layered([9, 9, 3], wirings=[Grid(3, 3, shared=True), Dense(3, 9)], key=KEY)
    change = propose(EquilibriumPropagation(), two_way(brain), example(9, 3))
    for p, q in zip(change.projections, trainable(two_way(brain)).projections, strict=True):
        assert p.weight.shape == q.weight.shape
        assert jnp.any(p.weight != 0)
