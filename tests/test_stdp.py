"""Spike-timing-dependent plasticity against its closed forms."""

from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.contracts import AbstractNeuron
from neurula.neurons import Rate
from neurula.rules import STDP, Hebb, RewardedSTDP, TripletSTDP
from neurula.wirings import Dense

RATE, START = 0.1, 0.5


class Told(AbstractNeuron[None]):
    """A cell that fires when it is told to."""

    emits: ClassVar[Literal["spikes"]] = "spikes"
    ports: ClassVar[tuple[str, ...]] = ("current",)
    noisy: ClassVar[bool] = False

    def init(self, size):
        del size

    def step(self, state, drive, noise, *, dt):
        return None, drive[0]


def pair(**settings):
    """Two cells that fire when told, one projection between them."""
    cells = {name: nl.Population(1, Told()) for name in ("before", "after")}
    wiring = Dense(1, 1)
    # A weight this small does not move the cell after it.
    joined = nl.Projection("before", "after", wiring, jnp.full((1, 1), 0.0), delay=1, **settings)
    return nl.Network(cells, [joined], senses=["before", "after"], voices=["after"], dt=1.0)


@eqx.filter_jit
def moved(rule, stimuli, weight=START, rewarded=False):
    """How much the weight has moved after spikes: columns before, after (and reward)."""
    network = pair()
    silent = eqx.tree_at(lambda n: n.projections[0].wiring, network, _Mute(1, 1))
    network = eqx.tree_at(lambda n: n.projections[0].weight, silent, jnp.full((1, 1), weight))
    block = nl.Plastic(network, rule, RATE, rewarded=rewarded)
    state, _ = jax.lax.scan(lambda s, x: block.step(s, x), block.init(), stimuli)
    return (state.weights[0][0, 0] - weight) / RATE


class _Mute(Dense):
    """Connections that are seen by rules and not heard by cells."""

    def drive(self, weight, activity):
        return 0 * (weight @ activity)


def spikes(before, after, steps=120):
    """Stimuli; a spike before arrives a step later, so that it is told a step earlier."""
    stimuli = np.zeros((steps, 2), np.float32)
    stimuli[np.asarray(before, int) - 1, 0] = 1
    stimuli[np.asarray(after, int), 1] = 1
    return jnp.asarray(stimuli)


@pytest.mark.parametrize("lag", [0, 1, 5, 20, 60])
def test_the_window_is_two_exponentials(lag):
    rule = STDP(0.01, 0.012, 17.0, 34.0)
    causal = moved(rule, spikes([40], [40 + lag]))
    np.testing.assert_allclose(causal, 0.01 * np.exp(-lag / 17.0), rtol=2e-3)
    if lag:
        late = moved(rule, spikes([40 + lag], [40]))
        np.testing.assert_allclose(late, -0.012 * np.exp(-lag / 34.0), rtol=2e-3)


def test_all_pairs_count():
    rule = STDP(0.01, 0.0, 20.0, 20.0)
    both = moved(rule, spikes([30, 40], [50, 55]))
    lags = np.array([20, 25, 10, 15])
    np.testing.assert_allclose(both, 0.01 * np.exp(-lags / 20.0).sum(), rtol=2e-3)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_weights_stop_at_their_bounds(exponent):
    rule = STDP(exponent=exponent)
    assert moved(rule, spikes([40], [45]), weight=1.0) == 0
    assert moved(rule, spikes([45], [40]), weight=0.0) == 0
    assert moved(rule, spikes([40], [45]), weight=0.3) > 0
    assert moved(rule, spikes([45], [40]), weight=0.3) < 0


def test_multiplicative_changes_follow_the_room_that_is_left():
    rule = STDP(exponent=1.0)
    low, high = (float(moved(rule, spikes([40], [45]), weight=w)) for w in (0.2, 0.6))
    assert low / high == pytest.approx(2.0, rel=1e-2)


def triplets(rule, before, after):
    """The change that Pfister & Gerstner's equations give for lists of spikes (ms)."""
    (r1, r2), (o1, o2) = rule.before_times, rule.after_times
    fade = lambda now, then, tau: sum(np.exp(-(now - t) / tau) for t in then)  # noqa: E731
    total = 0.0
    for t in after:
        heard = [x for x in before if x <= t]
        total += fade(t, heard, r1) * (
            rule.pair_up + rule.triplet_up * fade(t, [x for x in after if x < t], o2)
        )
    for t in before:
        total -= fade(t, [x for x in after if x < t], o1) * (
            rule.pair_down + rule.triplet_down * fade(t, [x for x in before if x < t], r2)
        )
    return total


@pytest.mark.parametrize(
    ("before", "after"),
    [([40], [45]), ([40], [35, 45]), ([35, 45], [40]), ([20, 33, 60], [22, 50])],
)
def test_triplets_are_those_of_the_equations(before, after):
    rule = TripletSTDP(pair_up=5e-3, triplet_down=2e-3)
    wanted = triplets(rule, before, after)
    np.testing.assert_allclose(moved(rule, spikes(before, after)), wanted, rtol=5e-3, atol=1e-6)


def test_triplets_strengthen_fast_pairings_and_weaken_slow_ones():
    """Sjoestroem et al. (2001): +10 ms pairings at 50 Hz potentiate, at 0.1 Hz they hardly do."""
    rule = TripletSTDP()
    fast = moved(rule, spikes(range(20, 120, 20), range(30, 120, 20)))
    slow = moved(rule, spikes([20], [30]))
    assert fast > 5 * 10 * abs(slow)


@pytest.mark.parametrize("wait", [10, 50])
def test_a_late_reward_turns_marks_into_changes(wait):
    rule = RewardedSTDP(STDP(0.01, 0.0), 40.0)
    reward = jnp.zeros((120, 1)).at[45 + wait].set(1.0)
    stimuli = jnp.concatenate([spikes([40], [45]), reward], axis=1)
    wanted = 0.01 * np.exp(-5 / 20) * np.exp(-wait / 40)
    np.testing.assert_allclose(moved(rule, stimuli, rewarded=True), wanted, rtol=3e-3)
    assert moved(rule, stimuli.at[:, 2].set(0.0), rewarded=True) == 0


def test_only_named_projections_learn():
    cells = {name: nl.Population(2, Rate("identity")) for name in "abc"}
    joins = [nl.Projection("a", x, Dense(2, 2), jnp.full((2, 2), 0.1), delay=0) for x in "bc"]
    network = nl.Network(cells, joins, senses=["a"], voices=["b"])
    block = nl.Plastic(network, Hebb(), only=("a->b",))
    state, _ = block.step(block.init(), jnp.ones(2))
    np.testing.assert_allclose(state.weights[1], 0.1)
    assert (state.weights[0] > 0.1).all()
    with pytest.raises(ValueError, match=r"`only` names projections \['a->d'\].*'a->b', 'a->c'"):
        nl.Plastic(network, Hebb(), only=("a->d",))


def test_connections_with_delays_of_their_own_are_refused():
    with pytest.raises(ValueError, match=r"connections of \['before->after'\] have delays"):
        nl.Plastic(pair(delays=jnp.ones((1, 1), int)), STDP())


def test_impossible_times_are_refused():
    with pytest.raises(ValueError, match=r"times and a largest weight above 0.*time=-1.0 ms"):
        STDP(potentiation_time=-1.0)


def test_networks_in_which_nobody_fires_are_refused():
    network = nl.layered([3, 2, 2], key=jax.random.key(0))
    with pytest.raises(ValueError, match=r"STDP compares the times of spikes, .* \['Rate'\]"):
        STDP().init(network, key=jax.random.key(0))
