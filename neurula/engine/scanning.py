"""One network on its way through time, on the differentiable engine."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..network import Network, NetworkState
from ..plastic import Plastic, PlasticState

LONGEST = 500  # steps of one compiled scan: what it records must fit into memory


class Scan:
    """The same face as `Run`: slower where spikes are sparse, takes any neuron."""

    engine = "jax"

    def __init__(
        self,
        block: Network | Plastic,
        state: NetworkState | PlasticState,
        stimuli: np.ndarray | None,
        watch: Mapping[str, Sequence[int]],
        steps: int,
    ):
        self.block, self.state, self.steps, self.time = block, state, steps, 0
        self.network = network = block.network if isinstance(block, Plastic) else block
        self.stimuli = stimuli
        self.watch = {name: np.asarray(cells, np.int64) for name, cells in watch.items()}
        self.traces: dict[str, list[np.ndarray]] = {name: [] for name in watch}
        cells = network.populations.items()
        self.found = {name: [] for name, p in cells if p.neuron.emits == "spikes"}
        self._play = eqx.filter_jit(self._scan)

    def _scan(self, block: Network | Plastic, state: Any, stimuli: Array):
        def step(state, now):
            state, _, signals = block.observe(state, now)
            fired = {name: signals.activity[name] != 0 for name in self.found}
            seen = {name: self._look(name, state, signals) for name in self.watch}
            return state, (fired, seen)

        return jax.lax.scan(step, state, stimuli)

    def _look(self, name: str, state: NetworkState | PlasticState, signals) -> Array:
        cells = (state.cells if isinstance(state, PlasticState) else state).cells[name]
        leaves = [*jax.tree.leaves(cells), signals.activity[name]]
        return jnp.concatenate([leaf[self.watch[name]] for leaf in leaves])

    def advance(self, end: int) -> None:
        """Run until the step `end`."""
        while self.time < end:
            until = min(end, self.time + LONGEST)
            if self.stimuli is None:
                played = np.zeros((until - self.time, sum(self.block.inputs.values())))
            else:
                played = self.stimuli[self.time : until]
            played = jnp.asarray(played, jnp.float32)
            self.state, (fired, seen) = self._play(self.block, self.state, played)
            for name, flags in fired.items():
                when, who = np.nonzero(np.asarray(flags))
                self.found[name].append((when + self.time, who))
            for name, trace in seen.items():
                self.traces[name].append(np.asarray(trace))
            self.time = until

    def spikes(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Steps and cells of all spikes, by population that has any."""
        return {
            name: (
                np.concatenate([when for when, _ in parts]),
                np.concatenate([who for _, who in parts]),
            )
            for name, parts in self.found.items()
        }

    def finish(self) -> NetworkState | PlasticState:
        """The state at the end."""
        return self.state
