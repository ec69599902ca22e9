"""How answers are marked; `sample.counts` says how much each time step weighs."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import Sample

Outputs = Float[Array, "time out"]
Mark = Float[Array, ""]


def cross_entropy(outputs: Outputs, sample: Sample) -> Mark:
    """Softmax cross-entropy with the target, in nats: chance is log(number of classes)."""
    return _average(-jnp.sum(_target(sample) * jax.nn.log_softmax(outputs), axis=-1), sample)


def accuracy(outputs: Outputs, sample: Sample) -> Mark:
    """Share of time steps, 0 to 1, in which the largest output is the right one."""
    right = jnp.argmax(outputs, axis=-1) == jnp.argmax(_target(sample), axis=-1)
    return _average(right.astype(outputs.dtype), sample)


def last_accuracy(outputs: Outputs, sample: Sample) -> Mark:
    """1 if the largest output of the last time step is the right one, otherwise 0."""
    return (jnp.argmax(outputs[-1]) == jnp.argmax(_target(sample)[-1])).astype(outputs.dtype)


def squared_error(outputs: Outputs, sample: Sample) -> Mark:
    """Squared difference from the target, averaged over its numbers."""
    return _average(jnp.mean((outputs - _target(sample)) ** 2, axis=-1), sample)


def _target(sample: Sample) -> Outputs:
    if sample.target is None:
        raise ValueError(
            "Marking compares outputs with a target, and this sample has none. Without a right "
            "answer there is no error. Give it one: Sample(stimuli, target)."
        )
    return sample.target


def _average(marks: Float[Array, " time"], sample: Sample) -> Mark:
    if sample.counts is None:
        return jnp.mean(marks)
    return jnp.sum(sample.counts * marks) / jnp.sum(sample.counts)
