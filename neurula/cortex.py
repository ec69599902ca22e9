"""A spiking network of a cortical column, with synapses that tire and warm up.

Haeusler & Maass (2007), Cereb. Cortex 17:149; cells and scales as in Schulte to Brinke, Duarte &
Morrison (2022), Front. Integr. Neurosci. 16:923468, who replicate it with integrate-and-fire cells.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .network import Network, Population, Projection
from .neurons import ConductanceLIF, Rate
from .populations import Positions
from .synapses import Exponential, ShortTerm
from .wirings import Bundle, Laminar

CELL = ConductanceLIF(
    capacitance=346.36,
    leak=15.5862,
    rest=-80.0,
    inhibitory_reversal=-75.0,
    threshold=-55.0,
    reset=-80.0,
    refractory=3.0,
)
AT = -65.0  # mV: where an amplitude was measured
EXCITES, INHIBITS = Exponential(3.0), Exponential(6.0)
# By sender and listener: the share used, recovery and facilitation (Markram, Wang & Tsodyks 1998,
# PNAS 95:5323; Gupta, Wang & Markram 2000, Science 287:273), the delay in ms.
PAIRS = {
    (True, True): (ShortTerm(0.5, 1100.0, 50.0, EXCITES), 1.5),
    (True, False): (ShortTerm(0.05, 125.0, 1200.0, EXCITES), 0.8),
    (False, True): (ShortTerm(0.25, 700.0, 20.0, INHIBITS), 0.8),
    (False, False): (ShortTerm(0.32, 144.0, 60.0, INHIBITS), 0.8),
}
SCALE = 66_825.0  # divided by the number of cells, times amplitudes (for `THOMSON`)


def cortical(
    graph: Laminar,
    inputs: Mapping[str, Bundle] | None = None,
    *,
    neuron: ConductanceLIF = CELL,
    gain: float = 1.0,
    scale: float | None = None,
    merged: bool = False,
    dt: float = 0.5,
) -> Network:
    """Cells of every kind as one population, named as in the table; streams of spikes come in.

    `inputs` holds the connections of each stream (`wirings.stream`), whose fibres become a
    population that plays its stimuli, 1 for a spike; without any, the first kind of cells hears
    them. `gain` multiplies their strengths. A conductance is its amplitude in mV times `scale`
    (default: 66,825 divided by the cells of a column) and the leak, divided by the distance of its
    reversal from -65 mV. `merged` joins all excitatory and all inhibitory cells into two
    populations, which is faster. The dynamics of a synapse follow from what it joins, E or I; the
    originals draw them for each connection. Inputs do not tire. Delays are rounded to steps.
    """
    kinds = graph.table.names
    groups = {name: np.flatnonzero(graph.kind == i) for i, name in enumerate(kinds)}
    if merged:
        groups = {
            name: np.flatnonzero(graph.excites == excites)
            for name, excites in (("excitatory", True), ("inhibitory", False))
        }
    if scale is None:
        scale = SCALE * (int(graph.column.max()) + 1) / len(graph.kind)
    projections = []
    for a, pre in groups.items():
        for b, post in groups.items():
            wiring, strength = graph.between(pre, post)
            if len(strength):
                pair = bool(graph.excites[pre[0]]), bool(graph.excites[post[0]])
                synapse, delay = PAIRS[pair]
                weight = conductances(neuron, scale * strength)
                projections.append(
                    Projection(
                        a, b, wiring, weight, _port(pair[0]),
                        delay=max(1, round(delay / dt)), synapse=synapse,
                    )
                )  # fmt: skip
    populations = {
        name: Population(len(cells), neuron, Positions(jnp.asarray(graph.places[cells])))
        for name, cells in groups.items()
    }
    for name, (wiring, strength) in (inputs or {}).items():
        populations[name] = Population(wiring.shape[1], Rate("identity"))
        fibres = Bundle(wiring, gain * strength)
        projections += _entering(name, fibres, groups, neuron)
    senses = list(inputs or {}) or [next(iter(groups))]
    return Network(populations, projections, senses=senses, voices=list(groups), dt=dt)


def conductances(
    neuron: ConductanceLIF, amplitude: Float[np.ndarray, " edge"]
) -> Float[jnp.ndarray, " edge"]:
    """Amplitudes in mV as conductances in nS; both of one sign, and positive."""
    reversal = np.where(amplitude < 0, neuron.inhibitory_reversal, neuron.excitatory_reversal)
    return jnp.asarray(np.abs(amplitude) * neuron.leak / np.abs(reversal - AT), jnp.float32)


def _entering(name: str, bundle: Bundle, groups, neuron: ConductanceLIF) -> list[Projection]:
    """One projection to each population that a stream reaches."""
    wiring, strength = bundle
    source, target = np.asarray(wiring.source), np.asarray(wiring.target)
    found = []
    for group, cells in groups.items():
        place = np.full(wiring.shape[0], -1)
        place[cells] = np.arange(len(cells))
        here = place[target] >= 0
        if here.any():
            ends = jnp.asarray(source[here]), jnp.asarray(place[target[here]])
            part = type(wiring)(*ends, len(cells), wiring.shape[1])
            weight = conductances(neuron, strength[here])
            found.append(Projection(name, group, part, weight, _port(True), synapse=EXCITES))
    return found


def _port(excites: bool) -> str:
    return "excitatory" if excites else "inhibitory"
