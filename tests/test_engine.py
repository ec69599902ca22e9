"""The event engine against the differentiable one: the same network, the same life."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.contracts import AbstractNeuron
from neurula.neurons import LIF, Binary, Leaky, Poisson, Rate
from neurula.populations import Population, Projection
from neurula.synapses import DoubleExponential, Exponential, ShortTerm
from neurula.wirings import Dense, Grid, random

CELLS, STEPS, DT = 70, 120, 0.5  # cells fill one block and begin another
SHELF = [name for name, part in vars(nl.neurons).items() if isinstance(part, type)]


def made(name):
    """A neuron of the shelf whose numbers differ by cell where they may."""
    kind = getattr(nl.neurons, name)
    fields = getattr(kind, "__dataclass_fields__", {})
    bias = jnp.linspace(0.0, 0.5, CELLS)
    return kind(bias=bias) if "bias" in fields else kind()


def drive_for(neuron, size=CELLS, steps=STEPS):
    """Stimuli that make a cell fire now and then."""
    scale = {"Izhikevich": 20.0, "ConductanceLIF": 400.0, "IFB": 3.0, "Poisson": 300.0}
    wave = jax.random.normal(jax.random.key(5), (steps, size)) + 1.0
    return wave * scale.get(type(neuron).__name__, 3.0)


def loop(neuron, **settings):
    """Cells in a loop of their own."""
    port = neuron.ports[0]
    wiring = random(CELLS, 0.1, seed=3)
    weight = wiring.fill(1.0) * jax.random.normal(jax.random.key(4), wiring.fill(1.0).shape)
    loops = Projection("cells", "cells", wiring, weight, port, **settings)
    cells = {"cells": Population(CELLS, neuron)}
    return nl.Network(cells, [loops], senses=["cells"], voices=["cells"], dt=DT)


def assert_same_life(network, stimuli=None, *, watch, **settings):
    """Both engines: same spikes, same potentials, same end."""
    events, dense = (
        nl.simulate(network, stimuli, watch=watch, engine=engine, **settings)
        for engine in ("events", "jax")
    )
    for name, spikes in dense.spikes.items():
        np.testing.assert_array_equal(events.spikes[name].cells, spikes.cells)
        np.testing.assert_allclose(events.spikes[name].times, spikes.times)
    for name, trace in dense.traces.items():
        np.testing.assert_allclose(events.traces[name], trace, rtol=2e-3, atol=2e-3)
    ends = zip(jax.tree.leaves(events.state), jax.tree.leaves(dense.state), strict=True)
    for one, other in ends:
        if not jnp.issubdtype(one.dtype, jax.dtypes.prng_key):
            np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)
    return events


@pytest.mark.parametrize("name", SHELF)
def test_every_neuron_lives_the_same_life_on_both_engines(name):
    neuron = made(name)
    network = loop(neuron, synapse=Exponential(3.0))
    key = jax.random.key(1) if neuron.noisy else None
    lived = assert_same_life(network, drive_for(neuron), watch={"cells": [0, 65, 69]}, key=key)
    if neuron.emits == "spikes":
        assert 0 < lived.spikes["cells"].times.size < 0.9 * CELLS * STEPS


@pytest.mark.parametrize(
    "synapse", [None, DoubleExponential(), ShortTerm(), ShortTerm(0.2, 5.0, 9.0)]
)
@pytest.mark.parametrize("delay", [1, 3, "each"])
def test_every_synapse_and_delay_is_the_same_on_both_engines(synapse, delay):
    settings = {"delay": delay}
    if delay == "each":
        shape = loop(LIF()).projections[0].weight.shape
        settings = {"delay": 5, "delays": jax.random.randint(jax.random.key(7), shape, 1, 6)}
    network = loop(LIF(tau=10.0, refractory=2.0), synapse=synapse, **settings)
    assert_same_life(network, drive_for(LIF()), watch={"cells": [1, 66]})


@pytest.mark.parametrize("wiring", [Dense(64, 64), Grid(8, 8)])
def test_layers_without_delay_graded_cells_and_every_wiring(wiring):
    cells = {
        "input": Population(64, Rate("identity")),
        "spiking": Population(64, LIF(tau=5.0)),
        "output": Population(64, Leaky("identity", tau=8.0)),
    }
    weight = lambda seed: jax.random.normal(jax.random.key(seed), wiring.fill(0.0).shape)  # noqa: E731
    joins = [
        Projection("input", "spiking", wiring, weight(0), delay=0),
        Projection("spiking", "output", wiring, weight(1), delay=0, synapse=ShortTerm(0.5, 9.0)),
    ]
    network = nl.Network(cells, joins, senses=["input"], voices=["output"], dt=DT)
    assert_same_life(network, drive_for(LIF(), 64), watch={"spiking": [0], "output": [5]})


def test_a_run_goes_on_where_another_ended_on_either_engine():
    network = loop(LIF(tau=10.0), delay=4, synapse=ShortTerm(0.3, 20.0))
    stimuli = drive_for(LIF())
    whole = nl.simulate(network, stimuli, engine="events")
    for first, second in [("events", "events"), ("jax", "events"), ("events", "jax")]:
        begun = nl.simulate(network, stimuli[:50], engine=first)
        ended = nl.simulate(network, stimuli[50:], state=begun.state, engine=second)
        cells = np.concatenate([begun.spikes["cells"].cells, ended.spikes["cells"].cells])
        np.testing.assert_array_equal(cells, whole.spikes["cells"].cells)


def test_chance_is_the_same_wherever_a_run_is_cut():
    network = loop(Poisson())
    key, stimuli = jax.random.key(3), jnp.full((60, CELLS), 200.0)
    whole = nl.simulate(network, stimuli, key=key)
    begun = nl.simulate(network, stimuli[:25], key=key)
    ended = nl.simulate(network, stimuli[25:], key=key, state=begun.state)
    cells = np.concatenate([begun.spikes["cells"].cells, ended.spikes["cells"].cells])
    np.testing.assert_array_equal(cells, whole.spikes["cells"].cells)
    assert whole.rates(network)["cells"].mean() == pytest.approx(200.0, rel=0.1)


def test_many_networks_are_each_themselves():
    networks = [loop(LIF(tau=tau)) for tau in (5.0, 10.0, 20.0)]
    together = nl.simulate_many(networks, drive_for(LIF()))
    for network, one in zip(networks, together, strict=True):
        alone = nl.simulate(network, drive_for(LIF()), engine="events")
        np.testing.assert_array_equal(one.spikes["cells"].cells, alone.spikes["cells"].cells)


def test_lists_of_spikes_grow():
    network = loop(LIF(tau=1.0))
    lived = nl.simulate(network, jnp.full((400, CELLS), 50.0), engine="events")
    assert lived.spikes["cells"].times.size > 20000
    assert "activity has exploded" in lived.advice[0]


class Mixing(AbstractNeuron[None]):
    """Cells that see each other: not a neuron."""

    emits = "spikes"
    ports = ("current",)
    noisy = False

    def init(self, size):
        del size

    def step(self, state, drive, noise, *, dt):
        return None, jnp.where(jnp.cumsum(drive[0]) > 0, 1.0, 0.0)


def test_a_step_that_mixes_cells_is_refused_with_the_operation_and_runs_on_jax():
    network = loop(Mixing())
    with pytest.raises(ValueError, match=r"`cumsum` .*mixes cells.*engine=\"jax\""):
        nl.simulate(network, steps=3, engine="events")
    assert nl.simulate(network, steps=3).engine == "jax"


def test_silence_is_said():
    lived = nl.simulate(loop(LIF()), steps=10)
    assert lived.advice == (
        "All 70 cells of 'cells' are silent. Give them more input, raise the weights that lead to "
        "them, or lower their threshold.",
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Expected stimuli or `steps`"),
        ({"steps": 0}, "Expected 1 step or more"),
        ({"stimuli": np.zeros((5, 3))}, r"\(time, 70\) for this network .* got \(5, 3\)"),
        ({"stimuli": np.full((5, CELLS), np.nan)}, "Stimuli must be finite"),
        ({"steps": 5, "watch": {"cells": [70]}}, r"cells \[70\] of 'cells'.*counted from zero"),
        ({"steps": 5, "watch": {"who": [0]}}, r"cells \[0\] of 'who'"),
    ],
)
def test_what_does_not_fit_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        nl.simulate(loop(LIF()), **settings)


def test_noisy_cells_need_a_key():
    with pytest.raises(ValueError, match=r"draw numbers: give `key="):
        nl.simulate(loop(Binary()), steps=3)


def test_lost_numbers_are_said():
    network = loop(LIF(rest=float("nan")))
    with pytest.raises(ValueError, match=r"not finite after 3 steps .*shorter `dt`"):
        nl.simulate(network, steps=3)
