"""Populations of cells joined by projections, and time passing over them."""

import graphlib
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from . import arrivals
from .contracts import AbstractBlock, AbstractWiring, Activities, Activity, Recording
from .populations import (
    NetworkState as NetworkState,
    Population as Population,
    Positions as Positions,
    Projection as Projection,
    Signals as Signals,
    check_fit,
    keep_sign,
)


class Network(AbstractBlock[NetworkState]):
    """Final: networks differ by their parts, never by subclass.

    Stimuli enter the populations named in `senses` at their first port; the activity of those named
    in `voices` is the output. Projections without delay must not form a loop and are swept in
    order, so a multilayer perceptron is one step. `dt` is in milliseconds.
    """

    populations: dict[str, Population]
    projections: tuple[Projection, ...]
    senses: tuple[str, ...] = eqx.field(static=True)
    voices: tuple[str, ...] = eqx.field(static=True)
    dt: float = eqx.field(static=True, default=1.0)

    def __init__(
        self,
        populations: Mapping[str, Population],
        projections: Sequence[Projection],
        *,
        senses: Sequence[str],
        voices: Sequence[str],
        dt: float = 1.0,
    ):
        self.populations, self.projections = dict(populations), tuple(projections)
        self.senses, self.voices, self.dt = tuple(senses), tuple(voices), dt

    def __check_init__(self):
        if not 0 < self.dt < float("inf"):
            raise ValueError(
                f"A network lives in steps of a length above 0 ms, but got dt={self.dt}: time "
                "would stand still. Give the length of a step, `Network(..., dt=1.0)`."
            )
        known = set(self.populations)
        named = {p.source for p in self.projections} | {p.target for p in self.projections}
        if missing := (named | set(self.senses) | set(self.voices)) - known:
            raise ValueError(
                f"The network has populations {sorted(known)}, but {sorted(missing)} are named "
                "too. Add them to `populations`, or correct the name."
            )
        names = [projection.name for projection in self.projections]
        if len(set(names)) < len(names):
            raise ValueError(
                f"Every pair of populations takes one projection, but got {sorted(names)}. Join "
                "the connections of a pair in one wiring."
            )
        for projection in self.projections:
            check_fit(projection, self.populations)
        _ = self.order

    @property
    def inputs(self) -> dict[str, int]:
        return {name: self.populations[name].size for name in self.senses}

    @property
    def outputs(self) -> dict[str, int]:
        return {name: self.populations[name].size for name in self.voices}

    @property
    def order(self) -> tuple[str, ...]:
        """Populations in the order in which a step sweeps them."""
        before = {name: set() for name in self.populations}
        for projection in self.projections:
            if projection.delay == 0:
                before[projection.target].add(projection.source)
        try:
            return tuple(graphlib.TopologicalSorter(before).static_order())
        except graphlib.CycleError as error:
            raise ValueError(
                f"Projections without delay form a loop: {' -> '.join(error.args[1])}. Within one "
                "step nobody could go first. Give one of them `delay=1`."
            ) from None

    def init(self, *, key: PRNGKeyArray | None = None) -> NetworkState:
        noisy = any(p.neuron.noisy for p in self.populations.values())
        return NetworkState(
            {name: p.neuron.init(p.size) for name, p in self.populations.items()},
            arrivals.empty(self.projections),
            (key, jnp.zeros((), jnp.uint32)) if noisy and key is not None else None,
            {p.name: arrivals.rest(p) for p in self.projections if p.synapse is not None},
        )

    def step(
        self, state: NetworkState, inputs: Float[Array, " in"]
    ) -> tuple[NetworkState, Float[Array, " out"]]:
        state, outputs, _ = self.observe(state, inputs)
        return state, outputs

    def observe(
        self,
        state: NetworkState,
        inputs: Float[Array, " in"],
        *,
        nudge: Mapping[str, Float[Array, " _"]] | None = None,
        clamp: Mapping[str, Float[Array, " _"]] | None = None,
    ) -> tuple[NetworkState, Float[Array, " out"], Signals]:
        """Step, and show what happened inside.

        By population, `nudge` is added to the drive of the first port, and `clamp` replaces the
        activity.
        """
        stimuli, nudge, clamp = self._split(inputs), nudge or {}, clamp or {}
        activity, sent, drives, pres, cells = {}, {}, {}, {}, {}
        synapses = dict(state.synapses)
        for index, name in enumerate(self.order):
            population = self.populations[name]
            extra = (stimuli.get(name), nudge.get(name))
            drive = self._listen(name, extra, (activity, sent, pres), synapses, state)
            noise = _noise(state.clock, index, population)
            cells[name], acts = population.neuron.step(state.cells[name], drive, noise, dt=self.dt)
            activity[name], drives[name] = clamp.get(name, acts), drive
            sent |= arrivals.send(self.projections, name, activity[name], synapses, self.dt)
        past = arrivals.push(state.past, activity | sent)
        clock = None if state.clock is None else (state.clock[0], state.clock[1] + 1)
        outputs = jnp.concatenate([activity[name] for name in self.voices])
        return NetworkState(cells, past, clock, synapses), outputs, Signals(pres, drives, activity)

    def _split(self, inputs: Float[Array, " in"]) -> Activities:
        sizes = self.inputs
        if inputs.shape != (sum(sizes.values()),):
            raise ValueError(
                f"The network takes {sum(sizes.values())} numbers a step {sizes}, but got a "
                f"stimulus of shape {inputs.shape}. Stimuli have the shape (time, in), and one "
                "example is given at a time: use `jax.vmap` for batches."
            )
        ends = np.cumsum(list(sizes.values()))[:-1]
        return dict(zip(sizes, jnp.split(inputs, ends), strict=True))

    def _listen(self, name, extra, so_far, synapses, state) -> Float[Array, "port cell"]:
        population, (activity, sent, pres) = self.populations[name], so_far
        drives = dict.fromkeys(population.neuron.ports)
        arriving = [(population.neuron.ports[0], now) for now in extra if now is not None]
        for p in self.projections:
            if p.target == name:
                pres[p.name], drive = arrivals.arrive(p, activity, sent, state)
                if p.synapse is not None:
                    half, felt = synapses[p.name]
                    felt, drive = p.synapse.receive(felt, drive, dt=self.dt)
                    synapses[p.name] = half, felt
                arriving.append((p.port, drive))
        for port, drive in arriving:
            drives[port] = drive if drives[port] is None else drives[port] + drive
        silence = jnp.zeros(population.size)
        return jnp.stack([silence if drive is None else drive for drive in drives.values()])

    def edit(self, change: Any) -> "Network":
        """A copy in which every projection p is `change(p)`."""
        changed = tuple(change(projection) for projection in self.projections)
        return eqx.tree_at(lambda net: net.projections, self, changed)

    def mask(self, direction: "Network") -> "Network":
        """A direction without what would move weights where no connection exists."""

        def masked(p: Projection, d: Projection) -> Projection:
            if p.wiring.exists is None or d.weight is None:
                return d
            return eqx.tree_at(lambda x: x.weight, d, d.weight * p.wiring.fill(1.0))

        pairs = zip(self.projections, direction.projections, strict=True)
        changed = tuple(masked(p, d) for p, d in pairs)
        return eqx.tree_at(lambda net: net.projections, direction, changed)

    def constrain(self) -> "Network":
        """The nearest network that keeps the signs of its projections."""
        return self.edit(keep_sign)


def _noise(clock: Any, index: int, population: Population) -> Activity | None:
    if clock is None or not population.neuron.noisy:
        return None
    key = jax.random.fold_in(jax.random.fold_in(clock[0], clock[1]), index)
    return jax.random.uniform(key, (population.size,))


def trainable(block: AbstractBlock) -> Any:
    """The block with everything removed (`None`) that learning does not change.

    Weights and array fields of neurons stay; wirings and positions go.
    """
    fixed = lambda x: isinstance(x, AbstractWiring | Positions)  # noqa: E731
    return eqx.filter(block, eqx.is_inexact_array, is_leaf=fixed)


def record(
    network: Network,
    stimuli: Float[Array, "time in"],
    population: str,
    *,
    key: PRNGKeyArray | None = None,
    name: str = "",
) -> Recording:
    """Record the activity of a population, cell by cell, while stimuli are played."""
    if population not in network.populations:
        raise ValueError(
            f"The network has populations {sorted(network.populations)}, but got {population!r}."
        )

    def listen(state, now):
        state, _, signals = network.observe(state, now)
        return state, signals.activity[population]

    _, responses = jax.lax.scan(listen, network.init(key=key), stimuli)
    return Recording(responses, name or population, source="neurula network")


def lesion(network: Network, lost: Mapping[str, Bool[Array, " cell"]]) -> Network:
    """Cut all connections from and to the lost cells of the named populations, for good."""
    if unknown := set(lost) - set(network.populations):
        raise ValueError(
            f"The network has populations {sorted(network.populations)}, but got {sorted(unknown)}."
        )
    kept = {name: jnp.ones(p.size, bool) for name, p in network.populations.items()}
    kept |= {name: ~jnp.asarray(cells, bool) for name, cells in lost.items()}

    def cut(p: Projection) -> Projection:
        wiring = p.wiring.keep(kept[p.source], kept[p.target])
        return eqx.tree_at(lambda p: (p.wiring, p.weight), p, (wiring, p.weight * wiring.fill(1.0)))

    return network.edit(cut)
