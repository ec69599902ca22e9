"""A graph of NEAT's with its size and its kinds of cells, but joined at random: a control.

Gaier & Ha (2019), NeurIPS 32, arXiv:1906.04358, ask what a topology is worth.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from .marks import NOTHING, mark
from .neat_genes import NeatGenes, empty


def rewired(genes: NeatGenes, inputs: int, outputs: int, *, key: PRNGKeyArray) -> NeatGenes:
    """As many hidden cells of the same kinds and as many enabled connections of weight 1.

    Connections join random pairs, each pair that closes no loop being equally likely (hidden cells
    hear those before them); there are fewer where cells have no more pairs. Nothing else is kept.
    """
    at_kind, at_pair = jax.random.split(key)
    hidden, room = genes.cells.shape[0], genes.weight.shape[0]
    first = inputs + 1 + outputs  # places of inputs, bias and outputs come before hidden cells
    inner = range(first, first + hidden)
    pairs = np.array([
        (s, t)
        for s in (*range(inputs + 1), *inner)
        for t in (*range(inputs + 1, first), *inner)
        if t < first or s < t
    ])  # fmt: skip
    names = jnp.concatenate([jnp.arange(first, dtype=jnp.int32), genes.cells])
    source, target = names[pairs[:, 0]], names[pairs[:, 1]]
    possible = (source != NOTHING) & (target != NOTHING)
    luck = jnp.where(possible, jax.random.uniform(at_pair, (len(pairs),)), 2.0)
    drawn = jnp.argsort(luck)[:room]
    count = jnp.sum((genes.exists & genes.enabled).astype(jnp.int32))
    there = jnp.zeros(room, bool).at[: len(drawn)].set(possible[drawn])
    there = there & (jnp.arange(room) < count)
    source, target = (
        jnp.full(room, NOTHING, jnp.int32).at[: len(drawn)].set(x[drawn]) for x in (source, target)
    )
    marks = jnp.where(there, mark(source, target, 0), NOTHING)
    order = jnp.argsort(marks)
    ends = [jnp.where(there, x, NOTHING)[order] for x in (source, target)]
    shuffled = jnp.argsort(jnp.where(genes.alive, jax.random.uniform(at_kind, (hidden,)), 2.0))
    kind = jnp.where(genes.alive, genes.kind[shuffled], 0)
    there = there[order]
    return NeatGenes(
        genes.cells, kind, marks[order], *ends, there.astype(jnp.float32), there,
        empty(hidden, room).refused,
    )  # fmt: skip
