"""Spaces of gymnax and Gymnasium, which share their words, as ours and back."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..behaviour import Box, Discrete, Space

FLAT = "gymnasium.wrappers.FlattenObservation(environment) makes one box of them"


def space_of(theirs: Any, name: str, what: str) -> Space:
    """Our space for theirs: `what` is "observation" or "action".

    A box of ours has the same bounds everywhere: what is seen lies between the least and the
    greatest of theirs; actions go from -1 to 1 where theirs differ, and `as_theirs` stretches them.
    Raises `ValueError` for all but numbered things and boxes, and for actions in whole numbers.
    """
    kind = type(theirs).__name__
    if kind == "Discrete":
        return Discrete(int(theirs.n))
    whole = kind == "Box" and not jnp.issubdtype(theirs.dtype, np.floating)
    if kind != "Box" or (whole and what == "action"):
        found = f"a box of {np.dtype(theirs.dtype).name}" if kind == "Box" else kind
        mend = "choose one, and give it by a wrapper" if what == "action" else FLAT
        raise ValueError(
            f"{name} has {found} for an {what}, expected one numbered thing (Discrete) or an array "
            f"of floats (Box): agents here know no others. Wrap it first: {mend}."
        )
    shape = tuple(theirs.shape)
    low, high = (np.broadcast_to(np.asarray(x, float), shape) for x in (theirs.low, theirs.high))
    least, most = float(low.min()), float(high.max())
    if what == "action" and not _even(low, high):
        return Box(shape, -1.0, 1.0)
    return Box(shape, least, most) if least < most else Box(shape)


def as_theirs(theirs: Any, action: Array) -> Array:
    """Their action for ours."""
    if type(theirs).__name__ == "Discrete":
        return action + jnp.int32(getattr(theirs, "start", 0))
    low, high = (np.broadcast_to(np.asarray(x), theirs.shape) for x in (theirs.low, theirs.high))
    if _even(low, high):
        return action
    return jnp.float32(low) + (action + 1) / 2 * jnp.float32(high - low)


def _even(low: np.ndarray, high: np.ndarray) -> bool:
    """All numbers have the same bounds, or some have none, so that nothing can be stretched."""
    same = bool((low == low.flat[0]).all() and (high == high.flat[0]).all())
    return same or not np.isfinite([low, high]).all()
