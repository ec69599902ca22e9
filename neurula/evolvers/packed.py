"""The genes of a crowd in few arrays, one for each type of number.

Whatever is done array by array (choose, copy, compare) is compiled array by array; genes may have
many small ones.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Shaped


def pack(
    genes: Any,
) -> tuple[list[Shaped[Array, "genome number"]], Callable[[list[Array]], Any]]:
    """Stacked genes as arrays (genome, number), and how such arrays become genes again.

    The way back takes any leading axes, or none.
    """
    leaves, tree = jax.tree.flatten(genes)
    kinds = list(dict.fromkeys(leaf.dtype for leaf in leaves))
    shapes = [leaf.shape[1:] for leaf in leaves]
    sizes = [int(np.prod(shape)) for shape in shapes]
    groups = [[i for i, leaf in enumerate(leaves) if leaf.dtype == kind] for kind in kinds]
    flat = [leaf.reshape(leaf.shape[0], -1) for leaf in leaves]
    packed = [jnp.concatenate([flat[i] for i in group], axis=1) for group in groups]

    def unpack(packed: list[Array]) -> Any:
        found: list[Any] = [None] * len(leaves)
        for group, values in zip(groups, packed, strict=True):
            ends = np.cumsum([sizes[i] for i in group])
            for i, end in zip(group, ends, strict=True):
                part = values[..., end - sizes[i] : end]
                found[i] = part.reshape(*values.shape[:-1], *shapes[i])
        return jax.tree.unflatten(tree, found)

    return packed, unpack


def choose(which: Bool[Array, " genome"], one: Any, other: Any) -> Any:
    """Stacked genes, one's or the other's, genome by genome."""
    shape = lambda x: which.reshape(-1, *[1] * (x.ndim - 1))  # noqa: E731
    return jax.tree.map(lambda a, b: jnp.where(shape(a), a, b), one, other)
