"""Known facts about the pieces of stare-longer; not what it finds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from compiled import layered, respond

from neurula import trainable
from neurula.claims.stare_longer import CONTROLS, FRESH, LEAKS, STATIC, StareLonger, by_look, longer
from neurula.costs import flops
from neurula.experiment import Outcome
from neurula.looking import Repeated, Untied
from neurula.tasks import Digits, Noisy

SETTINGS = {"rate": 1e-2, "gain": 1.5, "tau": 2.0, "loop": 0.5}
TINY = StareLonger(width=4, looks=3, updates=4, batch=4)


@eqx.filter_jit
def brain(arm, claim=TINY, key=None):
    settings = {name: jnp.float32(SETTINGS[name]) for name in claim.space(arm)}
    return claim.brain(arm, settings, key=jax.random.key(0) if key is None else key)


# ---- noise ---------------------------------------------------------------------------------------


def exam(fresh, looks=4, **settings):
    task = Noisy(Digits(look=looks, occlusion=0.5), (0.0, 0.1, 0.3), fresh)
    return np.asarray(task.exam("tune", key=jax.random.key(0)).stimuli).reshape(3, -1, looks, 64)


def test_noise_has_the_strengths_it_should():
    stimuli = exam(True)
    noise = stimuli - stimuli[:1]
    np.testing.assert_allclose(noise.std((1, 2, 3)), [0.0, 0.1, 0.3], rtol=0.01)
    np.testing.assert_allclose(noise[2], 3 * noise[1], atol=1e-5)  # strengths pair up


def test_static_noise_stays_and_fresh_noise_does_not():
    static, fresh = exam(False), exam(True)
    np.testing.assert_array_equal(static, np.broadcast_to(static[:, :, :1], static.shape))
    np.testing.assert_allclose(fresh[:, :, 0], static[:, :, 0], atol=1e-6)
    noise = fresh[1] - fresh[0]
    assert abs(np.corrcoef(noise[:, 0].ravel(), noise[:, 3].ravel())[0, 1]) < 0.03


def test_who_looks_once_sees_what_the_others_see_first():
    np.testing.assert_allclose(exam(False, looks=1)[:, :, 0], exam(True)[:, :, 0], atol=1e-6)


def test_noise_of_a_sample_has_one_of_the_strengths(key):
    task, clean = (Noisy(Digits(look=9), n, True) for n in ((0.1, 0.4), (0.0,)))
    draw = eqx.filter_jit(lambda task, keys: jax.vmap(lambda k: task.sample("train", key=k))(keys))
    stimuli = lambda task: np.asarray(draw(task, jax.random.split(key, 64)).stimuli)  # noqa: E731
    spread = (stimuli(task) - stimuli(clean)).std((1, 2))
    assert (np.isclose(spread, 0.1, rtol=0.15) | np.isclose(spread, 0.4, rtol=0.15)).all()
    assert 16 < (spread > 0.25).sum() < 48
    assert task.shape == (9, 64, 10)


@pytest.mark.parametrize("noises", [(), (0.1, -0.2)])
def test_noisy_refuses(noises):
    message = r"one or more noises of 0 or more, got \(.*\)\. .* Write Noisy\(task, noises="
    with pytest.raises(ValueError, match=message):
        Noisy(Digits(), noises)


# ---- blocks that look ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stimuli():
    return jax.random.normal(jax.random.key(3), (3, 64))


def test_repeated_answers_with_the_mean_of_its_answers(stimuli):
    network = layered([64, 5, 10], key=jax.random.key(1))
    once = np.concatenate([respond(network, now[None]) for now in stimuli])
    means = np.cumsum(once, 0) / np.arange(1, 4)[:, None]
    asked = Repeated(network)
    np.testing.assert_allclose(respond(asked, stimuli), means, rtol=1e-4, atol=1e-5)
    assert (asked.inputs, asked.outputs) == ({"input": 64}, {"output": 10})


def test_untied_levels_that_are_alike_are_the_recurrent_network(stimuli):
    network = brain("recurrent")
    pile = lambda x: jnp.stack([x] * 2) if eqx.is_array(x) else x  # noqa: E731
    deep = Untied(jax.tree.map(pile, network))  # of 2 levels: the last serves the third look, too
    np.testing.assert_allclose(respond(deep, stimuli), respond(network, stimuli), rtol=1e-5)
    assert (deep.inputs, deep.outputs) == (network.inputs, network.outputs)


def test_untied_is_its_levels_one_after_another(stimuli):
    deep = brain("deep")

    @eqx.filter_jit
    def by_hand(deep):
        answers, state = [], deep.level(0).init()
        for look, now in enumerate(stimuli):
            state, answer = deep.level(look).step(state, now)
            answers.append(answer)
        return jnp.stack(answers)

    np.testing.assert_allclose(respond(deep, stimuli), by_hand(deep), rtol=1e-4, atol=1e-6)
    weights = np.asarray(deep.levels.projections[1].weight)
    assert len(np.unique(weights)) == weights.size  # no two levels share any
    slope = eqx.filter_jit(eqx.filter_grad(lambda deep: jnp.sum(respond(deep, stimuli)[1] ** 2)))
    slopes = slope(deep)
    felt = [np.abs(np.asarray(p.weight)).max((1, 2)) > 0 for p in slopes.levels.projections[:3]]
    np.testing.assert_array_equal(felt, [[True, True, False]] * 2 + [[False, True, False]])


# ---- what is matched -----------------------------------------------------------------------------


def size(block):
    return sum(leaf.size for leaf in jax.tree.leaves(trainable(block)))


@pytest.mark.parametrize("width", [4, 64])
def test_controls_have_as_many_parameters(width):
    claim = StareLonger(width=width, looks=2)
    count = eqx.filter_jit(lambda arm: size(brain(arm, claim)))  # no weight has to be drawn
    sizes = {arm: count(arm) for arm in claim.arms}
    weights, biases, constants = 64 * width + 4 * width**2 + 10 * width, 2 * width + 10, 2 * width
    assert sizes["recurrent"] == weights + biases + constants
    assert sizes["deep"] == 2 * sizes["recurrent"]
    for arm in ("feed-forward", "repeated", "accumulator"):
        least = sizes["recurrent"] if arm == "accumulator" else sizes["recurrent"] - 2 * width
        assert least <= sizes[arm] < least + 2.2 * (64 + 2 * claim.wider)  # 2 cells a layer more


def test_deep_and_repeated_cost_as_much_as_recurrent():
    claim = StareLonger()
    costs = {}
    for arm in claim.arms:
        looks = 1 if arm == "feed-forward" else 12
        weights, rest = eqx.partition(brain(arm, claim), eqx.is_array)
        play = lambda w, x, rest=rest: respond(eqx.combine(w, rest), x)  # noqa: E731
        costs[arm] = flops(play, weights, jnp.zeros((looks, 64)))
    for arm in ("deep", "repeated", "accumulator"):
        assert costs[arm] == pytest.approx(costs["recurrent"], rel=0.04)
    assert costs["repeated"] == pytest.approx(12 * costs["feed-forward"], rel=0.04)


def test_deep_starts_as_recurrent_and_the_others_alike():
    first = jax.tree.leaves(trainable(brain("deep").level(0)))
    for a, b in zip(first, jax.tree.leaves(trainable(brain("recurrent"))), strict=True):
        np.testing.assert_array_equal(a, b)
    once, repeated, leaky = (brain(a) for a in ("feed-forward", "repeated", "accumulator"))
    for a, b, c in zip(
        once.projections, repeated.network.projections, leaky.projections, strict=True
    ):
        np.testing.assert_array_equal(a.weight, b.weight)
        np.testing.assert_array_equal(a.weight, c.weight)


def test_the_recurrent_network_by_hand(stimuli):
    """Leaky cells of two layers; lateral weights and feedback arrive a look later."""
    network = brain("recurrent")
    w = {p.name.replace("hidden", ""): np.asarray(p.weight) for p in network.projections}
    stay, low, high = np.exp(-1 / 2.0), np.zeros(4), np.zeros(4)
    answers = []
    for now in np.asarray(stimuli):
        was = np.maximum(low, 0), np.maximum(high, 0)
        drive = w["input->1"] @ now + w["1->1"] @ was[0] + w["2->1"] @ was[1]
        low = stay * low + (1 - stay) * drive
        high = stay * high + (1 - stay) * (w["1->2"] @ np.maximum(low, 0) + w["2->2"] @ was[1])
        answers.append(w["2->output"] @ np.maximum(high, 0))
    np.testing.assert_allclose(respond(network, stimuli), answers, rtol=1e-3, atol=1e-5)


def test_only_leaky_arms_have_time_constants():
    for arm in TINY.arms:
        assert ("tau" in TINY.space(arm)) == (arm in LEAKS)


# ---- from runs to evidence -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def asked():
    """An arm with two seeds, hardly taught."""
    settings = {name: jnp.float32(SETTINGS[name]) for name in TINY.space("repeated")}
    run = jax.jit(jax.vmap(lambda key: TINY.run("repeated", settings, key=key)))
    return run(jax.random.split(jax.random.key(0), 2))


@pytest.mark.slow
def test_what_does_not_change_is_not_answered_anew(asked):
    points = by_look(asked, STATIC)
    assert points.shape == (2, 3)
    np.testing.assert_allclose(points, np.broadcast_to(points[:, :1], points.shape))
    assert np.ptp(by_look(asked, FRESH), axis=1).all()
    assert set(np.unique(asked.kept["looks needed"][:, STATIC])) <= {1, 4}  # at once, or never


@pytest.mark.slow
def test_what_a_run_leaves(asked):
    np.testing.assert_allclose(asked.score, by_look(asked, STATIC)[:, -1] / 100, rtol=1e-5)
    np.testing.assert_array_equal(asked.tuning, asked.curves["static noise, last look"][:, -1])
    np.testing.assert_array_equal(asked.kept["tuning"][:, STATIC, 1], asked.tuning)
    assert asked.curves["fresh noise, first look"].shape == (2, 4)
    assert asked.kept["looks needed"].shape == (2, 2, 3, 597)
    assert asked.costs["samples"].tolist() == [16, 16]


def as_numpy(outcome):
    """As evidence gets it."""
    return jax.tree.map(np.asarray, outcome)


def test_harder_pictures_take_longer():
    looks = np.array([[[[1, 2, 1], [2, 3, 5], [4, 4, 5]]] * 2, [[[3] * 3] * 3] * 2])
    found = longer(as_numpy(Outcome(jnp.zeros(2), kept={"looks needed": jnp.array(looks)})), STATIC)
    tau = scipy.stats.kendalltau(np.repeat([0, 1, 2], 3), looks[0, 0].ravel()).statistic
    np.testing.assert_allclose(found, [tau, 0.0])
    assert tau > 0.5


def outcome(ends, tuning=None, looks=12, seeds=10):
    """An arm with these first and last accuracies (test; tuning, or the same), in per cent."""
    rng = np.random.default_rng(0)
    line = np.linspace(*ends, looks) + rng.normal(0, 0.3, (seeds, 2, 3, 1))
    tuned = np.tile(np.array(tuning or ends, float), (seeds, 2, 1))
    needed = np.tile(np.arange(1, 4)[:, None], (seeds, 2, 1, 5))
    kept = {"accuracy": line / 100, "tuning": tuned / 100, "looks needed": needed}
    score = jnp.array(line[:, 0, :, -1].mean(1) / 100)
    return as_numpy(Outcome(score, kept={name: jnp.array(x) for name, x in kept.items()}))


def evidence(**arms):
    usual = {arm: outcome((50, 50)) for arm in CONTROLS}
    found = StareLonger().evidence(usual | {a.replace("_", "-"): o for a, o in arms.items()})
    return found, found.primary.decide()


def test_a_real_gain_is_supported():
    found, ruling = evidence(recurrent=outcome((50, 56)), deep=outcome((49, 51)))
    assert ruling.ruling == "supported"
    assert ruling.estimate == pytest.approx(4, abs=0.3)
    assert [gate.held for gate in found.gates] == [True, True]
    assert sum("rules" in name for name in found.secondary) == 1
    assert "gain beyond deep (rules: hardest on tuning pictures)" in found.secondary


@pytest.mark.parametrize(
    ("control", "rules"),
    [
        ({"deep": (50, 56)}, "gain beyond deep"),  # time is nothing but depth
        ({"accumulator": (47, 52.5)}, "gain beyond accumulator"),
        ({"feed_forward": (60, 60)}, "end beyond feed-forward"),  # only the first look was bad
    ],
)
def test_what_refutes(control, rules):
    arms = {arm: outcome(line) for arm, line in control.items()}
    found, ruling = evidence(recurrent=outcome((50, 56)), **arms)
    assert ruling.ruling == "refuted"
    assert any(name.startswith(rules) and "rules" in name for name in found.secondary)


def test_the_hardest_control_is_chosen_on_tuning_pictures():
    """Chance on the test pictures does not choose the comparison by which it is judged."""
    lucky = outcome((50, 55), tuning=(50, 51))
    dull = outcome((50, 51), tuning=(50, 54))
    _, ruling = evidence(recurrent=outcome((50, 56)), deep=lucky, repeated=dull)
    assert ruling.estimate == pytest.approx(5, abs=0.3)


def test_gates():
    found, _ = evidence(recurrent=outcome((20, 20.5)), feed_forward=outcome((20, 20)))
    assert [gate.held for gate in found.gates] == [False, False]
    assert found.gates[0].found == "20.0 %"


def test_figure_has_a_line_for_every_arm():
    outcomes = {arm: outcome((50, 56)) for arm in StareLonger.arms}
    figure = StareLonger().figure(outcomes)
    names = {trace.name for trace in figure.data if trace.name}
    assert names >= set(StareLonger.arms) | {"recurrent, fresh noise"}
