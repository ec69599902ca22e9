"""A memory of the last transitions of a life, from which an agent learns again and again.

Lin (1992), Mach. Learn. 8:293; Mnih et al. (2015), Nature 518:529.
"""

import abc
from typing import Any, Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..behaviour import Transition
from ..free_memory import afford
from .sizes import require_sizes

Kept = TypeVar("Kept")


class Remembered(eqx.Module, Generic[Kept]):
    """Transitions in a ring of places. They are numbered from 0, the first of the life.

    Transition number i lies in place i modulo the capacity; `count` were ever added. `kept` is what
    the sampler keeps for itself.
    """

    items: Transition  # every leaf with a leading axis of places
    count: Int[Array, ""]
    kept: Kept

    @property
    def capacity(self) -> int:
        return self.items.terminated.shape[0]

    @property
    def oldest(self) -> Int[Array, ""]:
        """The number of the oldest transition that is still there."""
        return jnp.maximum(self.count - self.capacity, 0)


class Drawn(eqx.Module):
    """A batch of transitions, their numbers, and their weights in whatever is learned."""

    items: Transition
    numbers: Int[Array, " batch"]
    weights: Float[Array, " batch"]


class AbstractSampler(eqx.Module, Generic[Kept]):
    """Which of the remembered transitions are replayed, and with what weight."""

    @abc.abstractmethod
    def init(self, capacity: int) -> Kept:
        """What it keeps for itself, while nothing is remembered."""

    @abc.abstractmethod
    def draw(
        self, memory: Remembered, size: int, *, key: PRNGKeyArray
    ) -> tuple[Kept, Int[Array, " batch"], Float[Array, " batch"]]:
        """Numbers of `size` transitions that are there, and weights from 0 to 1."""

    def added(self, memory: Remembered, ended: Bool[Array, ""]) -> Kept:
        """Transition number `count - 1` was added; with it an episode `ended` or not."""
        return memory.kept

    def judged(
        self,
        memory: Remembered,
        numbers: Int[Array, " batch"],
        errors: Float[Array, " batch"],
    ) -> Kept:
        """How wrong the learner was about these transitions (temporal-difference errors)."""
        return memory.kept


def between(
    low: Int[Array, ""], high: Int[Array, ""], shape: tuple[int, ...], *, key: PRNGKeyArray
) -> Int[Array, "*shape"]:
    """Whole numbers from `low` to `high` - 1, equally likely but for one part in 2^32 / range.

    `jax.random.randint` hashes four times as often, which is felt in loops of small steps.
    """
    bits = jax.random.bits(key, shape, jnp.uint32)
    return low + (bits % (high - low).astype(jnp.uint32)).astype(jnp.int32)


class Uniform(AbstractSampler[None]):
    """All that is remembered, equally likely, with replacement."""

    def init(self, capacity: int) -> None:
        return None

    def draw(
        self, memory: Remembered, size: int, *, key: PRNGKeyArray
    ) -> tuple[None, Int[Array, " batch"], Float[Array, " batch"]]:
        newest = jnp.maximum(memory.count, 1)  # nothing there yet: a place of zeros
        return None, between(memory.oldest, newest, (size,), key=key), jnp.ones(size)


class Replay(eqx.Module):
    """A ring for `capacity` transitions: when it is full, the oldest is overwritten.

    Raises `ValueError` for a capacity below 1, and `MemoryError` in `init` for one that this
    computer cannot hold. Adding costs the same for every capacity: in a compiled loop the ring is
    changed in place.
    """

    capacity: int = eqx.field(static=True)  # transitions
    sampler: AbstractSampler = Uniform()

    def __check_init__(self):
        require_sizes("Replay", "Replay(10_000)", capacity=self.capacity)

    def init(self, example: Transition) -> Remembered:
        """An empty memory for transitions like `example` (`blank(environment)` makes one)."""
        bytes_ = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(example))
        afford(
            bytes_ * self.capacity,
            f"{self.capacity} transitions of {bytes_} bytes",
            "all places are made at birth, so that a life cannot run out of them later",
            f"Remember less, for example Replay({max(self.capacity // 100, 1)}).",
        )
        make = lambda x: jnp.zeros((self.capacity, *x.shape), x.dtype)  # noqa: E731
        items = jax.tree.map(make, example)
        return Remembered(items, jnp.zeros((), jnp.int32), self.sampler.init(self.capacity))

    def add(self, memory: Remembered, transition: Transition) -> Remembered:
        """Put one transition in, in the place of the oldest where all are taken."""
        place = memory.count % self.capacity
        put = lambda ring, x: jax.lax.dynamic_update_index_in_dim(ring, x, place, 0)  # noqa: E731
        items = jax.tree.map(put, memory.items, transition)
        memory = Remembered(items, memory.count + 1, memory.kept)
        return Remembered(items, memory.count, self.sampler.added(memory, transition.ended))

    def sample(
        self, memory: Remembered, size: int, *, key: PRNGKeyArray
    ) -> tuple[Remembered, Drawn]:
        """Draw `size` transitions in the way of the sampler."""
        kept, numbers, weights = self.sampler.draw(memory, size, key=key)
        memory = Remembered(memory.items, memory.count, kept)
        return memory, Drawn(self.read(memory, numbers), numbers, weights)

    def read(self, memory: Remembered, numbers: Int[Array, "*batch"]) -> Transition:
        """Transitions by their numbers."""
        return jax.tree.map(lambda ring: ring[numbers % self.capacity], memory.items)

    def follow(
        self, memory: Remembered, numbers: Int[Array, " batch"], steps: int
    ) -> tuple[Transition, Bool[Array, "batch step"]]:
        """What happened in `steps` steps from each of these on, and which of them are there.

        Absent is what came after the end of the episode, and what has not happened yet.
        """
        ahead = numbers[:, None] + jnp.arange(steps, dtype=jnp.int32)[None, :]
        items = self.read(memory, ahead)
        over = jnp.cumsum(items.ended.astype(jnp.int32), 1)
        over = jnp.pad(over, ((0, 0), (1, 0)))[:, :-1] > 0  # an episode ended before this step
        return items, ~over & (ahead < memory.count)

    def judge(
        self, memory: Remembered, numbers: Int[Array, " batch"], errors: Float[Array, " batch"]
    ) -> Remembered:
        """Tell the sampler how wrong the learner was about what it drew."""
        kept: Any = self.sampler.judged(memory, numbers, errors)
        return Remembered(memory.items, memory.count, kept)
