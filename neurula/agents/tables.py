"""What agents with tables share: the table of values, its step sizes, and its refusals.

Robbins & Monro (1951), Ann. Math. Stat. 22:400 (step sizes that fall).
"""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..behaviour import AbstractAgent, AbstractEnvironment, Discrete
from ..free_memory import afford
from .exploration import AbstractExploration

Scalar = float | Float[Array, ""]


class Values(eqx.Module):
    """What every action in every state is worth, and how often each value was changed."""

    q: Float[Array, "state action"]
    visits: Float[Array, "state action"]


def no_values(states: int, actions: int, initial: Scalar = 0.0) -> Values:
    """A table before any experience."""
    return Values(jnp.zeros((states, actions)) + initial, jnp.zeros((states, actions)))


def toward(
    values: Values, state: Array, action: Array, target: Array, rate: Scalar, decay: Scalar
) -> Values:
    """Move one value towards a target, by rate / (number of changes)^decay of the way."""
    visits = values.visits.at[state, action].add(1.0)
    step = rate * visits[state, action] ** -decay
    error = target - values.q[state, action]
    return Values(values.q.at[state, action].add(step * error), visits)


def future(values: Float[Array, "state action"], state: Array, ended: Array) -> Float[Array, ""]:
    """What the best action in a state is worth; nothing after the end."""
    return jnp.where(ended, 0.0, jnp.max(values[state]))


def table_size(agent: AbstractAgent, environment: AbstractEnvironment) -> tuple[int, int]:
    """Numbers of states and actions. Raises `ValueError` where they cannot be counted."""
    seen, done = environment.observations, environment.actions
    if isinstance(seen, Discrete) and isinstance(done, Discrete):
        return seen.size, done.size
    name, world = type(agent).__name__, type(environment).__name__
    raise ValueError(
        f"{name} keeps one entry per state and action, expected two Discrete spaces, but {world} "
        f"has observations {seen} and actions {done}: no two moments would share an entry. Use an "
        f"agent with a network, or a world like GridWorld: {name}().init(GridWorld('S.G'), key=key)"
    )


def check_settings(agent: Any) -> None:
    """Raises `ValueError` for numbers with which values would run away, `TypeError` for odd parts.

    A discount of 1 would make sums over the future endless.
    """
    name, discount = type(agent).__name__, agent.discount
    if isinstance(discount, float | int) and not 0 < discount < 1:
        raise ValueError(
            f"A discount lies between 0 and 1, got {discount}: sums over an endless future would "
            f"not end, and at 0 there is no future. Use {name}(discount=0.95)."
        )
    for rate in ("rate", "reward_rate"):
        found = getattr(agent, rate, 0.0)
        if isinstance(found, float | int) and not 0 <= found <= 1:
            raise ValueError(
                f"A rate is the share of an error that is undone, from 0 to 1, got {rate}={found}: "
                f"values would run away. Use for example {name}({rate}=0.1)."
            )
    if not isinstance(agent.exploration, AbstractExploration):
        raise TypeError(
            f"{name} explores by an AbstractExploration, got {agent.exploration!r}: it gives no "
            f"chances of actions. Use {name}(exploration=EpsilonGreedy(0.1))."
        )


def afford_table(agent: AbstractAgent, *sizes: int) -> None:
    """Raises `MemoryError` for a table of so many numbers that this computer cannot hold."""
    afford(
        4 * math.prod(sizes),
        f"The {' x '.join(f'{size:,}' for size in sizes)} numbers of {type(agent).__name__}",
        "it keeps one for each, from the start",
        "Use a world with fewer states, or an agent with a network, such as DQN().",
    )
