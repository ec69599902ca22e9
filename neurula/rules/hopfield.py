"""Store patterns in a loop so that the network falls back into them.

Hopfield (1982), PNAS 79:2554; Storkey (1997), ICANN; pseudo-inverse: Personnaz, Guyon & Dreyfus
(1985), J. Phys. Lett. 46:359.
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Storage = Literal["hebb", "storkey", "pseudo-inverse"]


def store(
    patterns: Float[Array, "pattern cell"], by: Storage = "hebb"
) -> Float[Array, "cell cell"]:
    """The weights, (post, pre), that hold patterns of +1 and -1; no cell connects to itself.

    "hebb" is what the rule `Hebb` comes to on the patterns, one by one, at a rate of 1 / cells.

    Capacity for random patterns: "hebb" about 0.138 per cell, "pseudo-inverse" up to one per cell,
    also for correlated patterns.
    """
    cells = patterns.shape[1]
    if by == "hebb":
        weight = patterns.T @ patterns / cells
    elif by == "pseudo-inverse":
        weight = patterns.T @ jnp.linalg.pinv(patterns.T)
    elif by == "storkey":
        weight = _storkey(patterns)
    else:
        raise ValueError(
            f"Patterns are stored by 'hebb', 'storkey' or 'pseudo-inverse', but got {by!r}."
        )
    return weight * (1 - jnp.eye(cells))


def _storkey(patterns: Float[Array, "pattern cell"]) -> Float[Array, "cell cell"]:
    cells = patterns.shape[1]

    def add(weight: Array, pattern: Array) -> tuple[Array, None]:
        # h[i, j]: the field at i without the share of cells i and j
        own = jnp.diag(weight) * pattern
        field = (weight @ pattern - own)[:, None] - weight * pattern[None, :]
        field = field + jnp.diag(own)
        outer = pattern[:, None] * pattern[None, :]
        cross = pattern[:, None] * field.T + field * pattern[None, :]
        return weight + (outer - cross) / cells, None

    return jax.lax.scan(add, jnp.zeros((cells, cells)), patterns)[0]
