"""The event engine against the differentiable one: the same network, the same life."""

import dataclasses

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


def both(network, stimuli, **settings):
    """The same life on the event engine and on the differentiable one."""
    return [nl.simulate(network, stimuli, engine=e, **settings) for e in ("events", "jax")]


def assert_same_life(pair, name):
    """Same spikes, same potentials, same end of a population."""
    events, dense = pair
    if name in dense.spikes:
        one, other = events.spikes[name], dense.spikes[name]
        np.testing.assert_array_equal(one.cells, other.cells, name)
        np.testing.assert_allclose(one.times, other.times, err_msg=name)
    traces = events.traces[name], dense.traces[name]
    np.testing.assert_allclose(*traces, rtol=2e-3, atol=2e-3, err_msg=name)
    state = [
        (x.state.cells[name], {k: v for k, v in x.state.synapses.items() if name in k})
        for x in pair
    ]
    assert_alike(*state)


def assert_alike(one, other):
    """Equal structures of nearly equal numbers."""
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3)


@pytest.mark.slow
def test_every_neuron_lives_the_same_life_on_both_engines():
    """All neurons of the shelf in one network, which compiles once, each in a loop of its own."""
    parts = {name: made(name) for name in SHELF}
    loops = [loop(neuron, synapse=Exponential(3.0)) for neuron in parts.values()]
    network = nl.Network(
        {name: Population(CELLS, neuron) for name, neuron in parts.items()},
        [
            dataclasses.replace(one.projections[0], source=name, target=name)
            for name, one in zip(parts, loops, strict=True)
        ],
        senses=list(parts),
        voices=["LIF"],
        dt=DT,
    )
    stimuli = jnp.concatenate([drive_for(neuron) for neuron in parts.values()], axis=1)
    watch = {name: [0, 65, 69] for name in parts}
    pair = both(network, stimuli, watch=watch, key=jax.random.key(1))
    for name, neuron in parts.items():
        assert_same_life(pair, name)
        if neuron.emits == "spikes":
            assert 0 < pair[0].spikes[name].times.size < 0.9 * CELLS * STEPS, name


@pytest.mark.slow
def test_every_synapse_and_delay_is_the_same_on_both_engines():
    """One population that all others hear, by every synapse at every delay."""
    wiring = random(CELLS, 0.1, seed=3)
    weight = wiring.fill(1.0) * jax.random.normal(jax.random.key(4), wiring.fill(1.0).shape)
    each = {"delay": 5, "delays": jax.random.randint(jax.random.key(7), weight.shape, 1, 6)}
    kinds = [None, DoubleExponential(), ShortTerm(), ShortTerm(0.2, 5.0, 9.0)]
    cells, joins = {"speaking": Population(CELLS, LIF(tau=10.0, refractory=2.0))}, []
    for number, synapse in enumerate(kinds):
        for late in ({"delay": 1}, {"delay": 3}, each):
            name = f"{number} {late['delay']}"
            cells[name] = Population(CELLS, LIF(tau=10.0, threshold=0.3))
            joins.append(Projection("speaking", name, wiring, weight, synapse=synapse, **late))
    network = nl.Network(cells, joins, senses=["speaking"], voices=["speaking"], dt=DT)
    pair = both(network, drive_for(LIF()), watch={name: [1, 66] for name in cells})
    for name in cells:
        assert_same_life(pair, name)
        assert pair[0].spikes[name].times.size > 0, name


@pytest.mark.parametrize("wiring", [Dense(64, 64), Grid(8, 8)])
def test_layers_without_delay_and_graded_cells(wiring):
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
    pair = both(network, drive_for(LIF(), 64), watch={"spiking": [0], "output": [5]})
    for name in ("spiking", "output"):
        assert_same_life(pair, name)
    assert_alike(pair[0].state.past, pair[1].state.past)


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
    networks = [loop(LIF(tau=tau)) for tau in (5.0, 5.0, 20.0)]
    tripled = lambda n: n.edit(lambda p: dataclasses.replace(p, weight=3 * p.weight))  # noqa: E731
    networks[1] = tripled(networks[1])  # the same parts, other weights
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
