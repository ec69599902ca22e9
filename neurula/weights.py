"""First weights: random, scaled by the number of inputs, of one sign per cell if asked."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int8, PRNGKeyArray

from .contracts import AbstractWiring, Weight


def fan_in(
    wiring: AbstractWiring,
    *,
    key: PRNGKeyArray,
    gain: float = 1.0,
    sign: Int8[Array, " pre"] | None = None,
) -> Weight:
    """Normal weights with variance gain^2 / (number of inputs of the listening cell).

    With gain 1 a linear cell keeps the variance of its inputs (LeCun et al. 1998). With `sign`,
    the weights of every cell that speaks lie on its side of zero.
    """
    place = jax.eval_shape(wiring.fill, 0.0)
    ones = wiring.fill(1.0)
    inputs = wiring.drive(ones, jnp.ones(wiring.shape[1]))
    _, by_target = wiring.ends(jnp.zeros(wiring.shape[1]), jnp.maximum(inputs, 1.0))
    scale = gain / jnp.sqrt(by_target)
    noise = jax.random.normal(key, place.shape)
    if noise.ndim < scale.ndim:  # one weight serves many cells: scale it as for the average one
        scale = jnp.mean(scale, axis=tuple(range(noise.ndim, scale.ndim))).reshape(-1)
    weight = noise * scale * ones
    if sign is None:
        return weight
    by_source, _ = wiring.ends(sign.astype(weight.dtype), jnp.zeros(wiring.shape[0]))
    return jnp.abs(weight) * by_source
