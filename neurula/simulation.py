"""Let a network live, and note every spike: event by event where that is faster."""

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .bar import Bar
from .contracts import Recording
from .engine.learning import PlasticRun
from .engine.running import Run
from .engine.scanning import Scan
from .health import advice, health
from .measures.spike_counts import spike_counts
from .network import Network, NetworkState
from .plastic import Plastic, PlasticState

Engine = Literal["auto", "events", "jax"]
Stimuli = Float[Array, "time in"] | Float[np.ndarray, "time in"]
FIRST, PATIENCE = 100, 0.2  # steps of the first stretch; seconds of a stretch


class Spikes(NamedTuple):
    """Who fired when: in the order of time. Times are those of the end of a step, in ms."""

    times: np.ndarray
    cells: np.ndarray


class Simulated(NamedTuple):
    """What `simulate` gives back, by population.

    `traces` has the shape (time, quantity, cell): the leaves of the neuron's state, in order, and
    its activity. `advice` says in plain words what looks wrong with the activity.
    """

    spikes: dict[str, Spikes]
    traces: dict[str, np.ndarray]
    state: NetworkState | PlasticState  # with the new weights, if the network learns
    duration: float  # ms
    engine: str
    advice: tuple[str, ...]
    sizes: dict[str, int]  # how many cells, by spiking population
    dt: float  # ms

    def rates(self, network: Network) -> dict[str, np.ndarray]:
        """Spikes per second of every cell."""
        sizes = {name: network.populations[name].size for name in self.spikes}
        return {
            name: np.bincount(spikes.cells, minlength=sizes[name]) / (self.duration / 1000)
            for name, spikes in self.spikes.items()
        }

    def recording(self, population: str, *, bin_width: float = 10.0) -> Recording:
        """The spikes of every cell in every bin of `bin_width` ms, as measures see them."""
        return count(self, population, bin_width, "neurula simulation")


def count(found: Any, population: str, bin_width: float, source: str) -> Recording:
    """Count the spikes of a population in bins: (bin, cell)."""
    if population not in found.spikes:
        raise ValueError(
            f"Spikes were noted of {sorted(found.spikes)}, but got {population!r}, which fires "
            "none or does not exist. For the activity of rate cells use `neurula.record(network, "
            f"stimuli, {population!r})`."
        )
    counts = spike_counts(
        *found.spikes[population],
        size=found.sizes[population],
        duration=found.duration,
        bin_width=bin_width,
    )
    return Recording(jnp.asarray(counts), population, source=source)


def simulate(
    network: Network | Plastic,
    stimuli: Stimuli | None = None,
    *,
    steps: int | None = None,
    state: NetworkState | PlasticState | None = None,
    watch: Mapping[str, Sequence[int]] | None = None,
    engine: Engine = "auto",
    progress: bool = False,
    key: PRNGKeyArray | None = None,
) -> Simulated:
    """Run a network for the length of the stimuli, or for `steps` steps without any.

    `state` is where to begin (default: at rest), `watch` names cells whose state is recorded at
    every step, by population. "events" compiles the network into a loop whose cost follows its
    spikes; it knows no gradients. "jax" is the differentiable engine; "auto" takes events wherever
    every cell's step, and the rule of a network that learns (`Plastic`), can be compiled.

    Raises `ValueError` for stimuli, states and cells that do not fit, and where numbers are lost.
    """
    run = _begin(network, stimuli, steps, state, watch or {}, engine, key)
    bar = Bar("simulating", run.steps) if progress else None
    _live(run, bar)
    return _end(run)


def simulate_many(
    networks: Sequence[Network | Plastic],
    stimuli: Stimuli | None = None,
    *,
    steps: int | None = None,
    states: Sequence[NetworkState | PlasticState] | None = None,
    keys: Sequence[PRNGKeyArray] | None = None,
) -> list[Simulated]:
    """`simulate` for many networks, side by side on all cores. Equal parts compile once."""
    none = [None] * len(networks)
    begun: list[Run | Scan] = []
    for network, state, key in zip(networks, states or none, keys or none, strict=True):
        like = begun[0] if begun else None
        begun.append(_begin(network, stimuli, steps, state, {}, "events", key, like))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda run: _live(run, None), begun))
    return [_end(run) for run in begun]


def _begin(network, stimuli, steps, state, watch, engine, key, like=None) -> Run | Scan:
    played = None if stimuli is None else np.ascontiguousarray(stimuli, np.float32)
    steps = _check(network, played, steps, watch, key)
    start = state if state is not None else network.init(key=key)
    if engine != "jax":
        try:
            if isinstance(network, Plastic):
                return PlasticRun(network, start, played, watch, steps)
            return Run(network, start, played, watch, steps, like)
        except ValueError:
            if engine == "events":
                raise
    return Scan(network, start, played, watch, steps)


def _check(block, stimuli, steps, watch, key) -> int:
    wanted = sum(block.inputs.values())
    network = block.network if isinstance(block, Plastic) else block
    if stimuli is None and steps is None:
        raise ValueError("Expected stimuli or `steps`, the number of time steps, but got neither.")
    if stimuli is not None and (stimuli.ndim != 2 or stimuli.shape[1] != wanted):
        raise ValueError(
            f"Stimuli have the shape (time, in) = (time, {wanted}) for this network "
            f"{block.inputs}, but got {stimuli.shape}."
        )
    if stimuli is not None and not np.isfinite(stimuli).all():
        raise ValueError(
            "Stimuli must be finite, but some are NaN or infinite: they would spread to all cells. "
            "Find them with `np.argwhere(~np.isfinite(stimuli))`."
        )
    length = steps if stimuli is None else len(stimuli)
    if length < 1 or (steps is not None and steps != length):
        raise ValueError(f"Expected 1 step or more, as long as the stimuli, but got {steps}.")
    if key is None and any(p.neuron.noisy for p in network.populations.values()):
        raise ValueError("Some cells draw numbers: give `key=jax.random.key(0)`.")
    for name, cells in watch.items():
        size = network.populations[name].size if name in network.populations else 0
        if not all(0 <= cell < size for cell in cells):
            raise ValueError(
                f"`watch` names cells {list(cells)} of {name!r}, but the network has "
                f"{ {n: p.size for n, p in network.populations.items()} }, counted from zero."
            )
    return length


def _live(run: Run | Scan, bar: Bar | None) -> None:
    """Let time pass in stretches, so that Ctrl-C is heard and the bar moves."""
    stretch = FIRST
    if bar is not None:
        bar.tell(0)
    while run.time < run.steps:
        began = time.monotonic()
        run.advance(min(run.time + stretch, run.steps))
        if isinstance(run, Run) and time.monotonic() - began < PATIENCE / 2:
            stretch *= 2
        if bar is not None:
            bar.tell(run.time - 1)


def _end(run: Run | Scan) -> Simulated:
    dt, state = run.network.dt, run.finish()
    spikes = {
        name: Spikes((when + 1) * dt, who.copy()) for name, (when, who) in run.spikes().items()
    }
    found = {name: np.concatenate(parts) for name, parts in run.traces.items()}
    kept = {
        name: flat.reshape(len(flat), -1, max(len(run.watch[name]), 1))
        for name, flat in found.items()
    }
    alive = state.cells if isinstance(state, PlasticState) else state
    lost = [
        name
        for name, cells in alive.cells.items()
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(cells))
    ]
    if lost:
        raise ValueError(
            f"Cells of {lost} hold numbers that are not finite after {run.steps} steps of {dt} ms: "
            "the scheme is unstable, or a parameter is NaN. Use a shorter `dt`, and look at the "
            "weights' largest values."
        )
    duration = run.steps * dt
    sizes = {name: run.network.populations[name].size for name in spikes}
    result = Simulated(spikes, kept, state, duration, run.engine, (), sizes, dt)
    told: list[str] = []
    for name, rate in result.rates(run.network).items():
        shares = health(jnp.asarray(rate * dt / 1000, jnp.float32))
        told += advice(
            *(float(share) for share in shares.values()), f"{rate.size} cells of {name!r}"
        )
    return result._replace(advice=tuple(told))
