"""Long walks, quickly: all chance is drawn at once, and only the steps themselves are a loop."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .agents.forager import Forager
from .environments.arena import Arena, Whereabouts


@eqx.filter_jit
def wander(
    arena: Arena, *, seconds: float, forager: Forager | None = None, key: PRNGKeyArray
) -> tuple[Float[Array, " time"], Whereabouts]:
    """Where a forager is at times 0, dt, ... (s) for `seconds`, from a random place.

    The same process as `act(Forager(), arena)`, without its bookkeeping; `jax.vmap` over keys
    gives many animals. Raises `ValueError` for less than one step.
    """
    if not (isinstance(arena, Arena) and arena.dt <= seconds < np.inf):
        raise ValueError(
            f"Expected an Arena and at least one of its steps, got a {type(arena).__name__} and "
            f"{seconds=}: there would be no path. Write wander(Arena(), seconds=60.0, key=key)."
        )
    forager = Forager() if forager is None else forager
    at_place, at_hidden, at_life = jax.random.split(key, 3)
    start, _ = arena.reset(key=at_place)
    count = round(seconds / arena.dt)
    noise = jax.random.normal(at_life, (count, 2))

    def one(carry: Array, noise: Array) -> tuple[Array, Array]:
        state, hidden = carry[:6], carry[6:]
        hidden, velocity = forager.walk(arena, hidden, state, noise)
        after = arena.move(state, velocity)
        return jnp.concatenate([after, hidden]), state

    carry = jnp.concatenate([start, jax.random.normal(at_hidden, (2,))])
    _, states = jax.lax.scan(one, carry, noise)
    return jnp.arange(count, dtype=jnp.float32) * arena.dt, arena.read(states)
