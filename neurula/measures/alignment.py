"""How far a rule's direction points away from another's, such as backprop's.

Lillicrap, Cownden, Tweed & Akerman (2016), Nat. Commun. 7:13276: below 90 degrees, a step
still lowers the error.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree


def alignment(direction: PyTree, reference: PyTree) -> dict[str, Float[Array, ""]]:
    """The angle between two directions, 0 to 180 degrees, by projection.

    Both have the structure of `trainable(network)`, as `neurula.rules.direction` gives them. Where
    one of them is zero there is no angle: NaN.
    """
    pairs = zip(direction.projections, reference.projections, strict=True)
    return {p.name: angle(p.weight, q.weight) for p, q in pairs}


def angle(a: Float[Array, "..."], b: Float[Array, "..."]) -> Float[Array, ""]:
    """The angle between two arrays as vectors, in degrees.

    Unlike the arc cosine of their product it is exact for small angles too (Kahan 2006).
    """
    a, b = a / jnp.linalg.norm(a.ravel()), b / jnp.linalg.norm(b.ravel())
    apart, together = jnp.linalg.norm((a - b).ravel()), jnp.linalg.norm((a + b).ravel())
    return jnp.rad2deg(2 * jnp.arctan2(apart, together))
