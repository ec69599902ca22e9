"""A device that closes a loop around a network: it hears one cell and stimulates others.

Jackson, Mavoori & Fetz (2006), Nature 444:56.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from .contracts import AbstractSynapse
from .network import Network, Population, Projection
from .neurons import LIF
from .wirings import Sparse


def closed_loop(
    network: Network,
    record: tuple[str, int] | None,
    stimulate: tuple[str, Sequence[int]],
    *,
    strength: float,
    delay: float,
    refractory: float = 0.0,
    name: str = "device",
    port: str | None = None,
    synapse: AbstractSynapse | None = None,
) -> Network:
    """A network with a device: a population `name` of one cell that fires when it stimulates.

    When the cell `record`, (population, cell), fires, every cell of `stimulate`, (population,
    cells), gets a pulse of `strength` `delay` ms later, in the unit of its `port` (default: its
    first), for one step or as long as a `synapse` makes it. From a pulse on the device is deaf for
    `refractory` ms. With `record=None` the network has one more input, its last: where it is 1, the
    device fires, as in controls that are replayed, random, or regular.

    The device's connections are projections like all others. Name those that learn in
    `Plastic(..., only=...)`, so that these do not.

    Raises `ValueError` for cells that are not there or do not spike, and for impossible times.
    """
    steps, deaf = delay / network.dt, refractory / network.dt
    _check(network, record, stimulate, (steps, deaf), name)
    # A leak this fast leaves no memory: the cell fires if what comes in this step is enough.
    waits = max(refractory - network.dt, 0.0)
    device = LIF(tau=network.dt / 100, threshold=0.5, refractory=waits)
    population, cells = stimulate
    size, target = network.populations[population].size, network.populations[population].neuron
    out = Sparse(jnp.zeros(len(cells), int), jnp.asarray(cells, int), post=size, pre=1)
    pulse = Projection(
        name, population, out, out.fill(strength), port or target.ports[0], round(steps),
        synapse=synapse,
    )  # fmt: skip
    joins, senses = [*network.projections, pulse], list(network.senses)
    if record is None:
        senses.append(name)
    else:
        heard = network.populations[record[0]].size
        wire = Sparse(jnp.array([record[1]]), jnp.array([0]), post=1, pre=heard)
        joins.append(Projection(record[0], name, wire, wire.fill(1.0), delay=0))
    parts = network.populations | {name: Population(1, device)}
    return Network(parts, joins, senses=senses, voices=network.voices, dt=network.dt)


def _check(network, record, stimulate, times, name) -> None:
    for what, (population, cells) in {
        "record": ("", []) if record is None else (record[0], [record[1]]),
        "stimulate": stimulate,
    }.items():
        if what == "record" and record is None:
            continue
        sizes = {key: p.size for key, p in network.populations.items()}
        if not all(0 <= cell < sizes.get(population, 0) for cell in cells) or len(cells) == 0:
            raise ValueError(
                f"`{what}` names cells {list(map(int, cells))} of {population!r}, but the network "
                f"has {sizes}, counted from zero. Name one cell or more of one population."
            )
    if record is not None and network.populations[record[0]].neuron.emits != "spikes":
        raise ValueError(
            f"The device fires when its cell does, but cells of {record[0]!r} emit "
            f"{network.populations[record[0]].neuron.emits}, not spikes. Record from one that "
            "spikes."
        )
    if name in network.populations:
        raise ValueError(
            f"A population is called {name!r} already: the network has "
            f"{sorted(network.populations)}. Give the device another `name`."
        )
    if min(times) < 0 or not np.allclose(times, np.round(times), atol=1e-3):
        raise ValueError(
            f"Delay and refractory time are whole steps of {network.dt} ms, 0 or more, but are "
            f"{times[0]:g} and {times[1]:g} steps. Round them, or choose another `dt`."
        )
