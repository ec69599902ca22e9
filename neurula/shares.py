"""Shares of right answers, taken as floats."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def share(right: Bool[Array, "*any"], axis: int | None = None) -> Float[Array, "*rest"]:
    """The share of right answers, along an axis or of all.

    As floats: jax 0.10.1 on a CPU loses some of them when it takes the mean of booleans, mapped and
    reshaped, over an axis in the middle.
    """
    return jnp.mean(right.astype(jnp.float32), axis)
