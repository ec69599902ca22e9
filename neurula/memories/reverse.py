"""Replay backwards: from the end of an episode to its beginning, as rats' hippocampus does.

Lin (1992), Mach. Learn. 8:293; Foster & Wilson (2006), Nature 440:680.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .replay import AbstractSampler, Remembered, between


class Ends(eqx.Module):
    """Numbers of the transitions that ended episodes, in a ring, and where replay has come to."""

    numbers: Int[Array, " place"]
    first: Int[Array, ""]  # of the ends ever seen, the first that is still remembered
    count: Int[Array, ""]  # of the ends ever seen
    next: Int[Array, ""]  # number of the transition to be replayed next; -1: a new episode


class Reverse(AbstractSampler[Ends]):
    """Backwards through a remembered episode, then through another, each equally likely.

    A batch goes on where the last one stopped, and stops at the beginning of an episode: what is
    missing then has weight 0. So single transitions (batches of one) are replayed in exactly the
    reverse order. Until an episode has ended, replay starts at the newest transition.
    """

    def init(self, capacity: int) -> Ends:
        none = jnp.zeros((), jnp.int32)
        return Ends(jnp.zeros(capacity, jnp.int32), none, none, none - 1)

    def added(self, memory: Remembered, ended: Bool[Array, ""]) -> Ends:
        ends, capacity = memory.kept, memory.capacity
        place = ends.count % capacity
        new = jnp.where(ended, memory.count - 1, ends.numbers[place])
        numbers = jax.lax.dynamic_update_index_in_dim(ends.numbers, new, place, 0)
        count = ends.count + ended.astype(jnp.int32)
        gone = (ends.first < count) & (numbers[ends.first % capacity] < memory.oldest)
        gone |= count - ends.first > capacity  # its place in the ring was just taken
        return Ends(numbers, ends.first + gone.astype(jnp.int32), count, ends.next)

    def draw(
        self, memory: Remembered, size: int, *, key: PRNGKeyArray
    ) -> tuple[Ends, Int[Array, " batch"], Float[Array, " batch"]]:
        ends, capacity = memory.kept, memory.capacity
        chosen = between(ends.first, jnp.maximum(ends.count, 1), (), key=key)
        newest = jnp.maximum(memory.count - 1, 0)
        anew = jnp.where(ends.count > ends.first, ends.numbers[chosen % capacity], newest)
        start = jnp.where(ends.next >= memory.oldest, ends.next, anew)
        numbers = start - jnp.arange(size + 1, dtype=jnp.int32)
        ended = memory.items.ended[numbers % capacity].at[0].set(False)
        there = (jnp.cumsum(ended.astype(jnp.int32)) == 0) & (numbers >= memory.oldest)
        there &= memory.count > 0
        goes_on = jnp.where(there[size], numbers[size], -1)
        ends = Ends(ends.numbers, ends.first, ends.count, goes_on)
        numbers = jnp.maximum(numbers[:size], memory.oldest)
        return ends, numbers, there[:size].astype(jnp.float32)
