"""Work that need not wait for time: what stimuli become before they meet a cell with a memory."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .network import Network


def behind_the_front(
    network: Network, stimuli: Float[Array, "time in"]
) -> tuple[Network, Float[Array, "time drive"]]:
    """The same network without its input cells, and what these send over the whole time.

    One large product of matrices is faster than one small one for each time step. Where input cells
    remember, draw, listen, are read out, or are heard late, network and stimuli stay as they are.
    """
    if not _is_prompt(network):
        return network, stimuli
    ends = [
        sum(network.inputs[n] for n in network.senses[: i + 1]) for i in range(len(network.senses))
    ]
    shown = dict(zip(network.senses, jnp.split(stimuli, ends[:-1], axis=1), strict=True))
    said = {
        name: jax.vmap(lambda now, n=name: _say(network, n, now))(played)
        for name, played in shown.items()
    }
    drives: dict[str, Float[Array, "time post"]] = {}
    for p in network.projections:
        if p.source in said:
            drive = jax.vmap(lambda now, p=p: p.wiring.drive(p.weight, now))(said[p.source])
            drives[p.target] = drives[p.target] + drive if p.target in drives else drive
    behind = Network(
        {name: p for name, p in network.populations.items() if name not in said},
        [p for p in network.projections if p.source not in said],
        senses=list(drives),
        voices=network.voices,
        dt=network.dt,
    )
    return behind, jnp.concatenate(list(drives.values()), axis=1)


def _say(network: Network, name: str, now: Array) -> Array:
    return network.populations[name].neuron.step(None, now[None], None, dt=network.dt)[1]


def _is_prompt(network: Network) -> bool:
    senses, cells = set(network.senses), network.populations
    if senses & set(network.voices) or any(p.neuron.noisy for p in cells.values()):
        return False
    if any(cells[name].neuron.init(1) is not None for name in senses):
        return False
    spoken = [p for p in network.projections if p.source in senses]
    return (
        bool(spoken)
        and not any(p.target in senses for p in network.projections)
        and all(p.delay == 0 and p.synapse is None for p in spoken)
        and all(p.port == cells[p.target].neuron.ports[0] for p in spoken)
    )
