"""Known facts about the pieces of occlusion-recurrence; not what it finds."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from neurula import respond, trainable
from neurula.claims.occlusion_recurrence import CONTROLS, QUARTER, VISIBLE, OcclusionRecurrence
from neurula.claims.readers import LOOPS, falling, matched, top
from neurula.costs import flops
from neurula.experiment import Outcome

SETTINGS = {"rate": 1e-2, "gain": 1.5, "tau": 2.0, "loop": 0.5, "beta": 20.0}
TINY = OcclusionRecurrence(width=4, looks=3, updates=4, batch=4)
KEY = jax.random.key(0)


def settings(arm, claim=TINY):
    return {name: jnp.float32(SETTINGS[name]) for name in claim.space(arm)}


def brain(arm, claim=TINY):
    return claim.brain(arm, settings(arm, claim), key=KEY)


# ---- what is matched -----------------------------------------------------------------------------


def size(arm, claim):
    stored = 3 * claim.width**2 if arm == "attractor" else 0
    learned = eqx.filter_eval_shape(lambda: trainable(brain(arm, claim)))
    return stored + sum(leaf.size for leaf in jax.tree.leaves(learned))


def work(arm, claim):
    """Floating-point operations for a picture."""
    looks = claim.looks if arm in ("recurrent", "lateral", "deep") else 1
    outline = eqx.filter_eval_shape(lambda: brain(arm, claim))
    weights, rest = eqx.partition(outline, lambda x: isinstance(x, jax.ShapeDtypeStruct))

    def play(weights, stored, picture):
        whole = eqx.combine(weights, rest)
        if arm != "attractor":
            return respond(whole, picture)
        return falling(whole, stored, jnp.float32(20.0), claim.looks)(picture)

    stored = jnp.ones((3 * claim.width, claim.width))
    return flops(play, weights, stored, jnp.zeros((looks, 64)))


@pytest.mark.parametrize("width", [4, 32])
def test_arms_have_as_many_parameters(width):
    claim = OcclusionRecurrence(width=width, looks=2)
    loops, cells = 3 * width**2, 64 * width + width**2 + 10 * width
    recurrent = size("recurrent", claim)
    assert recurrent == loops + cells + 4 * width + 10  # biases, time constants
    assert size("deep", claim) == 2 * recurrent
    assert size("one look", claim) == recurrent
    assert size("attractor", claim) == recurrent - 2 * width  # has no time constants
    for arm in ("feed-forward", "augmented", "lateral"):
        one_cell_more = 80 + 2 * 3 * matched(arm, width)
        least = recurrent if arm in LOOPS else recurrent - 2
        assert least <= size(arm, claim) < least + one_cell_more
    assert matched("recurrent", width) == width


def test_arms_take_as_many_operations():
    claim = OcclusionRecurrence()
    recurrent = work("recurrent", claim)
    for arm in ("deep", "lateral", "attractor"):
        assert work(arm, claim) == pytest.approx(recurrent, rel=0.08)
    assert 8 * work("one look", claim) <= recurrent  # the loops carry nothing, and cost nothing
    assert 8 * work("feed-forward", claim) == pytest.approx(recurrent, rel=0.06)


@pytest.mark.parametrize("arm", ["recurrent", "lateral", "attractor", "feed-forward", "deep"])
def test_the_numbers_printed_in_the_arms(arm):
    claim, says = OcclusionRecurrence(), OcclusionRecurrence.arms[arm].says
    parameters = int(re.search(r"([\d,]+) parameters", says)[1].replace(",", ""))
    operations = int(re.search(r"(\d+) thousand operations", says)[1])
    assert size(arm, claim) == parameters
    assert round(work(arm, claim) / 1000) == operations


def test_arms_start_alike():
    def first(block):
        return jax.tree.leaves(trainable(block))

    for arm, other in (("feed-forward", "augmented"), ("recurrent", "one look")):
        for a, b in zip(first(brain(arm)), first(brain(other)), strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(first(brain("deep").level(0)), first(brain("recurrent")), strict=True):
        np.testing.assert_array_equal(a, b)


def test_who_is_trained_on_what():
    """Only the augmented arm is given a task that hides anything."""
    tasks = {arm: type(TINY.lessons(arm)).__name__ for arm in TINY.arms}
    assert tasks.pop("augmented") == "Bubbles"
    assert set(tasks.values()) == {"Digits"}
    looks = {arm: TINY.lessons(arm).shape[0] for arm in TINY.arms}
    assert {arm for arm, n in looks.items() if n == 3} == {"recurrent", "lateral", "deep"}


# ---- networks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["recurrent", "lateral"])
def test_the_recurrent_network_by_hand(arm):
    """Leaky cells of two layers; lateral weights and feedback arrive a look later."""
    network, stimuli = brain(arm), jax.random.normal(KEY, (3, 64))
    w = {p.name.replace("hidden", ""): np.asarray(p.weight) for p in network.projections}
    cells = w["1->1"].shape[0]
    back = w.get("2->1", np.zeros((cells, cells)))
    assert ("2->1" in w) == (arm == "recurrent")
    stay, low, high, answers = np.exp(-1 / 2.0), np.zeros(cells), np.zeros(cells), []
    for now in np.asarray(stimuli):
        was = np.maximum(low, 0), np.maximum(high, 0)
        drive = w["input->1"] @ now + w["1->1"] @ was[0] + back @ was[1]
        low = stay * low + (1 - stay) * drive
        high = stay * high + (1 - stay) * (w["1->2"] @ np.maximum(low, 0) + w["2->2"] @ was[1])
        answers.append(w["2->output"] @ np.maximum(high, 0))
    np.testing.assert_allclose(respond(network, stimuli), answers, rtol=1e-3, atol=1e-5)


def fallen(beta, scale=1.0):
    """A network with attractors, what it stores, and what it says of a picture."""
    network = brain("attractor")
    picture = scale * jnp.abs(jax.random.normal(KEY, (1, 64)))
    stored = jnp.abs(jax.random.normal(jax.random.key(1), (12, 4)))
    said = falling(network, stored, jnp.float32(beta), 3)(picture)
    assert said.shape == (3, 10)
    np.testing.assert_allclose(said[0], respond(network, picture)[0], rtol=1e-4, atol=1e-5)
    weight = np.asarray(network.projections[-1].weight)
    return np.asarray(top(network, picture[0])), np.asarray(stored), weight, np.asarray(said)


def test_sharp_attractors_are_the_nearest_stored_pattern():
    start, stored, weight, said = fallen(1e4)
    cosines = stored @ start / np.linalg.norm(stored, axis=1)
    np.testing.assert_allclose(said[1], weight @ stored[cosines.argmax()], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(said[2], said[1], rtol=1e-3, atol=1e-5)


def test_attractors_by_hand():
    x, stored, weight, said = fallen(5.0)
    for moment in (1, 2):
        cosines = stored @ x / np.linalg.norm(stored, axis=1) / np.linalg.norm(x)
        x = scipy.special.softmax(5 * cosines) @ stored
        np.testing.assert_allclose(said[moment], weight @ x, rtol=1e-3, atol=1e-5)
    bright = fallen(5.0, scale=7.0)[-1]
    np.testing.assert_allclose(bright[1], said[1], rtol=1e-3, atol=1e-5)


# ---- from runs to evidence -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["attractor", "augmented"])
def test_what_a_run_leaves(arm):
    found = jax.jit(lambda key: TINY.run(arm, settings(arm), key=key))(KEY)
    assert found.kept["accuracy"].shape == (2, 5)
    assert found.kept["looks"].shape == ((3,) if arm == "attractor" else (1,))
    assert found.kept["looks"][-1] == found.score == found.kept["accuracy"][0, QUARTER]
    assert found.tuning == found.kept["tuning"][0] == found.curves["25 % visible"][-1]
    assert found.costs["parameters"] == size(arm, TINY)
    whole = found.kept["accuracy"][:, -1]
    assert whole[0] == whole[1]  # nothing is behind a whole digit


def outcome(quarter, whole=96.0, *, debris=None, tuning=None, first=None, seeds=10):
    """An arm with these accuracies at 25 % and 100 %, in per cent."""
    rng = np.random.default_rng(0)
    line = lambda low: np.interp(VISIBLE, (0.1, 0.25, 1.0), (low - 10, low, whole))  # noqa: E731
    both = np.stack([line(quarter), line(debris or quarter)])
    accuracy = both + rng.normal(0, 0.3, (seeds, 2, 1))
    tuned = np.tile([tuning or quarter, whole], (seeds, 1))
    looks = np.linspace(first or quarter, quarter, 8) + np.zeros((seeds, 1))
    kept = {"accuracy": accuracy / 100, "tuning": tuned / 100, "looks": looks / 100}
    kept = {name: jnp.asarray(x, jnp.float32) for name, x in kept.items()}
    whole_run = Outcome(kept["accuracy"][:, 0, QUARTER], kept=kept)
    return jax.tree.map(np.asarray, whole_run)


def evidence(**arms):
    usual = {arm: outcome(50.0) for arm in OcclusionRecurrence.arms} | {"augmented": outcome(80.0)}
    found = OcclusionRecurrence().evidence(
        usual | {a.replace("_", "-"): o for a, o in arms.items()}
    )
    return found, found.primary.decide()


def rules(found):
    [name] = [name for name in found.secondary if "rules" in name]
    return name.partition(" (")[0]


def test_a_real_lead_is_supported():
    found, ruling = evidence(recurrent=outcome(56.0, first=50.0), deep=outcome(51.0))
    assert ruling.ruling == "supported"
    assert ruling.estimate == pytest.approx(5, abs=1e-3)
    assert [gate.held for gate in found.gates] == [True] * 3
    assert rules(found) in ("accuracy beyond deep", "kept beyond deep")
    decided = {name: test.decide() for name, test in found.secondary.items()}
    assert decided["recurrent beyond augmented"].estimate == pytest.approx(-24, abs=1e-3)
    assert decided["last look beyond first"].estimate == pytest.approx(6, abs=1e-3)
    assert decided["slope of logit accuracy on what is hidden, beyond deep"].estimate > 0.16
    assert decided["behind debris, beyond deep"].estimate == pytest.approx(5, abs=1e-3)


@pytest.mark.parametrize("control", CONTROLS)
def test_one_control_as_good_refutes(control):
    found, ruling = evidence(recurrent=outcome(56.0), **{control.replace("-", "_"): outcome(55.0)})
    assert ruling.ruling == "refuted"
    assert control in rules(found)


def test_who_reads_whole_digits_better_has_not_lost_less():
    found, ruling = evidence(recurrent=outcome(54.0, whole=99.0), deep=outcome(50.0, whole=95.0))
    assert ruling.ruling == "refuted"
    assert rules(found).startswith("kept")


def test_the_hardest_control_is_chosen_on_tuning_pictures():
    _, ruling = evidence(
        recurrent=outcome(56.0),
        deep=outcome(55.0, tuning=50.0),
        feed_forward=outcome(50.0, tuning=53.0),
    )
    assert ruling.estimate == pytest.approx(6, abs=1e-3)


def test_gates():
    arms = {"feed_forward": outcome(12.0, whole=80.0), "augmented": outcome(13.0)}
    found, _ = evidence(recurrent=outcome(56.0), **arms)
    assert [gate.held for gate in found.gates] == [False] * 3
    assert found.gates[2].found == "1.0"


def test_figure_has_a_line_for_every_arm():
    figure = OcclusionRecurrence().figure({arm: outcome(50.0) for arm in OcclusionRecurrence.arms})
    assert {trace.name for trace in figure.data if trace.name} == set(OcclusionRecurrence.arms)
