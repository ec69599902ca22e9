"""Whether anything that comes in can ever come out of a network, and lives in which it must.

What grows may fail to join its senses to its voices: Cangelosi, Parisi & Nolfi (1994), Network
5:497, count only such functional networks.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, PRNGKeyArray

from .heredity import Life
from .network import Network


def reaches(network: Network) -> Bool[Array, ""]:
    """Whether some sense is joined to some voice, over connections that exist, in any time."""
    sizes = {name: p.size for name, p in network.populations.items()}
    start = {n: jnp.full(size, float(n in network.senses)) for n, size in sizes.items()}

    def spread(reached: dict[str, Array]) -> dict[str, Array]:
        reached = dict(reached)
        for p in network.projections:
            heard = p.wiring.drive(p.wiring.fill(1.0), reached[p.source]) > 0
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
        alive = {p.name: int(jnp.sum(p.wiring.fill(1.0) > 0)) for p in network.projections}
        raise ValueError(
            f"No path leads from the senses {network.senses} to the voices {network.voices}; "
            f"connections: {alive}. Its answers could depend on nothing, so it is unfit. Let axons "
            "reach farther (`Development(..., axon=0.6)`), lower `threshold`, or evolve with "
            "`Reaching(fitness)`, to which such networks are worth nothing."
        )


class Reaching(eqx.Module):
    """A fitness in which networks without a path from senses to voices are unfit (NaN).

    `evolve` ranks them last and counts them in its curve "broken".
    """

    fitness: Callable[..., Any]

    def __call__(self, developed: Network, *, key: PRNGKeyArray) -> Life:
        found = self.fitness(developed, key=key)
        found = found if isinstance(found, Life) else Life(found)
        told = jnp.where(reaches(developed), found.fitness, jnp.nan)
        return Life(told, found.learned, found.steps, found.behaviour)
