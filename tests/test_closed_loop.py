"""A device keeps its delay and its refractory time to the step, on both engines."""

import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.neurons import LIF, Rate
from neurula.rules import STDP
from neurula.synapses import Exponential
from neurula.wirings import Dense

DT = 0.5


def brain(neuron=None):
    """Cells that fire when they are told, and do not hear each other."""
    cells = {
        "a": nl.Population(3, neuron or LIF(tau=1e-3)),
        "b": nl.Population(4, LIF(tau=1e-3)),
        "silent": nl.Population(4, LIF(tau=50.0, threshold=100.0)),
    }
    joins = [nl.Projection("a", "b", Dense(4, 3), jnp.zeros((4, 3)))]
    return nl.Network(cells, joins, senses=["a"], voices=["b"], dt=DT)


def played(spikes, cell=1, steps=60, inputs=3):
    stimuli = np.zeros((steps, inputs), np.float32)
    stimuli[spikes, cell] = 2.0
    return stimuli


def steps_of(lived, name, cell):
    """The steps at which a cell fired."""
    spikes = lived.spikes[name]
    return (np.rint(spikes.times[spikes.cells == cell] / DT).astype(int) - 1).tolist()


@pytest.mark.parametrize("engine", ["events", "jax"])
@pytest.mark.parametrize("delay", [0.0, 0.5, 7.5])
@pytest.mark.slow
def test_the_delay_is_kept_to_the_step(engine, delay):
    network = nl.closed_loop(brain(), ("a", 1), ("b", [0, 3]), strength=2.0, delay=delay)
    lived = nl.simulate(network, played([5, 20, 21, 22]), engine=engine)
    late = np.array([5, 20, 21, 22]) + round(delay / DT)
    assert steps_of(lived, "device", 0) == [5, 20, 21, 22]
    assert steps_of(lived, "b", 0) == steps_of(lived, "b", 3) == late.tolist()
    assert steps_of(lived, "b", 1) == []
    others = nl.simulate(network, played([5, 20], cell=0), engine=engine)
    assert others.spikes["device"].cells.size == 0


@pytest.mark.parametrize("engine", ["events", "jax"])
@pytest.mark.parametrize("refractory", [0.0, 0.5, 1.0, 5.0])
@pytest.mark.slow
def test_the_refractory_time_is_kept_to_the_step(engine, refractory):
    network = nl.closed_loop(
        brain(), ("a", 1), ("b", [2]), strength=2.0, delay=1.0, refractory=refractory
    )
    lived = nl.simulate(network, played(slice(10, 40)), engine=engine)
    apart = max(round(refractory / DT), 1)
    assert steps_of(lived, "device", 0) == list(range(10, 40, apart))


@pytest.mark.slow
def test_a_device_may_be_driven_by_stimuli_instead():
    network = nl.closed_loop(brain(), None, ("b", [2]), strength=2.0, delay=2.0, refractory=3.0)
    assert network.inputs == {"a": 3, "device": 1}
    stimuli = played([3, 10, 15, 16], cell=3, inputs=4) / 2
    lived = nl.simulate(network, stimuli, engine="events")
    assert steps_of(lived, "device", 0) == [3, 10, 16]
    assert steps_of(lived, "b", 2) == [7, 14, 20]


@pytest.mark.slow
def test_pulses_enter_with_their_strength_and_last_as_long_as_their_synapse():
    to = ("silent", [1])
    tau, settings = 4.0, {"strength": 8.0, "delay": 1.0, "name": "probe"}
    network = nl.closed_loop(brain(), ("a", 1), to, synapse=Exponential(tau), **settings)
    lived = nl.simulate(network, played([0]), watch={"silent": [0, 1]}, engine="events")
    potential = lived.traces["silent"][:, 0]
    time = DT * np.arange(1, 59)
    two = 8.0 * tau / (50.0 - tau) * (np.exp(-time / 50.0) - np.exp(-time / tau))
    np.testing.assert_allclose(potential[2:, 1], two, rtol=0.1, atol=0.02)
    assert not potential[:, 0].any()


@pytest.mark.slow
def test_a_loop_around_a_network_that_learns():
    """The device pairs a with b, and STDP of a's connections to b does the rest."""
    moved = {}
    for delay in (5.0, 100.0):
        network = nl.closed_loop(brain(), ("a", 1), ("b", [0]), strength=2.0, delay=delay)
        block = nl.Plastic(network, STDP(exponent=1.0), 1.0, only=("a->b",))
        moved[delay] = nl.simulate(block, played([5], steps=260), engine="events").state.weights[0]
    assert moved[5.0][0, 1] == pytest.approx(0.01 * np.exp(-(5.0 - DT) / 20), rel=1e-3)
    assert float(jnp.abs(moved[5.0]).sum()) == pytest.approx(float(moved[5.0][0, 1]))
    assert moved[100.0][0, 1] < 0.02 * moved[5.0][0, 1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"record": ("a", 3)}, r"`record` names cells \[3\] of 'a'.*counted from zero"),
        ({"stimulate": ("who", [0])}, r"`stimulate` names cells \[0\] of 'who'"),
        ({"stimulate": ("b", [])}, "one cell or more"),
        ({"delay": 0.7}, r"whole steps of 0.5 ms, 0 or more, but are 1.4 and 0 steps"),
        ({"refractory": -1.0}, "are 2 and -2 steps"),
        ({"name": "a"}, "called 'a' already"),
    ],
)
def test_devices_that_do_not_fit_are_refused(changed, words):
    usual = {"record": ("a", 1), "stimulate": ("b", [0]), "strength": 1.0, "delay": 1.0}
    with pytest.raises(ValueError, match=words):
        nl.closed_loop(brain(), **usual | changed)


def test_cells_without_spikes_trigger_nothing():
    with pytest.raises(ValueError, match="cells of 'a' emit rates, not spikes"):
        nl.closed_loop(brain(Rate()), ("a", 1), ("b", [0]), strength=1.0, delay=1.0)
