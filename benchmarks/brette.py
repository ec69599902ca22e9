"""The networks of Brette et al. (2007), J. Comput. Neurosci. 23:349: benchmarks 1 and 2.

4,000 integrate-and-fire cells, four of five excitatory, joined with probability 0.02, dt 0.1 ms.
COBA keeps a small constant current, without which it may fall silent.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from neurula import Network, Population, Projection
from neurula.neurons import LIF, ConductanceLIF
from neurula.synapses import Exponential
from neurula.wirings import Sparse

DT = 0.1  # ms
PORTS = {"ge": ("excitatory", 5.0), "gi": ("inhibitory", 10.0)}  # who speaks, ms
WEIGHTS = {"cuba": {"ge": 1.62, "gi": -9.0}, "coba": {"ge": 6.0, "gi": 67.0}}  # mV, nS
CURRENT = 40.0  # pA, coba


def draw(kind: str, seed: int, cells: int = 4000, steps: int = 10_000, degree: int = 80) -> dict:
    """Connections and first states, as every simulator gets them; `degree` connections a cell."""
    rng, excitatory = np.random.default_rng(seed), cells * 4 // 5
    drawn: dict[str, Any] = {"kind": kind, "cells": cells, "steps": steps, "current": CURRENT}
    for port, speakers in (("ge", range(excitatory)), ("gi", range(excitatory, cells))):
        number = rng.binomial(cells, degree / cells, len(speakers))
        drawn[f"source_{port}"] = np.repeat(np.asarray(speakers, np.int32), number)
        drawn[f"target_{port}"] = rng.integers(0, cells, number.sum(), np.int32)
        drawn[f"weight_{port}"] = WEIGHTS[kind][port]
    if kind == "cuba":
        drawn |= {"v": rng.uniform(-60, -50, cells), "ge": np.zeros(cells), "gi": np.zeros(cells)}
    else:
        drawn["v"] = -60 + rng.normal(-5, 5, cells)
        drawn["ge"] = np.maximum(rng.normal(4, 1.5, cells), 0) * 10
        drawn["gi"] = np.maximum(rng.normal(20, 12, cells), 0) * 10
    return drawn


def network(drawn: dict) -> tuple[Network, Any]:
    """Our network of these connections, and its first state."""
    size, kind = drawn["cells"], drawn["kind"]
    split = {"excitatory": slice(0, size * 4 // 5), "inhibitory": slice(size * 4 // 5, size)}
    cell = LIF(20.0, rest=-49.0, threshold=-50.0, reset=-60.0, refractory=5.0)
    populations = {}
    for name, part in split.items():
        many = part.stop - part.start
        own = cell if kind == "cuba" else ConductanceLIF(bias=jnp.full(many, CURRENT))
        populations[name] = Population(many, own)
    projections = []
    for port, (speaks, tau) in PORTS.items():
        for hears, part in split.items():
            source, target = drawn[f"source_{port}"], drawn[f"target_{port}"]
            here = (target >= part.start) & (target < part.stop)
            wiring = Sparse(
                jnp.asarray(source[here] - split[speaks].start),
                jnp.asarray(target[here] - part.start),
                populations[hears].size,
                populations[speaks].size,
            )
            to = "current" if kind == "cuba" else speaks
            weight = wiring.fill(drawn[f"weight_{port}"])
            projections.append(
                Projection(speaks, hears, wiring, weight, to, synapse=Exponential(tau))
            )
    built = Network(populations, projections, senses=["excitatory"], voices=["excitatory"], dt=DT)
    state = built.init()
    for name, part in split.items():
        potential = jnp.asarray(drawn["v"][part], jnp.float32)
        state = eqx.tree_at(lambda s, n=name: s.cells[n][0], state, potential)
        for port, (speaks, _) in PORTS.items():
            open_channels = jnp.asarray(drawn[port][part], jnp.float32)
            where = lambda s, n=f"{speaks}->{name}": s.synapses[n][1]  # noqa: E731
            state = eqx.tree_at(where, state, open_channels)
    return built, state


def activity(steps: np.ndarray, who: np.ndarray, cells: int, length: int) -> dict[str, float]:
    """Rate (Hz), mean CV of intervals, and mean correlation of counts in 10 ms between cells."""
    order = np.lexsort((steps, who))
    steps, who = np.asarray(steps)[order], np.asarray(who)[order]
    gaps, same = np.diff(steps), np.diff(who) == 0
    number = np.bincount(who[1:][same], minlength=cells)
    sums = np.bincount(who[1:][same], gaps[same], cells)
    squares = np.bincount(who[1:][same], gaps[same] ** 2.0, cells)
    often = number >= 3
    mean = sums[often] / number[often]
    spread = np.sqrt(np.maximum(squares[often] / number[often] - mean**2, 0))
    bins = length // 100
    counts = np.zeros((cells, bins))
    np.add.at(counts, (who, np.minimum(steps // 100, bins - 1)), 1)
    lively = counts[counts.std(1) > 0][:500]
    pairs = np.corrcoef(lively)[np.triu_indices(len(lively), 1)]
    return {
        "rate": len(who) / cells / (length * DT / 1000),
        "cv": float(np.mean(spread / mean)),
        "correlation": float(pairs.mean()),
    }
