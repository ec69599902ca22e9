"""Different rules for different projections of one network."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray, PyTree

from ..contracts import AbstractRule, Error, Sample
from ..network import Network, trainable
from .detour import demand_network


class Mixed(AbstractRule[dict[str, Any]]):
    """`rules` go by the name of a projection ("hidden1->output"); what is not named stays as it is.

    Neurons (their biases) follow `neurons`, if given.
    """

    rules: dict[str, AbstractRule]
    neurons: AbstractRule | None = None
    needs: ClassVar[frozenset[str]] = frozenset()

    def init(self, brain: Any, *, key: PRNGKeyArray) -> dict[str, Any]:
        demand_network(self, brain, self._unknown)
        keys = jax.random.split(key, len(self._all))
        pairs = zip(self._all.items(), keys, strict=True)
        return {name: rule.init(brain, key=k) for (name, rule), k in pairs}

    @property
    def _all(self) -> dict[str, AbstractRule]:
        return self.rules if self.neurons is None else self.rules | {"neurons": self.neurons}

    def _unknown(self, network: Network) -> str | None:
        names = [p.name for p in network.projections]
        wrong = sorted(set(self.rules) - set(names))
        return f"names projections {wrong}, but the network has {names}." if wrong else None

    def propose(
        self,
        state: dict[str, Any],
        brain: Network,
        sample: Sample,
        error: Error,
        *,
        key: PRNGKeyArray,
    ) -> tuple[Network, dict[str, PyTree]]:
        proposals = {
            name: rule.propose(state[name], brain, sample, error, key=key)
            for name, rule in self._all.items()
        }
        still = jax.tree.map(jnp.zeros_like, trainable(brain))
        direction = proposals["neurons"][0] if self.neurons is not None else still
        moved = tuple(
            proposals[p.name][0].projections[i] if p.name in self.rules else still.projections[i]
            for i, p in enumerate(brain.projections)
        )
        direction = eqx.tree_at(lambda net: net.projections, direction, moved)
        return direction, {name: notes for name, (_, notes) in proposals.items()}

    def remember(self, state: dict[str, Any], notes: dict[str, PyTree]) -> dict[str, Any]:
        return {name: rule.remember(state[name], notes[name]) for name, rule in self._all.items()}
