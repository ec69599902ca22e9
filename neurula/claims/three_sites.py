"""Three sites of a cortex in one network of cells that fire at random, and a device at two of them.

After Lajoie et al. (2017), PLoS Comput. Biol. 13:e1005343: 60 cells in groups a, b, c, joined with
probability 0.3. Rates, bursts and synapses are choices of ours.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractWiring
from ..device import closed_loop
from ..network import Network, Population, Projection
from ..neurons import Poisson
from ..rules import AbstractLocalRule, Synapse
from ..rules.stdp import room
from ..simulation import Simulated
from ..synapses import Exponential
from ..wirings import Sparse

GROUP, CELLS = 20, 60  # cells: groups a, b, c
CHANCE = 0.3  # that one cell speaks to another
LARGEST = 10.0  # Hz, weight: how much a spike adds to a rate at first
OPEN = 5.0  # ms, time constant of synapses
ON_THE_WAY = 2  # ms
QUIET, BURSTS, EXTRA, WIDTH = 2.0, 3.0, 2.0, 12.0  # Hz; bursts/s of a group; spikes in one; ms
PULSE = 5000.0  # Hz for 1 ms: a cell fires with probability 0.993
DEAF = 10.0  # ms, after a pulse


class Rates(AbstractLocalRule):
    """Covariance of rates over a second: it grows where both cells fire more than 12 a second."""

    usual: float = 12.0  # spikes in that time
    slow: float = 0.006  # against STDP
    trace_times: ClassVar[tuple[float, float]] = (1000.0, 1000.0)

    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], None]:
        pre, post = synapse.pre, synapse.post
        found = post.activity * (pre.trace - pre.activity - self.usual)
        found = found + pre.activity * (post.trace - post.activity - self.usual)
        up, down = room(synapse.weight, LARGEST, 0.0)
        return self.slow * found * jnp.where(found > 0, up, down), None

    def edge_memory(self, wiring: AbstractWiring) -> None:
        del wiring


def brain(key: PRNGKeyArray) -> Network:
    """Three groups of cells, joined at random within and between, all weights alike at first."""
    there = np.array(jax.random.bernoulli(key, CHANCE, (CELLS, CELLS)))
    np.fill_diagonal(there, False)
    target, source = np.nonzero(there)
    wiring = Sparse(jnp.asarray(source), jnp.asarray(target), CELLS, CELLS)
    loop = Projection(
        "cells", "cells", wiring, wiring.fill(0.4 * LARGEST), "rate", ON_THE_WAY,
        synapse=Exponential(OPEN),
    )  # fmt: skip
    cells = {"cells": Population(CELLS, Poisson())}
    return Network(cells, [loop], senses=["cells"], voices=["cells"], dt=1.0)


def triggered(network: Network, cell: int | None, delay: float) -> Network:
    """The network with a device that stimulates site b, by a cell or by a last input."""
    record = None if cell is None else ("cells", cell)
    site = "cells", range(GROUP, 2 * GROUP)
    return closed_loop(network, record, site, strength=PULSE, delay=delay, refractory=DEAF)


def bursts(steps: int, rng: np.random.Generator) -> Float[np.ndarray, "time cell"]:
    """Rates in Hz: little, and bursts that all cells of a group share."""
    time = np.arange(-4 * WIDTH, 4 * WIDTH + 1)
    bump = np.exp(-0.5 * (time / WIDTH) ** 2)
    bump *= 1000 * EXTRA / bump.sum()
    begin = rng.random((steps, CELLS // GROUP)) < BURSTS / 1000
    rates = [QUIET + np.convolve(group, bump, "same")[:steps] for group in begin.T]
    return np.repeat(np.stack(rates, axis=1), GROUP, axis=1).astype(np.float32)


def when(lived: Simulated) -> np.ndarray:
    """The steps at which the device fired."""
    return np.rint(lived.spikes["device"].times).astype(int) - 1


def sites(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """The site of the cell that speaks and of the one that hears, by connection."""
    wiring = network.projections[0].wiring
    assert isinstance(wiring, Sparse)
    return np.asarray(wiring.source) // GROUP, np.asarray(wiring.target) // GROUP


def mean(network: Network) -> Float[np.ndarray, " way"]:
    """Mean weights from a to b, back, and all others, in Hz."""
    source, target = sites(network)
    ways = (source == 0) & (target == 1), (source == 1) & (target == 0)
    weight = np.asarray(network.projections[0].weight)
    return np.array([weight[w].mean() for w in (*ways, ~(ways[0] | ways[1]))])


def evoked(network: Network, site: int) -> Float[np.ndarray, " cell"]:
    """Spikes of every cell after one more spike of each cell of a site (linear theory).

    With S the spikes that one spike brings directly, all of them are (1 - S)^-1: Hawkes (1971),
    Biometrika 58:83.
    """
    joined, loop = np.zeros((CELLS, CELLS)), network.projections[0]
    assert isinstance(loop.wiring, Sparse)
    joined[np.asarray(loop.wiring.target), np.asarray(loop.wiring.source)] = loop.weight
    asked = np.arange(CELLS) // GROUP == site
    return np.linalg.solve(np.eye(CELLS) - joined * OPEN / 1000, asked.astype(float))


def turn(before: Network, after: Network) -> float:
    """How far what site a evokes has turned to what b evoked before: a difference of cosines."""
    unit = lambda x: x / np.linalg.norm(x)  # noqa: E731
    goal, old, new = (unit(evoked(*x)) for x in ((before, 1), (before, 0), (after, 0)))
    return float(goal @ (new - old))
