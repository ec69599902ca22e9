"""Replay of what was surprising, more often than of what was foreseen.

Schaul, Quan, Antonoglou & Silver (2016), ICLR, arXiv:1511.05952 (proportional variant).
"""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .replay import AbstractSampler, Remembered

LEVELS = 5  # for 100,000 places a fan of 10: few steps down, and little to add up in each


class Priorities(eqx.Module):
    """A tree of sums of priorities, so that few are added up for a draw.

    `levels[d][n]` holds the children of node n of depth d: sums, and in the last level the
    priorities themselves, 0 where nothing lies. Child c of node n is node n * fan + c below.
    """

    levels: tuple[Float[Array, "_ fan"], ...]
    highest: Float[Array, ""]  # priority ever given, hence that of new transitions
    drawn: Int[Array, ""]  # batches

    @property
    def total(self) -> Float[Array, ""]:
        """The sum of all priorities."""
        return self.levels[0].sum()


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
        fan = next(n for n in itertools.count(2) if n**LEVELS >= capacity)
        levels = tuple(jnp.zeros((fan**depth, fan)) for depth in range(LEVELS))
        return Priorities(levels, jnp.ones(()), jnp.zeros((), jnp.int32))

    def added(self, memory: Remembered, ended: Bool[Array, ""]) -> Priorities:
        kept = memory.kept
        place = (memory.count - 1) % memory.capacity
        return put(kept, place[None], kept.highest[None])

    def draw(
        self, memory: Remembered, size: int, *, key: PRNGKeyArray
    ) -> tuple[Priorities, Int[Array, " batch"], Float[Array, " batch"]]:
        kept = memory.kept
        total = kept.total
        heights = jnp.arange(size, dtype=jnp.float32) + jax.random.uniform(key, (size,))
        heights, place = heights / size * total, jnp.zeros(size, jnp.int32)
        for level in kept.levels:
            priorities = level[place]
            child, heights = fall(priorities, heights)
            place = place * level.shape[1] + child
        priority = jnp.take_along_axis(priorities, child[:, None], 1)[:, 0]
        there = jnp.minimum(memory.count, memory.capacity).astype(jnp.float32)
        share = priority * there / jnp.where(total > 0, total, 1.0)
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
    levels = []
    for level in reversed(kept.levels):
        nodes, child = places // level.shape[1], places % level.shape[1]
        level = level.at[nodes, child].set(given)
        places, given = nodes, level[nodes].sum(1)
        levels.append(level)
    return Priorities(tuple(reversed(levels)), kept.highest, kept.drawn)


def fall(
    priorities: Float[Array, "batch item"], heights: Float[Array, " batch"]
) -> tuple[Int[Array, " batch"], Float[Array, " batch"]]:
    """The item whose stretch of the cumulated priorities holds a height, and how far into it.

    An item without priority is passed over, whatever rounding does to sums: its own is that of the
    item before, and a height from the end of the last sum on counts as one just below.
    """
    tops = jnp.cumsum(priorities, 1)
    heights = jnp.minimum(heights, jnp.nextafter(tops[:, -1], jnp.float32(0)))
    under = tops <= heights[:, None]
    item = jnp.minimum(under.astype(jnp.int32).sum(1), priorities.shape[1] - 1)
    below = jnp.where(under, tops, 0.0).max(1)
    return item, heights - below
