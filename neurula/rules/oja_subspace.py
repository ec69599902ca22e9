"""Hebb minus what the cells together explain already.

Oja (1989), Int. J. Neural Syst. 1:61.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample
from ..network import Network
from .detour import demand_network
from .gradient import AbstractGradientRule, freeze


class OjaSubspace(AbstractGradientRule[None]):
    """dw = post * (pre - W^T post): linear cells settle on the subspace of the first components.

    Unlike `Oja`, where all cells find the first component, it needs more than a synapse knows: what
    all cells that listen to the same input send back through their weights.
    """

    needs: ClassVar[frozenset[str]] = frozenset()

    def init(self, brain: Network, *, key: PRNGKeyArray) -> None:
        demand_network(self, brain, lambda net: None)

    def surrogate(
        self, state: None, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], None]:
        still = freeze(brain)

        def live(cells, now):
            cells, _, signals = still.observe(cells, now)
            return cells, (signals.pre, signals.activity)

        _, (pre, activity) = jax.lax.scan(live, still.init(key=key), sample.stimuli)

        def change(p, q) -> Float[Array, ""]:  # its gradient is minus the change
            new = pre[p.name] - jax.vmap(lambda y: q.wiring.back(q.weight, y))(activity[p.target])
            return -jnp.mean(
                jax.vmap(lambda y, x: y @ p.wiring.drive(p.weight, x))(activity[p.target], new)
            )

        pairs = zip(brain.projections, still.projections, strict=True)
        return sum((change(p, q) for p, q in pairs), jnp.zeros(())), None

    def remember(self, state: None, notes: None) -> None:
        del notes
