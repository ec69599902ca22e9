"""Whether anything that comes in can ever come out of a network.

What grows may fail to join its senses to its voices: Cangelosi, Parisi & Nolfi (1994), Network
5:497, count only such functional networks.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from .network import Network


def reaches(network: Network) -> Bool[Array, ""]:
    """Whether some way leads from a sense to a voice, over weights that are not 0, in any time."""
    sizes = {name: p.size for name, p in network.populations.items()}
    start = {n: jnp.full(size, float(n in network.senses)) for n, size in sizes.items()}

    def spread(reached: dict[str, Array]) -> dict[str, Array]:
        reached = dict(reached)
        for p in network.projections:
            heard = p.wiring.drive(jnp.abs(p.weight), reached[p.source]) > 0
            reached[p.target] = jnp.maximum(reached[p.target], heard.astype(jnp.float32))
        return reached

    total = lambda reached: sum(jnp.sum(x) for x in reached.values())  # noqa: E731

    def more(carry: tuple) -> tuple:
        reached, _ = carry
        further = spread(reached)
        return further, total(further) > total(reached)

    end, _ = jax.lax.while_loop(lambda carry: carry[1], more, (start, jnp.ones((), bool)))
    return jnp.max(jnp.stack([jnp.max(end[name]) for name in network.voices])) > 0


def require_path(network: Network) -> None:
    """Refuse a network in which nothing that comes in can come out."""
    if not bool(reaches(network)):
        alive = {p.name: int(jnp.sum(p.weight != 0)) for p in network.projections}
        raise ValueError(
            f"No path leads from the senses {network.senses} to the voices {network.voices}; "
            f"connections: {alive}. Its answers could depend on nothing, so it is unfit. Let axons "
            "reach farther (`Development(..., axon=0.6)`), lower `threshold`, or evolve with "
            "`Connected(life)`, to which such networks are worth nothing."
        )
