"""A memory of what every action in every state last led to: a model of a world without chance.

Sutton (1991), SIGART Bull. 2:160.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..behaviour import Transition


class Remembered(eqx.Module):
    """The last outcome of each pair of state and action, and the pairs in order of first sight."""

    reward: Float[Array, "state action"]
    next_state: Int[Array, "state action"]
    ended: Bool[Array, "state action"]
    seen: Bool[Array, "state action"]
    order: Int[Array, " pair"]  # state * actions + action; the first `known` are filled
    known: Int[Array, ""]


def nothing_remembered(states: int, actions: int) -> Remembered:
    """A memory before any experience."""
    table, pairs = (states, actions), states * actions
    no = jnp.zeros(table, bool)
    numbers = jnp.zeros(table, jnp.int32), jnp.zeros(pairs, jnp.int32), jnp.zeros((), jnp.int32)
    return Remembered(jnp.zeros(table), numbers[0], no, no, numbers[1], numbers[2])


def remember(memory: Remembered, t: Transition) -> Remembered:
    """Take in one transition; what the pair led to before is forgotten."""
    here = (t.observation, t.action)
    actions = memory.reward.shape[1]
    pair = (t.observation * actions + t.action).astype(jnp.int32)
    fresh = ~memory.seen[here]
    # A pair that is known already is written to where it will be overwritten or never read.
    place = jnp.where(fresh, memory.known, memory.order.size)
    return Remembered(
        memory.reward.at[here].set(t.reward),
        memory.next_state.at[here].set(t.next_observation),
        memory.ended.at[here].set(t.terminated),
        memory.seen.at[here].set(True),
        memory.order.at[place].set(pair, mode="drop"),
        memory.known + fresh.astype(jnp.int32),
    )


def recall(
    memory: Remembered, number: int, *, key: PRNGKeyArray
) -> tuple[Int[Array, " recalled"], Int[Array, " recalled"]]:
    """States and actions of `number` pairs, drawn uniformly from those known."""
    drawn = jax.random.randint(key, (number,), 0, jnp.maximum(memory.known, 1))
    pairs = memory.order[drawn]
    actions = memory.reward.shape[1]
    return pairs // actions, pairs % actions
