"""What every block promises; `neurula.testing` exports it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from .contracts import AbstractBlock
from .network import trainable

STEPS, BATCH = 12, 3


def check_block(block: AbstractBlock) -> None:
    """Finite, same for the same stimuli, a state of one shape, in batches, learnable by gradient.

    Ports add up to the vectors that come and go, and a step of gradient descent lowers the error.
    """
    enter, leave = sum(block.inputs.values()), sum(block.outputs.values())
    at_stimuli, at_life, at_answers = jax.random.split(jax.random.key(0), 3)
    stimuli = jax.random.normal(at_stimuli, (BATCH, STEPS, enter))
    answers = jax.random.normal(at_answers, (BATCH, STEPS, leave))
    start = jax.eval_shape(lambda: block.init(key=at_life))
    after, said = eqx.filter_eval_shape(block.step, start, stimuli[0, 0])
    shapes = lambda tree: [(x.shape, x.dtype) for x in jax.tree.leaves(tree)]  # noqa: E731
    same = jax.tree.structure(start) == jax.tree.structure(after)
    assert same, "a step leaves the state's structure"
    assert shapes(start) == shapes(after), "a step leaves the shapes and types of the state"
    assert said.shape == (leave,), f"outputs have shape {said.shape}, ports promise {(leave,)}"
    first, alone, slope, (before, lower) = _lived(block, stimuli, answers, at_life)
    again = _lived(block, stimuli, answers, at_life)[0]
    assert np.isfinite(first).all(), "outputs are finite"
    assert np.array_equal(first, again), "the same stimuli and key, the same outputs"
    assert np.allclose(first[1], alone, atol=1e-5), "a batch is its examples one by one"
    leaves = [np.asarray(x) for x in jax.tree.leaves(slope)]
    assert all(np.isfinite(x).all() for x in leaves), "gradients are finite"
    assert any(x.any() for x in leaves), "the error depends on something that learns"
    assert lower < before, "a step down the gradient lowers the error"


@eqx.filter_jit  # one program: most of the time goes into compiling
def _lived(block: AbstractBlock, stimuli: Array, answers: Array, key: Array) -> tuple:
    """Outputs, those of one example alone, the gradient, and errors before and after a step."""

    def play(block: AbstractBlock, stimuli: Array) -> Array:
        step = lambda state, now: block.step(state, now)  # noqa: E731
        return jax.lax.scan(step, block.init(key=key), stimuli)[1]

    weights = trainable(block)

    def error(weights) -> Array:
        whole = eqx.combine(weights, block)
        played = jax.vmap(lambda x: play(whole, x))(stimuli)
        return optax.squared_error(played, answers).mean()

    before, slope = jax.value_and_grad(error)(weights)
    size = jnp.sqrt(sum(jnp.sum(x**2) for x in jax.tree.leaves(slope)))
    moved = jax.tree.map(lambda w, g: w - 1e-3 * g / (size + 1e-12), weights, slope)
    batch = jax.vmap(lambda x: play(block, x))
    return batch(stimuli), play(block, stimuli[1]), slope, (before, error(moved))
