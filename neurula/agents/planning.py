"""Exact answers from the matrices of a finite world: values, policies, successors.

Bellman (1957), Dynamic Programming, Princeton; the successor representation: Dayan (1993), Neural
Comput. 5:613.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..allowed import require_discount
from ..environments.finite import Transitions

Policy = Float[Array, "state action"]  # how likely each action is taken in each state
Chain = Float[Array, "state next_state"]


def policy_chain(world: Transitions, policy: Policy) -> Chain:
    """From where to where one goes under a policy; rows of terminal states are zero."""
    return jnp.einsum("sa,sat->st", policy, world.probability)


def successor_matrix(chain: Chain, discount: float) -> Chain:
    """Discounted numbers of visits, now included: (I - discount T)^-1 (Dayan 1993).

    Raises `ValueError` for a discount outside 0 to 1. At 1 it is infinite unless all ways end.
    """
    require_discount(discount, "0.95")
    now = jnp.eye(len(chain))
    return jnp.linalg.solve(now - discount * chain, now)


def policy_values(world: Transitions, policy: Policy, discount: float) -> Float[Array, " state"]:
    """What every state is worth under a policy: V = (I - discount T)^-1 R."""
    reward = jnp.sum(policy * world.reward, axis=1)
    return successor_matrix(policy_chain(world, policy), discount) @ reward


def action_values(
    world: Transitions, values: Float[Array, " state"], discount: float
) -> Float[Array, "state action"]:
    """What every action is worth if the states that follow are worth `values`."""
    return world.reward + discount * world.probability @ values


def value_iteration(
    world: Transitions, discount: float, *, tolerance: float = 1e-6, sweeps: int = 10_000
) -> Float[Array, "state action"]:
    """What every action is worth under the best policy.

    Sweeps until no value changes by more than `tolerance`, or `sweeps` times. Raises `ValueError`
    for a discount outside 0 to 1, `TypeError` for a world that is not given as its matrices.
    """
    require_discount(discount, "0.95")
    if not isinstance(world, Transitions):
        raise TypeError(
            f"Values are computed from the matrices of a world, got a {type(world).__name__}. "
            "Write value_iteration(transitions(world), 0.95)."
        )

    def going(carry: tuple[Array, Array, Array]) -> Array:
        return (carry[1] > tolerance) & (carry[2] < sweeps)

    def sweep(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        q = action_values(world, jnp.max(carry[0], axis=1), discount)
        return q, jnp.max(jnp.abs(q - carry[0])), carry[2] + 1

    start = (world.reward, jnp.full((), jnp.inf), jnp.zeros((), jnp.int32))
    return jax.lax.while_loop(going, sweep, start)[0]
