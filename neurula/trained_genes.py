"""Train a genome by descent of the error of what develops from it, through development.

Shuvaev, Lachi, Koulakov & Zador (2024), PNAS 121:e2409160121.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from .contracts import AbstractBlock, AbstractTask, Sample
from .response import respond


def train_genes(
    develop: Callable[[Any], AbstractBlock],
    genes: PyTree,
    task: AbstractTask,
    optimiser: optax.GradientTransformation,
    *,
    steps: int,
    batch: int = 32,
    key: PRNGKeyArray,
) -> PyTree:
    """Genes after `steps` updates with `batch` training examples each.

    `develop(genes)` grows a block without chance and passes gradients: that of a genome, or any
    code that is decoded. What develops lives for one example at a time and learns nothing itself.
    The same key draws the same examples, whatever the genes. Pure: wrap it in `eqx.filter_jit`.
    """

    def error(genes: PyTree, samples: Sample) -> Float[Array, ""]:
        brain = develop(genes)
        one = lambda s: task.error(respond(brain, s.stimuli), s)  # noqa: E731
        return jnp.mean(jax.vmap(one)(samples))

    def update(carry: tuple, step: Array) -> tuple[tuple, None]:
        genes, memory = carry
        keys = jax.random.split(jax.random.fold_in(key, step), batch)
        samples = jax.vmap(lambda k: task.sample("train", key=k))(keys)
        slope = jax.grad(error)(genes, samples)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
            change, memory = optimiser.update(slope, memory, genes)
            return (optax.apply_updates(genes, change), memory), None

    carry, _ = jax.lax.scan(update, (genes, optimiser.init(genes)), jnp.arange(steps))
    return carry[0]
