"""E-prop against the gradient where they agree, and against the published traces."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import layered

from neurula import Network, Population, Projection, Sample
from neurula.neurons import LIF, AdaptiveLIF, Binary, Leaky, Rate
from neurula.rules import Backprop, EProp
from neurula.rules.detour import Detour, Severed
from neurula.synapses import Exponential
from neurula.wirings import Dense, Grid, Sparse

KEY, CELLS, STEPS = jax.random.key(0), 12, 40
BIAS = jnp.linspace(0.0, 0.4, CELLS)
KINDS = {
    "LIF": LIF(bias=BIAS),
    "LIF, refractory": LIF(bias=BIAS, refractory=3.0),
    "ALIF": AdaptiveLIF(bias=BIAS, beta=0.4, tau_adaptation=30.0),
    "leaky": Leaky("tanh", jnp.full(CELLS, 8.0), BIAS),
    "rate": Rate("tanh", BIAS),
}
READOUTS = {"prompt": Rate("identity", jnp.zeros(2)), "leaky": Leaky("identity", 15.0)}
GRAPHS = {
    "dense": Dense(CELLS, CELLS),
    "sparse": Sparse(jnp.arange(12), jnp.roll(jnp.arange(12), 1), CELLS, CELLS),
    "grid": Grid(3, 4, shared=True),
}


def error(outputs, sample):
    return jnp.mean((outputs - sample.target) ** 2)


@eqx.filter_jit
def brain(cells, readout, graph=None):
    """Cells between inputs and a readout; with a graph also among themselves."""
    keys = jax.random.split(jax.random.key(1), 3)
    enter, leave = Dense(CELLS, 4), Dense(2, CELLS)
    joins = [
        Projection("input", "cells", enter, 6.0 * jax.random.normal(keys[0], (CELLS, 4)), delay=0),
        Projection("cells", "output", leave, jax.random.normal(keys[1], (2, CELLS)), delay=0),
    ]
    if graph is not None:
        places = jax.eval_shape(graph.fill, 0.0).shape
        weight = 4.0 * jax.random.normal(keys[2], places)
        joins.append(Projection("cells", "cells", graph, weight))
    populations = {
        "input": Population(4, Rate("identity")),
        "cells": Population(CELLS, cells),
        "output": Population(2, readout),
    }
    return Network(populations, joins, senses=["input"], voices=["output"])


@eqx.filter_jit
def some_sample(steps=STEPS):
    keys = jax.random.split(jax.random.key(2))
    stimuli = 1.5 * jax.random.normal(keys[0], (steps, 4))
    return Sample(stimuli, jax.random.normal(keys[1], (steps, 2)))


@eqx.filter_jit
def proposed(rule, brain, state=None):
    state = rule.init(brain, key=KEY) if state is None else state
    return rule.propose(state, brain, some_sample(), error, key=KEY)


def cut(network, feedback=None):
    """The network in which no error travels back from cell to cell."""

    def wired(p):
        if p.source == p.target:
            return dataclasses.replace(p, wiring=Severed(p.wiring))
        if feedback is not None and p.name in feedback:
            return dataclasses.replace(p, wiring=Detour(p.wiring, feedback[p.name]))
        return p

    return network.edit(wired)


def close(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-4, atol=1e-6 + 2e-5 * np.abs(y).max())


def inner(direction):
    """All that cells between input and output learn."""
    weights = [p.weight for p in direction.projections if p.target == "cells"]
    return [*weights, *jax.tree.leaves(direction.populations["cells"])]


@pytest.mark.parametrize(
    ("kind", "readout"), [*((kind, "leaky") for kind in KINDS), ("ALIF", "prompt")]
)
def test_without_connections_among_the_cells_it_is_the_gradient(kind, readout):
    network = brain(KINDS[kind], READOUTS[readout])
    found, best = (proposed(rule, network)[0] for rule in (EProp(), Backprop()))
    close(found, best)
    assert all(np.abs(x).max() > 1e-5 for x in inner(found))


@pytest.mark.parametrize(
    ("kind", "graph"), [("LIF, refractory", "grid"), ("ALIF", "dense"), ("leaky", "sparse")]
)
def test_with_them_it_is_the_gradient_without_the_paths_from_cell_to_cell(kind, graph):
    network = brain(KINDS[kind], READOUTS["leaky"], GRAPHS[graph])
    found = proposed(EProp(), network)[0]
    close(jax.tree.leaves(found), jax.tree.leaves(proposed(Backprop(), cut(network))[0]))
    loop, whole = (x.projections[2].weight for x in (found, proposed(Backprop(), network)[0]))
    assert np.abs(loop - whole).max() > 0.03 * np.abs(loop).max()  # the cut is felt


def test_other_feedback_is_the_gradient_through_that_feedback():
    network, rule = brain(KINDS["ALIF"], READOUTS["leaky"], GRAPHS["dense"]), EProp("random")
    state = rule.init(network, key=KEY)
    assert set(state) == {"cells->output"}
    found, best = proposed(rule, network, state)[0], proposed(Backprop(), cut(network, state))[0]
    close(inner(found), inner(best))


def test_adaptive_feedback_approaches_the_weights_as_kolen_and_pollack_say():
    network = brain(KINDS["LIF"], READOUTS["prompt"])
    rule = EProp("adaptive", rate=0.5, decay=0.1)
    state = rule.init(network, key=KEY)
    found, notes = proposed(rule, network, state)
    later = rule.remember(state, notes)["cells->output"]
    before, moved = network.projections[1].weight, found.projections[1].weight
    after = before - 0.5 * moved  # plain gradient descent at the same rate
    gap = np.asarray(state["cells->output"] - before)
    np.testing.assert_allclose(later - after, 0.95 * gap, rtol=1e-4, atol=1e-5)
    fixed = EProp("random")
    assert fixed.remember(state, {}) is state


def test_published_traces_of_an_adaptive_cell():
    """Bellec et al. 2020, equations 24 and 25 (here the reset forgets, theirs subtracts)."""
    tau, tau_a, beta, slope = 20.0, 50.0, 0.3, 10.0
    cell = AdaptiveLIF(tau, refractory=0.0, beta=beta, tau_adaptation=tau_a)
    joins = [
        Projection("input", "cells", Dense(1, 1), jnp.full((1, 1), 1.0), delay=0),
        Projection("cells", "output", Dense(1, 1), jnp.full((1, 1), 0.7), delay=0),
    ]
    cells = {"input": Rate("identity"), "cells": cell, "output": Rate("identity")}
    network = Network(
        {n: Population(1, c) for n, c in cells.items()}, joins, senses=["input"], voices=["output"]
    )
    heard = 2.5 + np.random.default_rng(0).normal(size=60)
    target = np.random.default_rng(1).normal(size=60)
    alpha, rho = np.exp(-1 / tau), np.exp(-1 / tau_a)
    v = a = trace = of_a = total = 0.0
    spikes = 0
    for x, wanted in zip(heard, target, strict=True):
        v, trace = alpha * v + (1 - alpha) * x, alpha * trace + (1 - alpha) * x
        a, of_a = rho * a, rho * of_a
        psi = 1 / (1 + slope * abs(v - 1 - beta * a)) ** 2
        eligible = psi * (trace - beta * of_a)
        z = float(v > 1 + beta * a)
        total += 2 * (0.7 * z - wanted) / 60 * 0.7 * eligible
        a, of_a, spikes = a + z, of_a + eligible, spikes + z
        if z:
            v = trace = 0.0
    assert spikes >= 3
    sample = Sample(jnp.asarray(heard[:, None], jnp.float32), jnp.asarray(target[:, None]))
    sample = jax.tree.map(lambda x: x.astype(jnp.float32), sample)
    found = eqx.filter_jit(lambda: EProp().propose({}, network, sample, error, key=KEY)[0])()
    np.testing.assert_allclose(found.projections[0].weight[0, 0], total, rtol=1e-3)


def deep():
    return layered([4, 5, 5, 2], neuron=lambda n: LIF(), key=KEY)


def edited(**changes):
    def change(p):
        return dataclasses.replace(p, **changes) if p.target == "output" else p

    return brain(KINDS["LIF"], READOUTS["prompt"]).edit(change)


REFUSED = {
    "deaf": (deep, r"does not listen to \['hidden1'\].*delay=0.*Backprop"),
    "late": (lambda: edited(delay=1), r"\['cells->output'\] are late. Give them `delay=0`"),
    "own delays": (
        lambda: edited(delay=2, delays=jnp.ones((2, CELLS), int)),
        "delays of their own. Give each of these projections one `delay`",
    ),
    "synapse": (lambda: edited(synapse=Exponential(5.0)), r"\['cells->output'\] have one. Leave"),
    "chance": (lambda: brain(Binary(), READOUTS["prompt"]), r"\['cells'\] fire by chance.*LIF"),
    "bent readout": (lambda: brain(LIF(), Rate("tanh")), "linear readout.*Use `Rate"),
    "spiking readout": (lambda: brain(LIF(), LIF()), "linear readout.*Use `Rate"),
    "learned readout": (
        lambda: brain(LIF(), Leaky("identity", jnp.ones(2))),
        "one fixed time constant.*Leaky",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_mends_them(name):
    make, words = REFUSED[name]
    with pytest.raises(ValueError, match=f"EProp .*{words}"):
        EProp().init(make(), key=KEY)


def test_unknown_feedback_is_refused():
    rule = EProp()
    object.__setattr__(rule, "feedback", "backwards")  # past the type check of the tests
    with pytest.raises(ValueError, match="symmetric, random, adaptive, but got 'backwards'"):
        rule.__check_init__()
