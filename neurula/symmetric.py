"""Networks whose teaching can travel back: mirrored feedback, autoencoders, Boltzmann machines."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from .builders import layered
from .contracts import AbstractNeuron, AbstractWiring, Weights
from .network import Network
from .neurons import Binary, Leaky, Rate
from .neurons.rate import Nonlinearity
from .populations import Population, Projection
from .weights import fan_in
from .wirings import Dense, Transposed


def two_way(
    network: Network, gain: float = 1.0, *, tau: float = 2.0, key: PRNGKeyArray | None = None
) -> Network:
    """The network with a projection back for every one that does not come from pure input.

    The way back has the mirrored wiring and the same weights, `gain` times as strong; with a `key`
    it has random weights of its own instead. Rate cells become `Leaky` with `tau` (in ms), so that
    the network settles, and every delay is one step. Loops within a population become symmetric,
    or with a `key` stay as they are.
    Changes that are the same for both mirrored weights keep them equal under any optimiser that
    treats each weight alone (SGD, Adam).
    """
    if problem := _one_way_problem(network):
        raise ValueError(f"`two_way` {problem}")
    pure, projections = inputs_only(network), []
    if key is not None:  # so that the key which drew the weights ahead does not draw the same again
        key = jax.random.split(key)[1]
    for i, p in enumerate(network.projections):
        if p.source == p.target and key is None:
            projections.append(_symmetric_loop(p))
            continue
        projections.append(Projection(p.source, p.target, p.wiring, p.weight, p.port, 1))
        if p.source not in pure and p.source != p.target:
            weight = p.weight if key is None else fan_in(p.wiring, key=jax.random.fold_in(key, i))
            port = network.populations[p.source].neuron.ports[0]
            mirror = Transposed(p.wiring, gain)
            projections.append(Projection(p.target, p.source, mirror, weight, port, 1))
    populations = {
        name: population if name in pure else _settling(population, tau)
        for name, population in network.populations.items()
    }
    how: dict[str, Any] = {"senses": network.senses, "voices": network.voices, "dt": network.dt}
    return Network(populations, projections, **how)


def _settling(population: Population, tau: float) -> Population:
    cell = population.neuron
    if not isinstance(cell, Rate):
        return population
    leaky = Leaky(cell.nonlinearity, tau, cell.bias)
    return Population(population.size, leaky, population.positions)


def regain(network: Network, gain: float) -> Network:
    """The network with another gain of its mirrored feedback; with 0 it has no effect."""

    def edit(p: Projection) -> Projection:
        if not isinstance(p.wiring, Transposed):
            return p
        return dataclasses.replace(p, wiring=Transposed(p.wiring.inner, gain))

    return network.edit(edit)


def inputs_only(network: Network) -> set[str]:
    """Populations that hear stimuli and nothing else."""
    return set(network.senses) - {p.target for p in network.projections}


def images(network: Network) -> Weights:
    """The weight that mirrors a projection's own, in the same layout; only where there is one."""
    ways = {(p.source, p.target): p for p in network.projections}
    found = {}
    for p in network.projections:
        other = ways.get((p.target, p.source))
        if other is p and isinstance(p.wiring, Dense):
            found[p.name] = p.weight.T
        elif other is not None and Transposed in (type(p.wiring), type(other.wiring)):
            found[p.name] = other.weight
    return found


def _one_way_problem(network: Network) -> str | None:
    pairs = {(p.source, p.target) for p in network.projections if p.source != p.target}
    if both := sorted(a for a, b in pairs if (b, a) in pairs):
        return (
            f"adds a way back to every projection, but between {both} there is one already. "
            "Leave the ways back out of `projections`."
        )
    if signed := [p.name for p in network.projections if p.sign is not None]:
        return (
            f"mirrors weights, but {signed} give cells signs: a mirrored weight would have the "
            "sign of the cell that listens. Use `sign=None`."
        )
    return None


def _symmetric_loop(p: Projection) -> Projection:
    if not isinstance(p.wiring, Dense):
        raise ValueError(
            f"`two_way` makes loops within a population symmetric as a matrix, but {p.name} has "
            f"{type(p.wiring).__name__} wiring. Use `Dense(cells, cells, mask)`, or for rules that "
            "do without symmetry `two_way(network, key=key)`."
        )
    mask = None if p.wiring.mask is None else p.wiring.mask | p.wiring.mask.T
    wiring = Dense(*p.wiring.shape, mask)
    return Projection(p.source, p.target, wiring, (p.weight + p.weight.T) / 2, p.port, 1)


def relaxing(
    sizes: Sequence[int],
    *,
    nonlinearity: Nonlinearity = "tanh",
    gain: float = 1.0,
    tau: float = 2.0,
    key: PRNGKeyArray,
) -> Network:
    """Layers with mirrored feedback that settle, from "input" to linear "output" cells.

    `gain` is that of the feedback, `tau` in ms with steps of 1 ms.
    """
    cells: Callable[[int], AbstractNeuron] = lambda n: Rate(nonlinearity, jnp.zeros(n))  # noqa: E731
    return two_way(layered(sizes, neuron=cells, key=key), gain, tau=tau)


def autoencoder(
    visible: int, hidden: int, *, nonlinearity: Nonlinearity = "sigmoid", key: PRNGKeyArray
) -> Network:
    """Visible cells, hidden cells and, as "output", the visible cells as hidden ones drive them.

    Weights to the outputs start as the mirror image of those to hidden cells.
    """
    cells: Callable[[int], AbstractNeuron] = lambda n: Rate(nonlinearity, jnp.zeros(n))  # noqa: E731
    network = layered([visible, hidden, visible], neuron=cells, key=key)
    up = network.projections[0]
    return eqx.tree_at(lambda net: net.projections[1].weight, network, up.weight.T)


def boltzmann(
    visible: int,
    hidden: int,
    *,
    among: AbstractWiring | None = None,
    gain: float = 0.1,
    temperature: float = 1.0,
    key: PRNGKeyArray,
) -> Network:
    """A Boltzmann machine: every visible cell is joined to every hidden one, both ways.

    `among` joins visible cells with each other (weights start at 0); it must be symmetric, without
    connections of cells to themselves. Without it this is a restricted Boltzmann machine
    (Smolensky 1986). First weights have a standard deviation of `gain` / sqrt(visible).
    """
    up = Dense(hidden, visible)
    weight = fan_in(up, key=key, gain=gain)
    projections = [
        Projection("visible", "hidden", up, weight),
        Projection("hidden", "visible", Transposed(up), weight),
    ]
    if among is not None:
        projections.append(Projection("visible", "visible", among, among.fill(0.0)))
    return Network(
        {
            "visible": Population(visible, Binary(temperature, jnp.zeros(visible))),
            "hidden": Population(hidden, Binary(temperature, jnp.zeros(hidden))),
        },
        projections,
        senses=["visible"],
        voices=["visible"],
    )
