"""The successor representation of a path: how often each place will be visited, discounted.

Dayan (1993), Neural Comput. 5:613; as a model of the hippocampus: Stachenfeld, Botvinick & Gershman
(2017), Nat. Neurosci. 20:1643.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

Successors = Float[Array, "state state"]  # from a row's state to a column's: a column is a field


def learned_successors(
    path: Int[Array, " time"],
    states: int,
    *,
    discount: float,
    rate: float = 0.1,
    follows: Bool[Array, " time"] | None = None,
    start: Successors | None = None,
) -> Successors:
    """The successor representation learned by TD(0) along a path, one update a step.

        M[s] <- M[s] + rate (1_s + discount M[s'] - M[s])

    It begins at `start`, the identity by default: nothing follows. `follows` says of each step
    whether the next one belongs to it; where an episode ends it does not, and nothing follows.
    """
    follows = jnp.ones(path.shape, bool) if follows is None else follows

    def one(successors: Successors, step: tuple[Array, Array, Array]) -> tuple[Successors, None]:
        here, there, goes_on = step
        future = jnp.where(goes_on, discount, 0.0) * successors[there]
        error = future.at[here].add(1.0) - successors[here]
        return successors.at[here].add(rate * error), None

    start = jnp.eye(states) if start is None else start
    steps = path[:-1], path[1:], follows[:-1]
    return jax.lax.scan(one, start, steps)[0]


def counted_chances(path: Int[Array, " time"], states: int) -> Successors:
    """How often a path goes from each state to each, as shares; who was never left stays."""
    counts = jnp.zeros((states, states)).at[path[:-1], path[1:]].add(1.0)
    total = jnp.sum(counts, axis=1, keepdims=True)
    return jnp.where(total > 0, counts / jnp.maximum(total, 1.0), jnp.eye(states))
