"""Networks out of NIR, the graph format that simulators and neuromorphic chips share.

Pedersen et al. (2024), Nat. Commun. 15:8122. Times are milliseconds here and seconds in the file.
"""

import json
import os
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..contracts import AbstractNeuron
from ..extras import needed
from ..network import Network
from ..neurons import LIF, Leaky, Rate
from ..populations import Population, Positions, Projection
from ..synapses import Exponential
from ..wirings import Dense, OneToOne
from .hdf5 import check_hdf5
from .nir_joins import joined, loosened
from .nir_paths import CELLS, ENDS, LINKS, Graph, Way, flatten, is_cell, kind, lengthen, signal


def from_nir(path: str | os.PathLike, *, dt: float | None = None) -> Network:
    """Read a network from a NIR file, whoever wrote it.

    `dt` is the length of a step in ms (default: what the metadata of the file say). Chains of
    linear maps become one projection, R and w_in go into the weights, and a loop without a delay
    gets one step, as everywhere where time has steps. Wirings come back dense or one to one.

    Raises `FileNotFoundError`, and `ValueError` for what is no NIR file, for nodes that have no
    counterpart here, by name, and for what one projection between two populations cannot say.
    """
    whole = _read(path)
    dt = dt or _written(whole, "dt", 0.0) * 1000
    if not dt > 0:
        raise ValueError(
            f"{path} does not say how long a step is, but spikes last one: expected `dt` in ms or "
            "in its metadata, and got neither. What its writer used: `from_nir(path, dt=1.0)`."
        )
    return _Reading(whole, float(f"{dt:.12g}")).network()


def _read(path: str | os.PathLike) -> Any:
    """The graph, as nir's own reader sees it, once all its nodes are known."""
    nir, h5py = needed("nir", "nir"), needed("h5py", "nir")
    check_hdf5(path)
    unknown = []

    def look(name: str, item: Any) -> None:
        if name.endswith("/type") and "metadata" not in name.split("/"):
            found = item[()]
            found = found.decode() if isinstance(found, bytes) else str(found)
            if found not in (*CELLS, *LINKS, *ENDS):
                place = "/".join(name.split("/")[:-1]).replace("nodes/", "")
                unknown.append(f"{place.removeprefix('node/')!r} ({found})")

    try:
        with h5py.File(path, "r") as file:
            file.visititems(look)
        graph = None if unknown else nir.read(str(path))
    except Exception as error:
        raise ValueError(
            f"{path} should hold a NIR graph, but `nir.read` cannot read it "
            f"({type(error).__name__}: {error}): it is damaged or of another kind. Write it again."
        ) from None
    if unknown:
        raise ValueError(
            f"{path} has nodes without counterpart here: {', '.join(sorted(unknown))}. Known are "
            f"{', '.join((*CELLS, *LINKS))}. Write the network with these: a convolution can be "
            "written as one `nir.Linear`, cells without leak as `nir.LIF` with a long tau."
        )
    return graph


def _written(node: Any, name: str, default: Any) -> Any:
    """What the metadata of a node say."""
    found = node.metadata.get(name, default)
    return found.decode() if isinstance(found, bytes) else found


def _ms(value: Any) -> np.ndarray:
    """Milliseconds, without the last digit that a division by 1000 spoilt."""
    return np.vectorize(lambda x: float(f"{x * 1000:.12g}"), otypes=[float])(np.asarray(value))


class _Reading:
    """One graph on its way to a network."""

    def __init__(self, whole: Any, dt: float):
        nodes, edges = flatten(whole)
        tops = {n: i for n, i in nodes.items() if n in whole.nodes and kind(i) in ENDS}
        inputs, self.outputs = ([n for n, i in tops.items() if kind(i) == k] for k in ENDS[:2])
        cells = [n for n, node in nodes.items() if is_cell(node)]
        self.whole, self.dt, self.nodes = whole, dt, nodes
        self.graph = Graph(nodes, edges, frozenset([*cells, *self.outputs]))
        ways = lengthen(dt)
        self.ways = {n: list(self.graph.walk(n, Way(), ways)) for n in [*inputs, *cells]}
        self.senses = {n: self._sense(n) for n in inputs}
        self.voices = {n: self._voice(n) for n in self.outputs}

    def _sense(self, name: str) -> str:
        """The population that hears an input: the cells themselves, if nothing is between."""
        ends = self.ways[name]
        if len(ends) == 1 and ends[0][1].direct and self.plain(ends[0][0]):
            return ends[0][0]
        return name

    def plain(self, name: str) -> bool:
        """Whether cells take what arrives as it is."""
        node = self.nodes[name]
        return kind(node) == "Scale" or (kind(node) in ("LIF", "LI") and bool((node.r == 1).all()))

    def _voice(self, name: str) -> str:
        """The population heard at an output: the cells themselves, if nothing is between."""
        ways = [(a, way) for a, ends in self.ways.items() for b, way in ends if b == name]
        if len(ways) == 1 and ways[0][1].direct:
            return ways[0][0]
        return name

    def network(self) -> Network:
        """All populations and projections, in the order in which they were written, if known."""
        biases = self._biases()
        populations, projections = {}, []
        for name in [*self.ways, *self.outputs]:
            hidden = self.senses.get(name, name) != name or self.voices.get(name, name) != name
            if not hidden:
                populations[name] = self._population(name, biases.get(name))
        for a, ends in self.ways.items():
            targets = dict.fromkeys(b for b, _ in ends if b in populations)
            for b in targets if a in populations else ():
                projections.append(self._projection(a, b, [way for n, way in ends if n == b]))
        for name, bias in biases.items():
            if kind(self.nodes[name]) in ("CubaLIF", "CubaLI") and bias.any():
                populations[f"{name} bias"] = Population(1, Rate("identity", jnp.ones(1)))
                way = Way(bias[:, None])
                projections.append(self._projection(f"{name} bias", name, [way]))
        senses = self._order("senses", list(self.senses.values()))
        found = {p.name: p for p in projections}
        return Network(
            {name: populations[name] for name in self._order("populations", list(populations))},
            loosened([found[name] for name in self._order("projections", list(found))], senses),
            senses=senses,
            voices=self._order("voices", list(self.voices.values())),
            dt=self.dt,
        )

    def _order(self, what: str, found: list[str]) -> list[str]:
        """HDF5 sorts by name: back to the order of writing, if it is known."""
        found = list(dict.fromkeys(found))
        wanted = json.loads(_written(self.whole, what, "[]"))
        return wanted if sorted(wanted) == sorted(found) else found

    def _biases(self) -> dict[str, np.ndarray]:
        """What affine maps add to every population."""
        found: dict[str, np.ndarray] = {}
        for start, node in self.nodes.items():
            if kind(node) == "Affine":
                for end, bias in self.graph.walk(start, np.asarray(node.bias), signal):
                    found[end] = found.get(end, 0.0) + bias
        return found

    def _population(self, name: str, bias: np.ndarray | None) -> Population:
        node = self.nodes[name]
        shape = np.asarray(node.output_type["output"])
        if shape.shape != (1,):
            raise ValueError(
                f"Cells stand in one row here, but node {name!r} has the shape {shape.tolist()}. "
                "Flatten it before writing: `(n,)` for its parameters."
            )
        places = node.metadata.get("positions")
        positions = None if places is None else Positions(jnp.asarray(places, jnp.float32))
        return Population(int(shape[0]), self._neuron(name, node, bias), positions)

    def _neuron(self, name: str, node: Any, bias: np.ndarray | None) -> AbstractNeuron:
        if kind(node) not in CELLS:
            return Rate("identity", None if bias is None else jnp.asarray(bias, jnp.float32))
        current = kind(node).startswith("Cuba")
        leak = np.asarray(node.v_leak, float)
        rest = 0.0
        if kind(node).endswith("LIF"):
            rest = float(_written(node, "rest", leak.min()))
        extra = np.zeros_like(leak) if bias is None or current else node.r * bias
        total = leak - rest + extra
        kept = total.any() or "bias" in node.metadata or (bias is not None and not current)
        added = jnp.asarray(total, jnp.float32) if kept else None
        tau = _ms(node.tau_mem if current else node.tau)
        if not kind(node).endswith("LIF"):
            same = np.ptp(tau) == 0
            return Leaky(
                "identity", float(tau[0]) if same else jnp.asarray(tau, jnp.float32), added
            )
        return LIF(
            tau=equal(name, "tau", tau),
            rest=rest,
            threshold=equal(name, "v_threshold", node.v_threshold),
            reset=equal(name, "v_reset", node.v_reset),
            surrogate_slope=float(_written(node, "surrogate_slope", LIF.surrogate_slope)),
            bias=added,
        )

    def _projection(self, source: str, target: str, ways: list[Way]) -> Projection:
        """One projection of all the ways from one population to another."""
        node, synapse = self.nodes[target], None
        gain = np.asarray(getattr(node, "r", np.ones(1)), float)
        if kind(node).startswith("Cuba"):
            fall = equal(target, "tau_syn", _ms(node.tau_syn))
            gain, synapse = gain * node.w_in * self.dt / fall, Exponential(fall)
        post = int(np.asarray(node.input_type["input"])[0])
        if len(ways) == 1 and (ways[0].weight is None or ways[0].weight.ndim == 1):
            weight = gain * (np.ones(post) if ways[0].weight is None else ways[0].weight)
            steps, exists = np.broadcast_to(ways[0].steps[0], (post,)), ways[0].about.get("exists")
            wiring = OneToOne(post, None if exists is None else jnp.asarray(exists))
        else:
            shapes = [() if way.weight is None else way.weight.shape for way in ways]
            shape = next((s for s in shapes if len(s) == 2), (post, post))
            weight, steps, exists = joined(f"{source}->{target}", ways, shape)
            weight, wiring = weight * gain[:, None], Dense(*weight.shape, exists)
        sign = ways[0].about.get("sign")
        return Projection(
            source,
            target,
            wiring,
            jnp.asarray(weight, jnp.float32),
            delay=int(steps.max()),
            sign=None if sign is None else jnp.asarray(sign, jnp.int8),
            synapse=synapse,
            delays=None if np.ptp(steps) == 0 else jnp.asarray(steps, jnp.int32),
        )


def equal(name: str, what: str, values: Any) -> float:
    """The one value that all cells of a node share."""
    values = np.asarray(values, float)
    if np.ptp(values) > 0:
        raise ValueError(
            f"Cells of a population share {what} here, but those of node {name!r} have "
            f"{len(np.unique(values))} values from {values.min():g} to {values.max():g}. Write "
            "one node for each value."
        )
    return float(values.ravel()[0])
