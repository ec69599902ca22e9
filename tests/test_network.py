"""Networks and their loops against hand computations; every refusal with its message."""

import itertools
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import optax
import pytest
from compiled import examine, free, layered, learn, lesion, record, respond
from toy_learning import double

from neurula import Network, Plastic, Population, Projection, many, trainable
from neurula.neurons import LIF, Leaky, Rate
from neurula.rules import Backprop, Hebb, Oja
from neurula.rules.local import AbstractLocalRule
from neurula.tasks import Parity, Patches
from neurula.weights import fan_in
from neurula.wirings import Dense, random

LINEAR = Rate("identity")


def one_to_one(source, target, *, weight=1.0, delay=1, **rest):
    wiring = Dense(1, 1)
    return Projection(source, target, wiring, wiring.fill(weight), delay=delay, **rest)


def chain(names, projections, **ends):
    return Network({name: Population(1, LINEAR) for name in names}, projections, **ends)


def pulse(steps):
    return jnp.zeros((steps, 1)).at[0].set(1.0)


# ---- time ----------------------------------------------------------------------------------------


def test_delays_deliver_when_they_should():
    delays = {"now": 0, "next": 1, "late": 3}
    network = chain(
        ["eye", *delays],
        [one_to_one("eye", name, delay=delay) for name, delay in delays.items()],
        senses=["eye"],
        voices=list(delays),
    )
    heard = respond(network, pulse(6))
    for column, delay in enumerate(delays.values()):
        np.testing.assert_array_equal(np.flatnonzero(heard[:, column]), [delay])


def test_loop_with_delay_echoes():
    network = chain("a", [one_to_one("a", "a", weight=0.5, delay=3)], senses=["a"], voices=["a"])
    expected = [1, 0, 0, 0.5, 0, 0, 0.25, 0, 0, 0.125]
    np.testing.assert_allclose(respond(network, pulse(10))[:, 0], expected)


def test_a_chain_without_delays_is_one_step_in_any_order_of_writing():
    projections = [one_to_one("c", "d", delay=0), one_to_one("a", "b", delay=0)]
    projections.append(one_to_one("b", "c", weight=3.0, delay=0))
    network = chain("dcba", projections, senses=["a"], voices=["d"])
    np.testing.assert_array_equal(respond(network, pulse(2))[:, 0], [3, 0])


@pytest.mark.parametrize(
    ("links", "loop"), [(["ab", "bc", "ca"], {"a", "b", "c"}), (["ab", "bb"], {"b"})]
)
def test_zero_delay_loops_are_refused_by_name(links, loop):
    projections = [one_to_one(a, b, delay=0) for a, b in links]
    message = r"Projections without delay form a loop: (.*)\. Within one .* Give .*`delay=1`"
    with pytest.raises(ValueError, match=message) as caught:
        chain("abc", projections, senses=["a"], voices=["c"])
    named = re.search(message, str(caught.value))[1].split(" -> ")
    assert named[0] == named[-1]
    assert set(named) == loop
    assert all(f"{a}{b}" in links for a, b in itertools.pairwise(named))


# ---- what a step computes -----------------------------------------------------------------------


def test_a_multilayer_perceptron_is_one_step_by_hand(key):
    network = layered([5, 7, 4, 3], key=key)
    stimulus = jax.random.normal(key, (1, 5))
    first, second, last = (np.asarray(p.weight) for p in network.projections)
    by_hand = last @ np.tanh(second @ np.tanh(first @ np.asarray(stimulus[0])))
    np.testing.assert_allclose(respond(network, stimulus)[0], by_hand, rtol=1e-4, atol=1e-5)


@eqx.filter_jit
def leaky_loop(key, *, gain=0.8):
    """3 numbers -> 6 leaky cells with a loop of delay 2 -> 2 linear cells."""
    keys = jax.random.split(key, 3)
    enter, loop, leave = Dense(6, 3), Dense(6, 6), Dense(2, 6)
    bias = jnp.linspace(-0.3, 0.3, 6)
    return Network(
        {
            "eye": Population(3, LINEAR),
            "cells": Population(6, Leaky("tanh", 4.0, bias)),
            "hand": Population(2, Rate("identity", jnp.array([0.5, -0.5]))),
        },
        [
            Projection("eye", "cells", enter, fan_in(enter, key=keys[0]), delay=0),
            Projection("cells", "cells", loop, gain * fan_in(loop, key=keys[1]), delay=2),
            Projection("cells", "hand", leave, fan_in(leave, key=keys[2]), delay=1),
        ],
        senses=["eye"],
        voices=["hand"],
        dt=2.0,
    )


def leaky_loop_by_hand(network, stimuli):
    """Activities of the cells and of the hand in NumPy."""
    enter, loop, leave = (np.asarray(p.weight, float) for p in network.projections)
    bias = np.asarray(network.populations["cells"].neuron.bias)
    stay, potential = np.exp(-2.0 / 4.0), np.zeros(6)
    cells, hands = [np.zeros(6), np.zeros(6)], []
    for now in np.asarray(stimuli, float):
        drive = enter @ now + loop @ cells[-2] + bias
        hands.append(leave @ cells[-1] + [0.5, -0.5])
        potential = stay * potential + (1 - stay) * drive
        cells.append(np.tanh(potential))
    return np.array(cells[2:]), np.array(hands)


def test_record_and_respond_equal_a_hand_computation(key):
    network, stimuli = leaky_loop(key), jax.random.normal(key, (9, 3))
    cells, hands = leaky_loop_by_hand(network, stimuli)
    recording = record(network, stimuli, "cells", name="V1")
    np.testing.assert_allclose(recording.responses, cells, rtol=1e-4, atol=1e-5)
    assert (recording.name, recording.source) == ("V1", "neurula network")
    assert record(network, stimuli, "hand").name == "hand"
    np.testing.assert_allclose(respond(network, stimuli), hands, rtol=1e-4, atol=1e-5)


def test_record_refuses_unknown_populations(key):
    message = r"has populations \['cells', 'eye', 'hand'\], but got 'ear'"
    with pytest.raises(ValueError, match=message):
        record(leaky_loop(key), jnp.zeros((2, 3)), "ear")


def test_clamp_replaces_activity_and_nudge_adds_to_the_drive(key):
    network = leaky_loop(key)
    observe = eqx.filter_jit(network.observe)
    held, pushed = np.arange(6.0, dtype=np.float32), np.array([1.0, -2.0], np.float32)
    state, stimulus = network.init(), jnp.array([0.3, -1.0, 2.0])
    state, _, signals = observe(state, stimulus, clamp={"cells": held})
    np.testing.assert_array_equal(signals.activity["cells"], held)
    state, outputs, signals = observe(state, stimulus, nudge={"hand": pushed})
    drive = np.asarray(network.projections[2].weight) @ held + pushed
    np.testing.assert_allclose(signals.drive["hand"][0], drive, rtol=1e-5)
    np.testing.assert_allclose(outputs, drive + np.array([0.5, -0.5]), rtol=1e-5)
    np.testing.assert_array_equal(signals.pre["cells->hand"], held)
    # a clamp holds activity, not potential: the loop hears it two steps later
    _, _, signals = observe(state, stimulus)
    np.testing.assert_array_equal(signals.pre["cells->cells"], held)


def test_spiking_population_by_hand():
    network = Network(
        {"cells": Population(2, LIF(tau=5.0, refractory=1.0))},
        [Projection("cells", "cells", Dense(2, 2), jnp.array([[0.0, 9.0], [-9.0, 0.0]]))],
        senses=["cells"],
        voices=["cells"],
    )
    stay, potential, waiting, fired = np.exp(-1 / 5.0), np.zeros(2), np.zeros(2), np.zeros(2)
    stimulus, expected = np.array([0.5, 6.0]), []
    for _ in range(30):
        drive = stimulus + np.array([9 * fired[1], -9 * fired[0]])
        potential = np.where(waiting > 0, 0.0, stay * potential + (1 - stay) * drive)
        waiting = np.maximum(waiting - 1, 0)
        fired = (potential > 1).astype(float)
        potential, waiting = np.where(fired, 0.0, potential), np.where(fired, 1.0, waiting)
        expected.append(fired)
    played = respond(network, jnp.tile(jnp.asarray(stimulus, jnp.float32), (30, 1)))
    assert 0 < np.mean(expected) < 1
    np.testing.assert_array_equal(played, expected)


def test_gradients_through_time_against_finite_differences(key):
    network = leaky_loop(key)
    with jax.enable_x64(True):
        network = double(network)
        weights, rest = eqx.partition(network, eqx.is_inexact_array)
        stimuli = jax.random.normal(key, (7, 3), jnp.float64)

        def error(weights):
            return jnp.sum(respond(eqx.combine(weights, rest), stimuli) ** 2)

        flat, restore = jax.flatten_util.ravel_pytree(weights)
        gradient = jax.jit(jax.grad(lambda x: error(restore(x))))(flat)
        nudges = 1e-5 * jnp.eye(flat.size)
        moved = jax.jit(jax.vmap(lambda nudge: error(restore(flat + nudge))))
        numeric = (np.asarray(moved(nudges)) - np.asarray(moved(-nudges))) / 2e-5
        np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-8)
        assert flat.size == 3 * 6 + 6 * 6 + 6 * 2 + 6 + 2


# ---- lesions -------------------------------------------------------------------------------------


def test_a_lesioned_network_equals_one_built_without_the_cells(key):
    network, stimuli = layered([3, 4, 2], key=key), jax.random.normal(key, (1, 3))
    kept = np.array([True, False, True, True])
    smaller = layered([3, 3, 2], key=key)
    first, last = network.projections
    smaller = eqx.tree_at(
        lambda net: [p.weight for p in net.projections],
        smaller,
        [first.weight[kept], last.weight[:, kept]],
    )
    hurt = lesion(network, {"hidden1": jnp.asarray(~kept)})
    np.testing.assert_allclose(respond(hurt, stimuli), respond(smaller, stimuli), rtol=1e-5)
    assert np.asarray(network.projections[0].weight).all()  # the original is as it was


def test_learning_does_not_heal_a_lesion(key):
    whole = free(random(12, 0.4, seed=0), inputs=1, outputs=2, key=key)
    network = lesion(whole, {"cells": jnp.arange(12) < 3})
    learned = learn(network, Backprop(), Parity(5), optax.adam(0.05), steps=5, key=key).brain
    for p in learned.projections:
        reach = np.broadcast_to(np.asarray(p.wiring.exists), p.weight.shape)
        assert not np.asarray(p.weight)[~reach].any()
        assert np.asarray(p.weight)[reach].all()
    loop = np.asarray(learned.projections[1].weight)
    assert not loop[:3].any()
    assert not loop[:, :3].any()


def test_lesion_refuses_unknown_populations(key):
    message = r"has populations \['hidden1', 'input', 'output'\], but got \['hidden9'\]"
    with pytest.raises(ValueError, match=message):
        lesion(layered([2, 2, 2], key=key), {"hidden9": jnp.ones(2, bool)})


# ---- plastic networks ----------------------------------------------------------------------------


def two_layers(key, **rest):
    wiring = Dense(2, 4, rest.pop("mask", None))
    weight = rest.pop("weight", fan_in(wiring, key=key))
    return Network(
        {"eye": Population(4, LINEAR), "cells": Population(2, LINEAR)},
        [Projection("eye", "cells", wiring, weight, delay=0, **rest)],
        senses=["eye"],
        voices=["cells"],
    )


def test_plastic_equals_a_handwritten_oja_step_by_step(key):
    network, stimuli = two_layers(key), jax.random.normal(key, (40, 4))
    brain, weight = Plastic(network, Oja(), rate=0.05), np.asarray(network.projections[0].weight)
    state, step = brain.init(), eqx.filter_jit(brain.step)
    for now in stimuli:
        state, outputs = step(state, now)
        post = weight @ np.asarray(now)
        np.testing.assert_allclose(outputs, post, rtol=1e-3, atol=1e-5)
        weight = weight + 0.05 * post[:, None] * (np.asarray(now)[None] - post[:, None] * weight)
        np.testing.assert_allclose(state.weights[0], weight, rtol=1e-3, atol=1e-5)
    assert np.abs(weight - np.asarray(network.projections[0].weight)).max() > 0.1
    np.testing.assert_array_equal(brain.now(state).projections[0].weight, state.weights[0])


def test_plastic_weights_keep_their_places_and_their_signs(key):
    mask, sign = jax.random.bernoulli(key, 0.5, (2, 4)), jnp.array([1, -1, 1, -1], jnp.int8)
    wiring = Dense(2, 4, mask)
    network = two_layers(key, mask=mask, sign=sign, weight=fan_in(wiring, key=key, sign=sign))
    brain = Plastic(network, Hebb(), rate=0.5)
    play = lambda x: jax.lax.scan(lambda s, x: (brain.step(s, x)[0],) * 2, brain.init(), x)  # noqa: E731
    _, state = jax.jit(play)(jax.random.normal(key, (20, 4)))
    weights = np.asarray(state.weights[0])
    assert not weights[:, ~np.asarray(mask)].any()
    assert (weights * np.asarray(sign) >= 0).all()
    assert weights[-1].any()


class RewardedHebb(AbstractLocalRule):
    trace_times = (0.0, 0.0)

    def change(self, synapse):
        return synapse.third * synapse.post.activity * synapse.pre.activity, None

    def edge_memory(self, wiring):
        del wiring


def test_reward_is_the_last_input_and_reaches_all_synapses(key):
    network = two_layers(key)
    brain = Plastic(network, RewardedHebb(), rate=0.1, rewarded=True)
    assert brain.inputs == {"eye": 4, "reward": 1}
    now, before = jnp.array([1.0, 0.0, -1.0, 2.0]), np.asarray(network.projections[0].weight)
    step = eqx.filter_jit(brain.step)
    for reward in (0.0, 1.0, -2.0):
        state, outputs = step(brain.init(), jnp.append(now, reward))
        moved = 0.1 * reward * np.outer(before @ np.asarray(now), now)
        np.testing.assert_allclose(outputs, before @ np.asarray(now), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(state.weights[0] - before, moved, rtol=1e-4, atol=1e-5)


# ---- learning ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def life():
    """A short life of a free graph, by key."""

    def live(key):
        brain = free(random(16, 0.2, seed=1), inputs=1, outputs=2, key=jax.random.key(5))
        how = {"steps": 7, "batch": 4, "probe": lambda b: {"first": b.projections[0].weight[0, 0]}}
        return learn(brain, Backprop(), Parity(6), optax.adam(0.03), probes=3, key=key, **how)

    return eqx.filter_jit(live)


def leaves(brain):
    return [np.asarray(x) for x in jax.tree.leaves(trainable(brain))]


def test_absent_connections_stay_absent_under_adam(life, key):
    learned = life(key).brain.projections[1]
    exists = np.asarray(learned.wiring.exists)
    assert not np.asarray(learned.weight)[~exists].any()
    assert np.asarray(learned.weight)[exists].all()


def test_learning_follows_its_key(life, key):
    same, other = life(key), life(jax.random.key(1))
    for a, b in zip(leaves(life(key).brain), leaves(same.brain), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(leaves(same.brain), leaves(other.brain), strict=True))


def test_many_lives_at_once_equal_single_ones(life):
    keys = jax.random.split(jax.random.key(2), 3)
    together = eqx.filter_vmap(life)(keys)
    for i, key in enumerate(keys):
        alone = leaves(life(key).brain)
        for a, b in zip(alone, leaves(together.brain), strict=True):
            np.testing.assert_allclose(a, b[i], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("at_once", [None, 1, 4])
def test_many_lives_are_those_of_their_keys(at_once, key):
    keys = jax.random.split(key, 6)
    life = lambda k: {"drawn": jax.random.normal(k, (2,))}  # noqa: E731
    drawn = many(life, at_once=at_once)(keys)["drawn"]
    np.testing.assert_array_equal(drawn, jnp.stack([life(k)["drawn"] for k in keys]))


def test_what_learning_gives_back(life, key):
    learned = life(key)
    assert learned.curves["first"].shape == (3,)
    # 7 updates in 3 probes: the one left over comes first, so that the last probe sees the end
    assert learned.curves["first"][-1] == learned.brain.projections[0].weight[0, 0]
    # Of 16 x 16 possible loops 51 exist; the others are no parameters.
    count = 16 + 51 + 2 * 16 + 16 + 2
    costs = {name: float(value) for name, value in learned.costs.items()}
    assert costs == {"parameters": count, "updates": 7, "samples": 28}


def test_one_update_is_the_gradient_of_the_batch(key):
    brain, task, rate = layered([1, 3, 2], key=key), Parity(4, window=1), 0.1
    learned = learn(brain, Backprop(), task, optax.sgd(rate), steps=1, batch=5, key=key).brain
    at_sample, _ = jax.random.split(jax.random.fold_in(jax.random.split(key)[1], 0))
    draw = jax.jit(jax.vmap(lambda k: task.sample("train", key=k)))
    samples = draw(jax.random.split(at_sample, 5))

    def error(brain):
        return jnp.mean(jax.vmap(lambda s: task.error(respond(brain, s.stimuli), s))(samples))

    gradient = eqx.filter_jit(eqx.filter_grad(error))(brain)
    wanted = [a - rate * g for a, g in zip(leaves(brain), leaves(gradient), strict=True)]
    for a, b in zip(leaves(learned), wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_examine_is_the_mean_over_the_exam(key):
    brain, task = layered([1, 3, 2], key=key), Parity(4, exam_size=20)
    exam = task.exam("tune", key=jax.random.split(key)[0])
    outputs = np.array([respond(brain, stimuli) for stimuli in exam.stimuli])
    right = outputs.argmax(-1) == np.asarray(exam.target).argmax(-1)
    assert examine(brain, task, "tune", key=key) == pytest.approx(np.mean(right), abs=1e-6)
    own = examine(brain, task, "tune", score=lambda o, s: {"by step": o[:, 0]}, key=key)
    np.testing.assert_allclose(own["by step"], outputs.mean(0)[:, 0], rtol=1e-4, atol=1e-5)


# ---- refusals ------------------------------------------------------------------------------------


@pytest.fixture
def unchecked():
    """Types are checked in tests only: see what a user sees."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def refuse(message, make):
    with pytest.raises(ValueError, match=message):
        make()


def test_network_refuses():
    refuse(
        r"has populations \['a', 'b'\], but \['ear', 'z'\] are named too\. Add them",
        lambda: chain("ab", [one_to_one("a", "z")], senses=["a"], voices=["ear"]),
    )
    twice = [one_to_one("a", "b"), one_to_one("a", "b", delay=2)]
    refuse(
        r"takes one projection, but got \['a->b', 'a->b'\]\. Join",
        lambda: chain("ab", twice, senses=["a"], voices=["b"]),
    )


@pytest.mark.parametrize("dt", [0.0, -1.0, float("nan"), float("inf")])
def test_network_refuses_steps_without_length(dt):
    refuse(
        rf"a length above 0 ms, but got dt={dt}: time",
        lambda: chain("a", [], senses=["a"], voices=["a"], dt=dt),
    )


@pytest.mark.parametrize("shape", ["(4,)", "(2, 3)"])
def test_network_refuses_stimuli(shape, key, unchecked):
    network, size = leaky_loop(key), tuple(map(int, re.findall(r"\d", shape)))
    message = r"takes 3 numbers a step \{'eye': 3\}, but got a stimulus of shape "
    message += re.escape(shape) + r"\. Stimuli have the shape \(time, in\), .*`jax.vmap`"
    refuse(message, lambda: network.step(network.init(), jnp.zeros(size)))


def test_projections_refuse():
    wiring = Dense(2, 3)
    refuse(
        r"Dense wiring from 'a' to 'b' has room for weights of shape \(2, 3\), but got \(3, 2\)"
        r"\. Start from `wiring.fill\(0.1\)`",
        lambda: Projection("a", "b", wiring, jnp.zeros((3, 2))),
    )
    refuse(
        r"0 or more steps, but got -1 from 'a' to 'b': .* Use delay=0 or 1",
        lambda: Projection("a", "b", wiring, wiring.fill(0.0), delay=-1),
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"wiring": Dense(3, 2)},
            r"a->b needs a wiring of shape \(post, pre\) = \(2, 3\), .* got \(3, 2\)\. "
            r".*`Dense\(2, 3\)`",
        ),
        (
            {"port": "dendrite"},
            r"Rate cells have ports \('current',\), but projection a->b arrives at 'dendrite'\. "
            r"Use `port='current'`",
        ),
        (
            {"sign": jnp.ones(2, jnp.int8)},
            r"one number per cell that speaks: 3 for a->b, but got shape \(2,\)",
        ),
    ],
)
def test_projections_that_do_not_fit_their_populations(settings, message):
    wiring = settings.pop("wiring", Dense(2, 3))
    projection = Projection("a", "b", wiring, wiring.fill(0.0), **settings)
    cells = {"a": Population(3, LINEAR), "b": Population(2, LINEAR)}
    refuse(message, lambda: Network(cells, [projection], senses=["a"], voices=["b"]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "at least one update of one example, got steps=0, batch=32"),
        ({"steps": 1, "batch": 0}, "at least one update of one example, got steps=1, batch=0"),
        (
            {"steps": 1, "brain": (3, 2)},
            r"Parity shows 1 numbers and wants 2, but the brain takes 3 and gives 2\. "
            "Build it with 1 inputs and 2 outputs",
        ),
        (
            {"steps": 1, "brain": (64, 5), "task": Patches(size=8, cells=5)},
            r"Backprop needs the target of a sample, but Patches gives none\. .*`Oja\(\)`",
        ),
    ],
)
def test_learn_refuses(settings, message, key):
    brain = layered(settings.pop("brain", (1, 2)), key=key)
    task = settings.pop("task", Parity(4))
    refuse(message, lambda: learn(brain, Backprop(), task, optax.sgd(0.1), key=key, **settings))
