"""Why a rule cannot teach a network, in words that end with what mends it."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..network import Network
from ..neurons import Rate
from ..wirings import Transposed


def depth_problem(network: Network) -> str | None:
    """A single layer: there is nobody to send teaching back to."""
    if set(network.populations) - {*network.senses, *network.voices}:
        return None
    return (
        f"brings teaching to hidden cells, but populations {sorted(network.populations)} are all "
        "inputs or outputs. With a single layer it is the delta rule: use `Backprop()`, or add a "
        "hidden layer, `sizes=[64, 128, 10]`."
    )


def settling_problem(network: Network) -> str | None:
    """Cells that never settle."""
    cells = {name: p.neuron for name, p in network.populations.items()}
    if spiking := sorted(name for name, cell in cells.items() if cell.emits == "spikes"):
        return (
            f"compares graded activities that settle, but the cells of {spiking} spike. Use "
            "`neurons.Leaky()`, or for spikes `Backprop()` with its surrogate derivative."
        )
    if noisy := sorted(name for name, cell in cells.items() if cell.noisy):
        return (
            f"compares activities that settle, but the cells of {noisy} are noisy and never do. "
            "Use `neurons.Leaky()`, or `Boltzmann()` for noisy binary cells."
        )
    return None


def spikeless_problem(network: Network) -> str | None:
    """Nobody fires, so that nothing has a time."""
    cells = {name: p.neuron for name, p in network.populations.items()}
    if any(cell.emits == "spikes" for cell in cells.values()):
        return None
    kinds = sorted({type(cell).__name__ for cell in cells.values()})
    return (
        f"compares the times of spikes, but no cell fires: they are {kinds}. Use spiking cells, "
        "such as `neurons.LIF()`, or for rates `Hebb()`, `Oja()` or `BCM()`."
    )


def way_back_problem(network: Network) -> str | None:
    """Projections without a partner that runs the other way."""
    pairs = {(p.source, p.target) for p in network.projections}
    heard = {p.target for p in network.projections}
    for p in network.projections:
        if p.source in heard and (p.target, p.source) not in pairs:
            return (
                f"needs feedback by which teaching travels back, but nothing runs from "
                f"{p.target!r} to {p.source!r}. Make it: `two_way(network)`, or build with "
                "`relaxing(sizes, key=key)`."
            )
    return None


def symmetry_problem(network: Network, scale: dict[str, float]) -> str | None:
    """Feedback weights that are no mirror image of the others, once a population's are scaled.

    Compares y.W.x with x.W.y for random x and y. Under `jit` there are no numbers to compare yet.
    """
    back = [p for p in network.projections if p.source in {q.target for q in network.projections}]
    if any(isinstance(p.weight, Tracer) for p in back):
        return None
    draw = np.random.default_rng(0).normal
    x, y = ({n: draw(size=p.size) for n, p in network.populations.items()} for _ in "xy")

    def carried(pre: dict, post: dict) -> list[float]:
        with jax.ensure_compile_time_eval():  # `learn` calls this while it is compiled
            sent = [jnp.asarray(pre[p.source], p.weight.dtype) for p in back]
            heard = [p.wiring.drive(p.weight, x) for p, x in zip(back, sent, strict=True)]
        pairs = zip(back, heard, strict=True)
        return [scale[p.target] * float(post[p.target] @ np.asarray(x)) for p, x in pairs]

    one, other = carried(x, y), carried(y, x)
    if abs(sum(one) - sum(other)) <= 1e-3 * np.linalg.norm(one + other):
        return None
    gains = sorted({p.wiring.gain for p in back if isinstance(p.wiring, Transposed)})
    return (
        f"needs feedback weights that mirror the others, but these differ (y.W.x = {sum(one):.4g}, "
        f"x.W.y = {sum(other):.4g}; feedback gains {gains}): no energy belongs to such a network. "
        "Make them: `two_way(network)`; or use a rule for separate feedback weights, "
        "`EquilibriumPropagation(symmetric=False)` or `GeneralisedRecirculation()`."
    )


def memoryless_problem(network: Network) -> str | None:
    """Cells with a state, or delays: the network is not a function that one step computes."""
    if slow := [p.name for p in network.projections if p.delay > 0]:
        return (
            f"needs a network without delays or loops, but {slow} have a delay. Build it with "
            "`layered(sizes, key=key)`, or teach loops by `EquilibriumPropagation()`."
        )
    if lasting := [p.name for p in network.projections if p.synapse is not None]:
        return f"needs projections without memory, but {lasting} have a synapse. Leave it out."
    cells = {name: p.neuron for name, p in network.populations.items()}
    if other := sorted(name for name, cell in cells.items() if not isinstance(cell, Rate)):
        kinds = sorted({type(cells[name]).__name__ for name in other})
        return (
            f"needs graded cells without memory, but those of {other} are {kinds}. Use "
            "`neurons.Rate()`."
        )
    return None


def chain_problem(network: Network) -> str | None:
    """Anything but one path from the input to the output."""
    order = [(p.source, p.target) for p in network.projections]
    joined = all(a[1] == b[0] for a, b in itertools.pairwise(order))
    ends = (*network.senses, *network.voices)
    if order and joined and ends == (order[0][0], order[-1][1]):
        return None
    return (
        f"needs layers in a single chain from the input to the output, but got projections "
        f"{order}. Build it with `layered(sizes, key=key)`."
    )
