"""Follow the gradient of what a network says once it has settled.

Almeida (1987), IEEE First Int. Conf. Neural Networks 2:609; Pineda (1987), Phys. Rev. Lett.
59:2229.
"""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Error, Sample
from ..network import Network, Projection
from ..symmetric import images
from .detour import demand_network
from .gradient import AbstractGradientRule
from .refusals import settling_problem
from .relaxation import Relaxed, lasting, settle


class RecurrentBackprop(AbstractGradientRule[Relaxed]):
    """What equilibrium propagation estimates: the control for every rule that relaxes.

    d error(outputs after `steps` steps) / d weights, backwards through all of these steps, which
    is the gradient at the fixed point once they are enough. `symmetric` gives each of two mirrored
    weights the gradient of the one they stand for, so that they stay equal.
    """

    steps: int = 40
    symmetric: bool = True
    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Network, *, key: PRNGKeyArray) -> Relaxed:
        demand_network(self, brain, settling_problem)
        return Relaxed(jnp.zeros(()), jnp.zeros(()))

    def surrogate(
        self, state: Relaxed, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Relaxed]:
        brain = tie(brain) if self.symmetric else brain
        end = settle(brain, sample.stimuli[-1], steps=self.steps)
        value = error(lasting(end.outputs, sample), sample)
        return value, jax.lax.stop_gradient(Relaxed(end.residual, end.steps))

    def remember(self, state: Relaxed, notes: Relaxed) -> Relaxed:
        return notes


def tie(network: Network) -> Network:
    """The same network, in which the gradient of a weight counts its mirror image, too."""
    seen = images(network)

    def tied(p: Projection) -> Projection:
        if p.name not in seen:
            return p
        image = seen[p.name] - jax.lax.stop_gradient(seen[p.name])
        return eqx.tree_at(lambda p: p.weight, p, p.weight + image)

    return network.edit(tied)
