"""Send activity once around a loop: what comes back different is the error.

Hinton & McClelland (1988), NIPS 0:358.
"""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from ..contracts import AbstractRule, Error, Sample
from ..network import Network, trainable
from .chain import answer
from .contrastive import biased, set_bias
from .detour import demand_network
from .refusals import chain_problem, memoryless_problem, settling_problem


class Recirculation(AbstractRule[None]):
    """For a chain of visible, hidden and again visible cells (`autoencoder`), read as a loop.

    Visible activity v0 makes hidden activity h1, that makes v2, and that h3. `regression` is the
    share r of the old activity that stays: v2 = r v0 + (1 - r) f(W h1), and likewise for h3.
    Changes are presynaptic activity times the postsynaptic difference: (v0 - v2) h1 for weights to
    visible cells, (h1 - h3) v2 for weights to hidden ones. No target is used. With linear visible
    cells, mirrored weights and r near 1 each projection follows the gradient of the squared
    reconstruction error.
    """

    regression: float = 0.75
    needs: ClassVar[frozenset[str]] = frozenset()
    ignores: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Network, *, key: PRNGKeyArray) -> None:
        demand_network(self, brain, _problem)

    def propose(
        self, state: None, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Network, None]:
        up, down = brain.projections
        stay, visible = self.regression, sample.stimuli[-1]
        hidden = answer(brain, up, visible)
        again = stay * visible + (1 - stay) * answer(brain, down, hidden)
        hidden_again = stay * hidden + (1 - stay) * answer(brain, up, again)
        lessons = ((up, again, hidden - hidden_again), (down, hidden, visible - again))
        direction = jax.tree.map(jnp.zeros_like, trainable(brain))
        for i, (p, before, missed) in enumerate(lessons):
            pre, post = p.wiring.ends(before, missed)
            change = jax.linear_transpose(p.wiring.spread, p.weight)(-pre * post)[0]
            place = lambda net, i=i: net.projections[i].weight  # noqa: E731
            direction = eqx.tree_at(place, direction, change)
            if p.target in biased(direction):
                direction = set_bias(direction, p.target, -missed)
        return direction, None

    def remember(self, state: None, notes: None) -> None:
        del notes


def _problem(network: Network) -> str | None:
    checks = (settling_problem, memoryless_problem, chain_problem)
    if problem := next((p for check in checks if (p := check(network))), None):
        return problem
    sizes = [
        network.projections[0].wiring.shape[1],
        *(p.wiring.shape[0] for p in network.projections),
    ]
    if len(sizes) == 3 and sizes[0] == sizes[-1]:
        return None
    return (
        f"sends activity from visible cells to hidden ones and back, which takes layers of sizes "
        f"[visible, hidden, visible], but got {sizes}. Build it with "
        f"`autoencoder({sizes[0]}, {max(sizes[0] // 2, 1)}, key=key)`."
    )
