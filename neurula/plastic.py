"""A network that learns while it lives: its weights are part of its state."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .contracts import AbstractBlock, Weight
from .network import Network, NetworkState, Signals
from .rules.local import AbstractLocalRule, Diary, experience, open_diary


class PlasticState(eqx.Module):
    """The cells, the weights by projection, and what synapses remember."""

    cells: NetworkState
    weights: tuple[Weight, ...]
    diary: Diary


class Plastic(AbstractBlock[PlasticState]):
    """Every step moves the weights by `rate` times the rule's change.

    With `rewarded` the last number of the input vector is the reward, heard by all synapses. `only`
    names the projections that learn (default: all).
    """

    network: Network
    rule: AbstractLocalRule
    rate: float | Float[Array, ""] = 0.01
    rewarded: bool = eqx.field(static=True, default=False)
    only: tuple[str, ...] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        self.rule.init(self.network, key=jax.random.key(0))  # refuses networks that do not fit
        names = [p.name for p in self.network.projections]
        if unknown := sorted(set(self.only or ()) - set(names)):
            raise ValueError(
                f"`only` names projections {unknown}, but the network has {names}. Use one of them."
            )

    @property
    def inputs(self) -> dict[str, int]:
        return self.network.inputs | ({"reward": 1} if self.rewarded else {})

    @property
    def outputs(self) -> dict[str, int]:
        return self.network.outputs

    def init(self, *, key: PRNGKeyArray | None = None) -> PlasticState:
        weights = tuple(p.weight for p in self.network.projections)
        diary = open_diary(self.rule, self.network, self.only)
        return PlasticState(self.network.init(key=key), weights, diary)

    def now(self, state: PlasticState) -> Network:
        """The network with the weights that it has by now."""
        places = lambda net: [p.weight for p in net.projections]  # noqa: E731
        return eqx.tree_at(places, self.network, list(state.weights))

    def step(
        self, state: PlasticState, inputs: Float[Array, " in"]
    ) -> tuple[PlasticState, Float[Array, " out"]]:
        state, outputs, _ = self.observe(state, inputs)
        return state, outputs

    def observe(
        self, state: PlasticState, inputs: Float[Array, " in"]
    ) -> tuple[PlasticState, Float[Array, " out"], Signals]:
        """Step, and show what happened inside."""
        reward = inputs[-1] if self.rewarded else None
        network = self.now(state)
        cells, outputs, signals = network.observe(
            state.cells, inputs[:-1] if self.rewarded else inputs
        )
        changes, diary = experience(self.rule, network, state.diary, signals, reward)
        moved = [
            eqx.tree_at(lambda p: p.weight, p, p.weight + self.rate * change * p.wiring.fill(1.0))
            for p, change in zip(network.projections, changes, strict=True)
        ]
        network = eqx.tree_at(lambda net: net.projections, network, tuple(moved)).constrain()
        weights = tuple(jnp.asarray(p.weight) for p in network.projections)
        return PlasticState(cells, weights, diary), outputs, signals
