"""Networks into NIR, the graph format that simulators and neuromorphic chips share.

Pedersen et al. (2024), Nat. Commun. 15:8122. Times are milliseconds here and seconds in the file.
"""

import json
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..extras import needed
from ..files import whole
from ..network import Network
from ..neurons import LIF, Leaky, Rate
from ..populations import Population, Projection
from ..synapses import Exponential
from ..wirings import OneToOne


def to_nir(network: Network, path: str | os.PathLike) -> Path:
    """Write a network as a NIR graph, which `nir.read` and other tools read.

    `LIF` cells become LIF, `Leaky` ones LI, both with an `Exponential` synapse CubaLIF and CubaLI;
    linear `Rate` cells become Input, Output or Scale; weights Linear, Affine or Scale. Every delay
    is a Delay node, also the step in a loop. A signal keeps its value for a step, so that a spike
    is 1 for `dt`, and w_in is tau_syn / dt; `dt` is in the metadata, in seconds.

    Either all is there afterwards, or nothing new. Raises `ValueError` for everything that NIR
    cannot say, by name.
    """
    nir = needed("nir", "nir")
    if problems := _problems(network):
        raise ValueError(
            "NIR knows linear maps, delays and leaky cells, but cannot say this: "
            f"{'; '.join(problems)}. Other tools would compute something else. Use other parts "
            "there, or keep all of it with `neurula.save(network, path)`."
        )
    nodes, edges = {}, []
    for name in network.populations:
        _add_population(nir, network, name, nodes, edges)
    for projection in network.projections:
        _add_projection(nir, network, projection, nodes, edges)
    about = {
        "dt": network.dt / 1000,
        "populations": json.dumps(list(network.populations)),
        "projections": json.dumps([p.name for p in network.projections]),
        "senses": json.dumps(network.senses),
        "voices": json.dumps(network.voices),
    }
    # Types are all given: nothing has to be inferred, and graphs without inputs are fine.
    graph = nir.NIRGraph(nodes, edges, metadata=about, type_check=False)
    graph.validate_structure()
    graph.check_types()
    with whole(path) as temporary:
        nir.write(str(temporary), graph)
    return Path(path)


def arriving(network: Network, name: str) -> list[Projection]:
    """The projections that end at a population."""
    return [p for p in network.projections if p.target == name]


def _problems(network: Network) -> list[str]:
    """What NIR cannot say, in words."""
    found = [f"population {n!r} has a '/' in its name" for n in network.populations if "/" in n]
    for name, population in network.populations.items():
        if wrong := _wrong_neuron(population.neuron):
            found.append(f"population {name!r} has {wrong}")
        into = arriving(network, name)
        kinds = {p.synapse for p in into}
        for p in into:
            if p.synapse is not None and not isinstance(p.synapse, Exponential):
                found.append(f"projection {p.name!r} has a {type(p.synapse).__name__} synapse")
        if len(kinds) > 1:
            found.append(f"projections to {name!r} have different synapses, CubaLIF has one")
        if kinds - {None} and name in network.senses:
            found.append(f"stimuli enter {name!r} directly, CubaLIF hears all by its synapse")
        if isinstance(population.neuron, Rate):
            if kinds - {None}:
                found.append(f"cells of {name!r} without memory have a synapse")
            if population.neuron.bias is not None and not into:
                found.append(f"population {name!r} has a bias and hears no other")
    return found


def _wrong_neuron(neuron: Any) -> str | None:
    if isinstance(neuron, LIF):
        return "LIF cells with a refractory time" if neuron.refractory > 0 else None
    if isinstance(neuron, Rate | Leaky):
        name = f"{type(neuron).__name__} cells with {neuron.nonlinearity!r}, not 'identity'"
        return None if neuron.nonlinearity == "identity" else name
    return f"{type(neuron).__name__} cells"


def _add_population(nir: Any, network: Network, name: str, nodes: dict, edges: list) -> None:
    """The node of a population, and those by which it hears and answers the world."""
    population = network.populations[name]
    shape = np.array([population.size])
    linear = isinstance(population.neuron, Rate)
    sense, voice = name in network.senses, name in network.voices
    leaves = any(p.source == name for p in network.projections)
    if linear and sense and not arriving(network, name):
        nodes[name] = nir.Input({"input": shape})
    elif linear and voice and not sense and not leaves:
        nodes[name] = nir.Output({"output": shape})
        voice = False
    else:
        nodes[name] = _cells(nir, network, name, population)
        if sense:
            nodes[f"{name} input"] = nir.Input({"input": shape})
            edges.append((f"{name} input", name))
    if population.positions is not None:
        nodes[name].metadata["positions"] = np.asarray(population.positions.places)
    if voice:
        nodes[f"{name} output"] = nir.Output({"output": shape})
        edges.append((name, f"{name} output"))


def _cells(nir: Any, network: Network, name: str, population: Population) -> Any:
    """LIF, LI, CubaLIF or CubaLI; a Scale by one for linear cells."""
    neuron: Any = population.neuron
    size = population.size

    def full(value: Any) -> np.ndarray:
        return np.full(size, value, np.float64)

    if isinstance(neuron, Rate):
        return nir.Scale(full(1.0), metadata={"population": name})
    bias = 0.0 if neuron.bias is None else np.asarray(neuron.bias, np.float64)
    about: dict[str, Any] = {} if neuron.bias is None else {"bias": True}
    tau = full(np.asarray(neuron.tau, np.float64) / 1000)
    into = arriving(network, name)
    synapse = into[0].synapse if into else None
    settings: dict[str, Any] = {"r": full(1.0)}
    if isinstance(neuron, LIF):
        about |= {"rest": neuron.rest, "surrogate_slope": neuron.surrogate_slope}
        settings |= {"v_leak": full(neuron.rest + bias), "v_reset": full(neuron.reset)}
        settings |= {"v_threshold": full(neuron.threshold)}
        plain, current = nir.LIF, nir.CubaLIF
    else:
        settings |= {"v_leak": full(bias)}
        plain, current = nir.LI, nir.CubaLI
    if not isinstance(synapse, Exponential):
        return plain(tau=tau, metadata=about, **settings)
    w_in = full(synapse.tau / network.dt)
    fall = full(synapse.tau / 1000)
    return current(tau_mem=tau, tau_syn=fall, w_in=w_in, metadata=about, **settings)


def _add_projection(nir: Any, network: Network, p: Projection, nodes: dict, edges: list) -> None:
    """Delay and weights between two nodes; a branch for each delay where they differ."""
    neuron = network.populations[p.target].neuron
    first = arriving(network, p.target)[0].name == p.name
    bias = np.asarray(neuron.bias) if isinstance(neuron, Rate) and neuron.bias is not None else None
    for steps, weight, exists in _branches(p):
        name = p.name if p.delays is None else f"{p.name} after {steps}"
        about = {} if exists is None else {"exists": exists}
        if p.sign is not None:
            about["sign"] = np.asarray(p.sign)
        if first and bias is not None:
            weight = np.diag(weight) if weight.ndim == 1 else weight
            nodes[name], bias = nir.Affine(weight, bias, metadata=about), None
        else:
            kind = nir.Scale if weight.ndim == 1 else nir.Linear
            nodes[name] = kind(weight, metadata=about)
        start = p.source
        if steps:
            start = f"{name} delay"
            nodes[start] = nir.Delay(np.full(p.wiring.shape[1], steps * network.dt / 1000))
            edges.append((p.source, start))
        edges += [(start, name), (name, p.target)]


def _branches(p: Projection) -> list[tuple[int, np.ndarray, np.ndarray | None]]:
    """Delay in steps, weights and places of connections, as matrices, or vectors one to one."""
    exists = None if p.wiring.exists is None else matrix(p, p.wiring.fill(1.0)) != 0
    if p.delays is None:
        return [(p.delay, matrix(p, p.weight), exists)]
    found = []
    for steps in np.unique(np.asarray(p.delays)):
        late = p.delays == steps
        there = matrix(p, jnp.where(late, p.wiring.fill(1.0), 0.0)) != 0
        found.append((int(steps), matrix(p, jnp.where(late, p.weight, 0.0)), there))
    return found


def matrix(p: Projection, weight: Any) -> np.ndarray:
    """The weights of a projection as (post, pre), or as a vector if it is one to one."""
    if isinstance(p.wiring, OneToOne):
        return np.asarray(weight)
    ones = jnp.eye(p.wiring.shape[1])
    return np.asarray(jax.vmap(lambda a: p.wiring.drive(weight, a))(ones).T)
