"""First weights: random, scaled by the number of inputs, of one sign per cell if asked."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int8, PRNGKeyArray

from .contracts import AbstractWiring, Weight


def fan_in(
    wiring: AbstractWiring,
    *,
    key: PRNGKeyArray,
    gain: float | Float[Array, ""] = 1.0,
    sign: Int8[Array, " pre"] | None = None,
) -> Weight:
    """Normal weights with variance gain^2 / (number of inputs of the listening cell).

    With gain 1 a linear cell keeps the variance of its inputs (LeCun et al. 1998). With `sign`,
    the weights of every cell that speaks lie on its side of zero.
    """
    if sign is not None and sign.shape != (wiring.shape[1],):
        raise ValueError(
            f"`sign` holds +1 or -1 for each of the {wiring.shape[1]} cells that speak, but got "
            f"shape {sign.shape}. For one inhibitory cell in five: "
            "`jnp.where(jnp.arange(cells) % 5 == 0, -1, 1).astype(jnp.int8)`."
        )
    return _draw(wiring, gain, sign, key)


@eqx.filter_jit  # one program to compile instead of ten
def _draw(
    wiring: AbstractWiring,
    gain: float | Float[Array, ""],
    sign: Int8[Array, " pre"] | None,
    key: PRNGKeyArray,
) -> Weight:
    place = jax.eval_shape(wiring.fill, 0.0)
    ones = wiring.fill(1.0)
    inputs = wiring.drive(ones, jnp.ones(wiring.shape[1]))
    _, by_target = wiring.ends(jnp.zeros(wiring.shape[1]), inputs)
    scale = gain / jnp.sqrt(jnp.maximum(by_target, 1.0))  # nobody is at an end beyond an edge
    noise = jax.random.normal(key, place.shape)
    if noise.ndim < scale.ndim:  # one weight serves many cells: scale it as for the average one
        if sign is not None:
            raise ValueError(
                f"`sign` gives cells signs, but {type(wiring).__name__} lets cells share weights "
                f"(shape {place.shape}). Give each connection its own: `shared=False`."
            )
        scale = jnp.mean(scale, axis=tuple(range(noise.ndim, scale.ndim))).reshape(-1)
    weight = noise * scale * ones
    if sign is None:
        return weight
    by_source, _ = wiring.ends(sign.astype(weight.dtype), jnp.zeros(wiring.shape[0]))
    return jnp.abs(weight) * by_source
