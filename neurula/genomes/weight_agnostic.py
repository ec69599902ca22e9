"""Wiring that has to work by itself, whatever the weight that all connections share.

Gaier & Ha (2019), NeurIPS 32, arXiv:1906.04358 (weight-agnostic neural networks).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..allowed import require_between, require_kind
from ..heredity import AbstractGenome
from ..network import Network
from .neat import Neat
from .neat_genes import NeatGenes


class WeightAgnostic(AbstractGenome[NeatGenes]):
    """A graph as NEAT evolves it, in which every connection that is enabled has the weight 1.

    What is inherited is who is joined to whom and which non-linearity each cell has. Biases are
    connections, so they share the weight. `SharedWeights` lives with several of them. Rates of
    mutation and room are those of `graph`; its weights never count. At birth a share `born` of the
    connections is enabled, each by chance.
    """

    graph: Neat
    born: float = eqx.field(default=0.5, kw_only=True)

    def __check_init__(self):
        require_kind(self, "graph", Neat, "WeightAgnostic(Neat(4, 1))")
        require_between(self, "born", 0.0, 1.0)

    def sample(self, *, key: PRNGKeyArray) -> NeatGenes:
        to_draw, to_enable = jax.random.split(key)
        genes = self.graph.sample(key=to_draw)
        there = jax.random.bernoulli(to_enable, self.born, genes.enabled.shape) & genes.enabled
        return _even(eqx.tree_at(lambda g: g.enabled, genes, there))

    def develop(self, genes: NeatGenes, *, key: PRNGKeyArray) -> Network:
        return self.graph.develop(_even(genes), key=key)

    def mutate(self, genes: NeatGenes, *, key: PRNGKeyArray) -> NeatGenes:
        return _even(self.graph.mutate(genes, key=key))

    def cross(self, fitter: NeatGenes, other: NeatGenes, *, key: PRNGKeyArray) -> NeatGenes:
        return _even(self.graph.cross(fitter, other, key=key))

    def distance(self, one: NeatGenes, other: NeatGenes) -> Float[Array, ""]:
        """NEAT's, where a connection that is enabled in one only differs by a weight of 1."""
        on = lambda genes: eqx.tree_at(  # noqa: E731
            lambda g: g.weight, genes, genes.enabled.astype(jnp.float32)
        )
        return self.graph.distance(on(one), on(other))

    def advice(self, genes: NeatGenes) -> tuple[str, ...]:
        """What went wrong for want of room, in plain words."""
        return self.graph.advice(genes)


def _even(genes: NeatGenes) -> NeatGenes:
    return eqx.tree_at(lambda g: g.weight, genes, jnp.where(genes.exists, 1.0, 0.0))
