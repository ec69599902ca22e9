"""A strategy that diverges keeps its last finite state, and counts how often.

The practice of Hansen (2023), pycma: a run that leaves the numbers a computer can hold is told so
instead of going on with NaN.
"""

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

State = TypeVar("State")


def none_refused() -> Int[Array, ""]:
    """The count with which every strategy begins."""
    return jnp.zeros((), jnp.int32)


def last_finite(new: State, old: State) -> State:
    """The new state, unless a number that was finite is so no more: then the old one, counted.

    Both hold the count as the field `refused`, an integer without dimensions.
    """
    there, then = (jax.tree.leaves(eqx.filter(x, eqx.is_inexact_array)) for x in (new, old))
    fine = [jnp.all(jnp.isfinite(a) | ~jnp.isfinite(b)) for a, b in zip(there, then, strict=True)]
    good = jnp.all(jnp.stack(fine))
    pick = lambda new, old: jnp.where(good, new, old) if eqx.is_array(new) else new  # noqa: E731
    kept = jax.tree.map(pick, new, old)
    refused = old.refused + jnp.where(good, 0, 1).astype(jnp.int32)  # ty: ignore
    return eqx.tree_at(lambda state: state.refused, kept, refused)
