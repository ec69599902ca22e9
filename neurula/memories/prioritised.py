"""Replay of what was surprising, more often than of what was foreseen.

Schaul, Quan, Antonoglou & Silver (2016), ICLR, arXiv:1511.05952 (proportional variant).
"""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .replay import AbstractSampler, Remembered


class Priorities(eqx.Module):
    """A tree of three levels: sums of priorities, so that few are added up for a draw.

    Place ((i * side) + j) * side + k is leaf (i, j, k); 0 where nothing lies.
    """

    leaves: Float[Array, "side side side"]
    twigs: Float[Array, "side side"]  # sums of leaves
    boughs: Float[Array, " side"]  # sums of twigs
    highest: Float[Array, ""]  # priority ever given, hence that of new transitions
    drawn: Int[Array, ""]  # batches

    def path(self, place: Int[Array, "*batch"]) -> tuple[Int[Array, "*batch"], ...]:
        """Where in the tree a place is."""
        side = len(self.boughs)
        return place // side**2, place // side % side, place % side


class Prioritised(AbstractSampler[Priorities]):
    """Probability P(i) = p_i / sum p with p_i = (|error_i| + floor)^alpha.

    What was never replayed has the highest priority ever given. Weights are (n P(i))^-beta, n the
    number of transitions that are there, divided by the largest weight of the batch. `beta` rises
    to 1 within `anneal` batches, or stays. A batch has one draw from each of `size` equal parts of
    the sum. What has no priority is never drawn.
    """

    alpha: float = 0.6
    beta: float = 0.4
    anneal: int | None = eqx.field(static=True, default=None)  # batches
    floor: float = 1e-6  # in the unit of errors

    def init(self, capacity: int) -> Priorities:
        side = next(n for n in itertools.count(1) if n**3 >= capacity)
        leaves, twigs, boughs = (jnp.zeros((side,) * axes) for axes in (3, 2, 1))
        return Priorities(leaves, twigs, boughs, jnp.ones(()), jnp.zeros((), jnp.int32))

    def added(self, memory: Remembered, ended: Bool[Array, ""]) -> Priorities:
        kept = memory.kept
        place = (memory.count - 1) % memory.capacity
        return put(kept, place[None], kept.highest[None])

    def draw(
        self, memory: Remembered, size: int, *, key: PRNGKeyArray
    ) -> tuple[Priorities, Int[Array, " batch"], Float[Array, " batch"]]:
        kept = memory.kept
        total, side = kept.boughs.sum(), len(kept.boughs)
        parts = jnp.arange(size, dtype=jnp.float32) + jax.random.uniform(key, (size,))
        i, rest = fall(jnp.broadcast_to(kept.boughs, (size, side)), parts / size * total)
        j, rest = fall(kept.twigs[i], rest)
        k, _ = fall(kept.leaves[i, j], rest)
        place = (i * side + j) * side + k
        there = jnp.minimum(memory.count, memory.capacity).astype(jnp.float32)
        share = kept.leaves[i, j, k] * there / jnp.where(total > 0, total, 1.0)
        weights = jnp.where(share > 0, jnp.where(share > 0, share, 1.0) ** -self._beta(kept), 0.0)
        weights /= jnp.maximum(weights.max(), jnp.finfo(jnp.float32).tiny)
        number = memory.oldest + (place - memory.oldest) % memory.capacity
        return eqx.tree_at(lambda k: k.drawn, kept, kept.drawn + 1), number, weights

    def judged(
        self, memory: Remembered, numbers: Int[Array, " batch"], errors: Float[Array, " batch"]
    ) -> Priorities:
        given = (jnp.abs(errors) + self.floor) ** self.alpha
        kept = put(memory.kept, numbers % memory.capacity, given)
        highest = jnp.maximum(kept.highest, given.max())
        return eqx.tree_at(lambda k: k.highest, kept, highest)

    def _beta(self, kept: Priorities) -> Float[Array, ""] | float:
        if self.anneal is None:
            return self.beta
        done = jnp.minimum(kept.drawn.astype(jnp.float32) / self.anneal, 1.0)
        return self.beta + (1 - self.beta) * done


def put(
    kept: Priorities, places: Int[Array, " batch"], given: Float[Array, " batch"]
) -> Priorities:
    """Give priorities to places. Sums are added up anew, so that no rounding piles up."""
    i, j, k = kept.path(places)
    leaves = kept.leaves.at[i, j, k].set(given)
    twigs = kept.twigs.at[i, j].set(leaves[i, j].sum(-1))
    boughs = kept.boughs.at[i].set(twigs[i].sum(-1))
    return Priorities(leaves, twigs, boughs, kept.highest, kept.drawn)


def fall(
    priorities: Float[Array, "batch item"], heights: Float[Array, " batch"]
) -> tuple[Int[Array, " batch"], Float[Array, " batch"]]:
    """The item whose stretch of the cumulated priorities holds a height, and how far into it.

    An item without priority is passed over, whatever rounding does to sums.
    """
    items = priorities.shape[1]
    tops = priorities @ jnp.triu(jnp.ones((items, items)))  # far faster here than a scan
    there = priorities > 0
    held = there & (tops > heights[:, None])
    last = items - 1 - jnp.argmax(there[:, ::-1], 1)  # where sums end below the height
    item = jnp.where(held.any(1), jnp.argmax(held, 1), last).astype(jnp.int32)
    below = jnp.take_along_axis(tops - priorities, item[:, None], 1)[:, 0]
    return item, jnp.maximum(heights - below, 0.0)
