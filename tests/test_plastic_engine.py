"""Learning on the event engine against learning on the differentiable one."""

import dataclasses
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.neurons import LIF, Rate
from neurula.rules import BCM, STDP, Hebb, Oja, RewardedSTDP, TripletSTDP
from neurula.rules.local import AbstractLocalRule
from neurula.synapses import Exponential
from neurula.wirings import Dense, Grid, Sparse, random

CELLS, STEPS, DT = 70, 150, 0.5
RULES = {
    "pairs": STDP(exponent=0.5),
    "triplets": TripletSTDP(pair_up=5e-3, triplet_down=2e-3),
    "reward": RewardedSTDP(STDP(), eligibility_time=30.0),
}


def wave(cells=CELLS, steps=STEPS, seed=5):
    """Stimuli that make cells fire now and then."""
    return np.asarray(3.0 * (jax.random.normal(jax.random.key(seed), (steps, cells)) + 1.0))


def rewards(steps=STEPS):
    """A reward now and then, and a punishment."""
    heard = np.zeros((steps, 1), np.float32)
    heard[[0, 40, 41, 90]], heard[120] = 1.0, -0.5
    return heard


def drawn(wiring, seed, sign=None):
    """Weights, most of them within the bounds of a rule."""
    room = wiring.fill(1.0)
    weight = room * (0.6 + 0.5 * jax.random.normal(jax.random.key(seed), room.shape))
    if sign is None:
        return weight
    side, _ = wiring.ends(sign.astype(jnp.float32), jnp.zeros(wiring.shape[0]))
    return jnp.where(weight * side < 0, 0.0, weight)


def brain():
    """Everything at once: delays 0, 1 and 3, dense and sparse, synapses, signs, holes."""
    lif = LIF(tau=10.0, threshold=1.5, refractory=2.0)
    cells = {name: nl.Population(CELLS, lif) for name in ("a", "b", "c")}
    holes, full = random(CELLS, 0.2, seed=3), Dense(CELLS, CELLS)
    source, target = jax.random.randint(jax.random.key(2), (2, 500), 0, CELLS)
    sparse = Sparse(source, target, CELLS, CELLS, jnp.arange(500) % 10 > 0)
    signs = jnp.where(jnp.arange(CELLS) < 50, 1, -1).astype(jnp.int8)
    joins = [
        nl.Projection("a", "b", holes, drawn(holes, 1), delay=0, synapse=Exponential(3.0)),
        nl.Projection("b", "c", sparse, drawn(sparse, 2, signs), delay=1, sign=signs),
        nl.Projection("c", "a", full, 0.1 * drawn(full, 3), delay=3),
        nl.Projection("a", "a", sparse, 0.3 * drawn(sparse, 4), delay=4),
        nl.Projection("b", "b", sparse, 0.3 * drawn(sparse, 5), delay=2),
        nl.Projection("a", "c", sparse, 0.3 * drawn(sparse, 6), delay=6, synapse=Exponential(3.0)),
    ]
    return nl.Network(cells, joins, senses=["a", "b", "c"], voices=["c"], dt=DT)


LEARN = ("a->b", "b->c", "c->a", "a->a", "a->c")


def taught(name, network=None, only=LEARN):
    rewarded = name == "reward"
    network = brain() if network is None else network
    return nl.Plastic(network, RULES[name], 2.0, rewarded=rewarded, only=only)


def stimuli(name, cells=3 * CELLS):
    return np.concatenate([wave(cells), rewards()], axis=1) if name == "reward" else wave(cells)


def assert_alike(one, other, atol=2e-4):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=atol)


def there(diary):
    """What cells and existing connections remember."""
    wirings = {p.name: p.wiring for p in brain().projections}
    memory = {
        name: jax.tree.map(lambda x, w=wirings[name]: x * w.fill(1.0), kept)
        for name, kept in diary.memory.items()
    }
    return diary.pre, diary.post, memory


def assert_same_life(events, dense):
    assert (events.engine, dense.engine) == ("events", "jax")
    for name, spikes in dense.spikes.items():
        np.testing.assert_array_equal(events.spikes[name].cells, spikes.cells)
        np.testing.assert_allclose(events.spikes[name].times, spikes.times)
        assert spikes.cells.size > 100
    assert_alike(events.state.weights, dense.state.weights)
    assert_alike(there(events.state.diary), there(dense.state.diary))
    assert_alike(events.state.cells, dense.state.cells, atol=2e-3)


@pytest.fixture(scope="module")
def dense_lives():
    """What the differentiable engine says, by rule."""
    return {rule: nl.simulate(taught(rule), stimuli(rule), engine="jax") for rule in RULES}


@pytest.mark.parametrize("name", RULES)
def test_learning_is_the_same_on_both_engines(dense_lives, name):
    events = nl.simulate(taught(name), stimuli(name))
    assert_same_life(events, dense_lives[name])
    began = [p.weight for p in brain().projections]
    moved = [np.abs(new - old).max() for new, old in zip(events.state.weights, began, strict=True)]
    assert moved.pop(4) == 0  # b->b is not taught
    assert min(moved) > 0.01


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("engines", [("events", "events"), ("jax", "events"), ("events", "jax")])
def test_lessons_go_on_where_another_run_ended(dense_lives, name, engines):
    whole, block, played = dense_lives[name], taught(name), stimuli(name)
    begun = nl.simulate(block, played[:60], engine=engines[0])
    ended = nl.simulate(block, played[60:], state=begun.state, engine=engines[1])
    assert_alike(ended.state.weights, whole.state.weights)
    assert_alike(there(ended.state.diary), there(whole.state.diary))
    for cells, spikes in whole.spikes.items():
        both = [x.spikes[cells].cells for x in (begun, ended)]
        np.testing.assert_array_equal(np.concatenate(both), spikes.cells)


def test_a_spike_arrives_with_the_weight_of_its_arrival():
    """The potential of the cell after it is the weight that the rule has made meanwhile."""
    cells = {"before": nl.Population(1, LIF(tau=0.1)), "after": nl.Population(1, LIF(tau=1e-2))}
    one = nl.Projection("before", "after", Dense(1, 1), jnp.full((1, 1), 0.5), delay=3)
    network = nl.Network(cells, [one], senses=["before", "after"], voices=["after"])
    block = nl.Plastic(network, STDP(0.01, 0.0, 20.0, 20.0), 1.0)
    played = np.zeros((20, 2), np.float32)
    played[[2, 6], 0] = played[7, 1] = 2.0  # arrivals at 5 and 9, a spike between them at 7
    lived = nl.simulate(block, played, watch={"after": [0]}, engine="events")
    assert lived.traces["after"][5, 0, 0] == pytest.approx(0.5)
    assert lived.traces["after"][9, 0, 0] == pytest.approx(0.5 + 0.01 * np.exp(-2 / 20))


def test_without_stimuli_nothing_is_rewarded():
    lived = nl.simulate(taught("reward"), steps=30, engine="events")
    for new, p in zip(lived.state.weights, brain().projections, strict=True):
        np.testing.assert_array_equal(new, p.weight)


def test_many_networks_learn_side_by_side():
    blocks = [taught("pairs"), dataclasses.replace(taught("pairs"), rate=0.5)]
    together = nl.simulate_many(blocks, stimuli("pairs"))
    for block, one in zip(blocks, together, strict=True):
        alone = nl.simulate(block, stimuli("pairs"), engine="events")
        assert_alike(one.state.weights, alone.state.weights)


@pytest.mark.slow
def test_rules_without_traces_learn_at_spikes():
    block = nl.Plastic(brain(), Oja(), 0.05, only=("b->c",))
    assert_same_life(*(nl.simulate(block, wave(3 * CELLS), engine=e) for e in ("auto", "jax")))


class Leak(AbstractLocalRule):
    """Weights fade whether or not anyone fires."""

    trace_times: ClassVar = (10.0, 10.0)

    def change(self, synapse):
        return synapse.pre.trace * synapse.post.trace - 0.1 * synapse.weight, None

    def edge_memory(self, wiring):
        del wiring


class Counting(Leak):
    """A memory that grows by itself."""

    def change(self, synapse):
        return synapse.pre.activity * synapse.post.activity, synapse.memory + 1

    def edge_memory(self, wiring):
        return wiring.fill(0.0)


class Each(Leak):
    """A number of its own for every synapse."""

    def change(self, synapse):
        return synapse.pre.activity * np.linspace(0, 1, 16, dtype=np.float32), None


class Neighbours(Leak):
    """Synapses that see each other: not local."""

    def change(self, synapse):
        return synapse.pre.activity * jnp.cumsum(synapse.post.activity, axis=0), None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Leak(), r"Leak changes weights between spikes, but .*Use `engine=\"jax\"`"),
        (BCM(), "BCM remembers numbers that are not one for each connection"),
        (Counting(), "Counting remembers what does not fade at a constant rate"),
        (Neighbours(), "`cumsum` .*mixes cells"),
        (Each(), "Each holds a number for every synapse"),
    ],
)
def test_rules_that_act_between_spikes_are_refused_and_run_on_jax(rule, words):
    block = nl.Plastic(brain(), rule, 1e-3, only=("c->a",))
    with pytest.raises(ValueError, match=words):
        nl.simulate(block, wave(3 * CELLS), engine="events")
    if isinstance(rule, BCM):
        assert nl.simulate(block, wave(3 * CELLS)[:2]).engine == "jax"


def test_projections_that_cannot_be_taught_at_spikes_are_refused():
    shared = Grid(8, 8, shared=True)
    cells = {"graded": nl.Population(64, Rate()), "spiking": nl.Population(64, LIF())}
    for source, words in (("graded", "do not spike"), ("spiking", "shares weights")):
        one = nl.Projection(source, "spiking", shared, shared.fill(0.1))
        network = nl.Network(cells, [one], senses=["graded"], voices=["spiking"])
        with pytest.raises(ValueError, match=f"learns and .*{words}"):
            nl.simulate(nl.Plastic(network, Hebb()), steps=3, engine="events")


def test_weights_on_the_wrong_side_are_refused():
    network = brain()
    network = eqx.tree_at(
        lambda n: n.projections[1].weight, network, -network.projections[1].weight
    )
    with pytest.raises(ValueError, match=r"\['b->c'\] begin on the wrong side.*constrain"):
        nl.simulate(taught("pairs", network), wave(3 * CELLS), engine="events")
