"""Cells in the plane that divide, crawl and push each other, in arrays with room for all to come.

Astor & Adami (2000), Artif. Life 6:189; soft round cells as in Drasdo & Hoehme (2005), Phys. Biol.
2:133, their overlap taken back directly.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .morphogens import Amplitudes


class Tissue(eqx.Module):
    """Cells number 0 to `capacity` - 1 in the order of birth; those to come are not `alive`.

    `parent` is the mother's number (a founder's is its own) and `born` the step of birth, 0 for
    founders. Places lie in the unit square.
    """

    places: Float[Array, "cell 2"]
    state: Float[Array, "cell state"]
    alive: Bool[Array, " cell"]
    parent: Int[Array, " cell"]
    born: Int[Array, " cell"]
    secreted: Amplitudes


def divide(
    tissue: Tissue,
    wish: Bool[Array, " cell"],
    half: Float[Array, "cell 2"],
    asymmetry: Float[Array, "cell state"],
    step: Int[Array, ""],
) -> Tissue:
    """Every cell that wishes becomes two, as long as there is room, first born first.

    The mother goes `half` back and the daughter `half` ahead; the daughter's state is the mother's
    plus `asymmetry`, and the mother's becomes less by as much.
    """
    number = jnp.arange(len(wish), dtype=jnp.int32)
    living = jnp.sum(tissue.alive.astype(jnp.int32))
    turn = jnp.cumsum((wish & tissue.alive).astype(jnp.int32))  # 1 for the first that divides
    wanted = number - living + 1  # which turn fills this place
    new = (wanted >= 1) & (wanted <= turn[-1])
    mother = jnp.where(new, jnp.argmax(turn[None, :] == wanted[:, None], axis=1), number)
    divides = wish & tissue.alive & (turn <= len(wish) - living)
    shift = jnp.where(divides, 1.0, 0.0)[:, None]
    back, less = tissue.places - shift * half, tissue.state - shift * asymmetry
    ahead, more = tissue.places + shift * half, tissue.state + shift * asymmetry
    return Tissue(
        jnp.where(new[:, None], ahead[mother], back),
        jnp.where(new[:, None], more[mother], less),
        tissue.alive | new,
        jnp.where(new, mother.astype(jnp.int32), tissue.parent),
        jnp.where(new, step.astype(jnp.int32), tissue.born),
        tissue.secreted,
    )


def crawl(
    places: Float[Array, "cell 2"], pull: Float[Array, "cell 2"], farthest: float
) -> Float[Array, "cell 2"]:
    """One step along `pull`, farthest * tanh(|pull|) long."""
    length = jnp.linalg.norm(pull, axis=1, keepdims=True)
    return places + farthest * jnp.tanh(length) * pull / jnp.maximum(length, 1e-9)


def push(
    places: Float[Array, "cell 2"], alive: Bool[Array, " cell"], radius: float, times: int
) -> Float[Array, "cell 2"]:
    """Cells that overlap part, both by half of the overlap, `times` over; walls hold them."""
    both = alive[:, None] & alive[None, :]

    def once(places: Array, _: None) -> tuple[Array, None]:
        x, y = places[:, 0], places[:, 1]
        dx, dy = x[:, None] - x[None, :], y[:, None] - y[None, :]
        distance = jnp.sqrt(jnp.maximum(dx**2 + dy**2, 1e-12))
        share = jnp.where(both, jnp.maximum(2 * radius / distance - 1, 0.0) / 2, 0.0)
        share = jnp.minimum(share, radius / distance)  # a small step for two in one place
        moved = places + 0.7 * jnp.stack([jnp.sum(share * dx, 1), jnp.sum(share * dy, 1)], axis=1)
        return jnp.clip(moved, radius, 1 - radius), None

    return jax.lax.scan(once, places, None, length=times)[0]
