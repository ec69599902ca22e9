"""Synapses against their closed forms, alone and in networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.neurons import Rate
from neurula.populations import Population, Projection
from neurula.synapses import DoubleExponential, Exponential, ShortTerm
from neurula.wirings import Dense

DT = 0.1  # ms


def played(synapse, spikes, *, dt=DT):
    """Drives of one listening cell, one per step, and what was sent."""

    def step(state, spike):
        sending, receiving = state
        sending, sent = synapse.send(sending, spike[None], dt=dt)
        receiving, drive = synapse.receive(receiving, sent, dt=dt)
        return (sending, receiving), (drive[0], sent[0])

    start = synapse.init(1, 1)
    return jax.jit(lambda s: jax.lax.scan(step, start, s)[1])(jnp.asarray(spikes, jnp.float32))


def one_spike(steps):
    return np.eye(1, steps)[0]


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_an_exponential_brings_weight_times_tau_in_steps_of_any_length(dt):
    drive, _ = played(Exponential(5.0), one_spike(int(100 / dt)), dt=dt)
    assert float(drive.sum() * dt) == pytest.approx(5.0, rel=1e-4)
    assert float(drive[int(5 / dt)] / drive[0]) == pytest.approx(np.exp(-1), rel=1e-4)


def test_a_double_exponential_peaks_at_the_weight_when_it_should():
    synapse = DoubleExponential(1.0, 5.0)
    drive, _ = played(synapse, one_spike(400), dt=0.05)
    assert float(drive.max()) == pytest.approx(1.0, rel=1e-3)
    assert 0.05 * int(drive.argmax()) == pytest.approx(synapse.peak, abs=0.06)
    assert synapse.peak == pytest.approx(1.25 * np.log(5))


def test_a_double_exponential_is_the_difference_of_two():
    spikes = np.random.default_rng(0).random(300) < 0.1
    synapse = DoubleExponential(2.0, 7.0)
    height = np.exp(-synapse.peak / 7.0) - np.exp(-synapse.peak / 2.0)
    both = [played(Exponential(tau), spikes)[0] for tau in (7.0, 2.0)]
    np.testing.assert_allclose(played(synapse, spikes)[0], (both[0] - both[1]) / height, rtol=1e-4)


@pytest.mark.parametrize("rate", [5.0, 20.0, 50.0])  # Hz
def test_depression_settles_where_tsodyks_and_markram_say(rate):
    use, recovery = 0.5, 800.0
    gap = 1000.0 / rate
    spikes = np.zeros(int(8000 / DT))
    spikes[:: int(gap / DT)] = 1
    _, sent = played(ShortTerm(use, recovery), spikes)
    faded = np.exp(-gap / recovery)
    wanted = use * (1 - faded) / (1 - (1 - use) * faded)
    assert float(sent[sent > 0][-1]) == pytest.approx(wanted, rel=1e-3)
    assert float(sent[0]) == pytest.approx(use)


def test_facilitation_grows_to_its_fixed_point():
    use, facilitation, gap = 0.1, 500.0, 50.0
    spikes = np.zeros(int(6000 / DT))
    spikes[:: int(gap / DT)] = 1
    _, sent = played(ShortTerm(use, 1e-3, facilitation), spikes)  # recovers at once: u alone counts
    faded = np.exp(-gap / facilitation)
    released = np.asarray(sent[sent > 0])
    assert released[0] == pytest.approx(use, rel=1e-3)
    assert released[-1] == pytest.approx(use / (1 - (1 - use) * faded), rel=1e-3)
    assert np.all(np.diff(released) > -1e-6)


def network(**settings):
    wiring = Dense(3, 2)
    weight = jnp.arange(1.0, 7.0).reshape(3, 2)
    cells = {"a": Population(2, Rate("identity")), "b": Population(3, Rate("identity"))}
    joined = Projection("a", "b", wiring, weight, **settings)
    return nl.Network(cells, [joined], senses=["a"], voices=["b"], dt=DT)


def test_every_connection_may_take_its_own_time():
    delays = jnp.array([[1, 2], [3, 1], [2, 3]])
    stimuli = jnp.zeros((5, 2)).at[0].set(jnp.array([1.0, 10.0]))
    heard = nl.respond(network(delay=3, delays=delays), stimuli)
    wanted = np.zeros((5, 3))
    for post, pre in np.ndindex(3, 2):
        wanted[delays[post, pre], post] += (1, 10)[pre] * (1 + 2 * post + pre)
    np.testing.assert_allclose(heard, wanted)


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_a_network_plays_its_synapses_after_the_delay(delay):
    spikes = np.random.default_rng(1).random((60, 2)) < 0.2
    synapse = ShortTerm(0.4, 5.0, 3.0, Exponential(0.5))
    heard = nl.respond(network(delay=delay, synapse=synapse), jnp.asarray(spikes, jnp.float32))
    drive = np.stack([played(synapse, spikes[:, pre])[0] for pre in range(2)], axis=1)
    late = np.concatenate([np.zeros((delay, 2)), drive])[:60]
    np.testing.assert_allclose(heard, late @ np.arange(1.0, 7.0).reshape(3, 2).T, rtol=1e-4)


def test_single_delays_and_one_for_all_agree_with_tired_synapses():
    spikes = jnp.asarray(np.random.default_rng(2).random((40, 2)) < 0.3, jnp.float32)
    one = network(delay=2, synapse=ShortTerm(0.5, 4.0))
    each = network(delay=4, delays=jnp.full((3, 2), 2), synapse=ShortTerm(0.5, 4.0))
    np.testing.assert_allclose(nl.respond(one, spikes), nl.respond(each, spikes), rtol=1e-5)


def test_a_synapse_is_saved_with_its_network(tmp_path):
    built = network(delay=2, synapse=ShortTerm(0.5, 4.0), delays=jnp.full((3, 2), 2))
    loaded = nl.load(nl.save(built, tmp_path / "net.safetensors"))
    assert loaded.projections[0].synapse == built.projections[0].synapse
    np.testing.assert_array_equal(loaded.projections[0].delays, 2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Exponential(0.0), r"tau > 0, but got tau=0.0 ms.*without a synapse"),
        (lambda: DoubleExponential(5.0, 5.0), r"rise < decay.*alpha function"),
        (lambda: ShortTerm(1.5), r"0 < use <= 1.*use=1.5"),
        (lambda: ShortTerm(recovery=-1.0), r"recovery > 0, but got recovery=-1.0 ms"),
        (
            lambda: network(delay=1, delays=jnp.full((3, 2), 2)),
            r"between 1 and delay=1 steps, the length of the buffer, .* 2 to 2\. Use `delay=2`",
        ),
        (lambda: network(delay=2, delays=jnp.ones(3, int)), r"shape \(3, 2\).* got \(3,\)"),
    ],
)
def test_impossible_synapses_and_delays_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
