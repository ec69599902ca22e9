"""Replay in the order of time: the last transitions, or blocks of neighbours.

Blocks: Hausknecht & Stone (2015), AAAI Fall Symposium, arXiv:1507.06527.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from .replay import AbstractSampler, Remembered, between
from .sizes import require_sizes

Draw = tuple[None, Int[Array, " batch"], Float[Array, " batch"]]


class Recent(AbstractSampler[None]):
    """The last transitions, the newest last: learning without a memory, in batches.

    While fewer are remembered, the oldest stands for those that are missing, with weight 0.
    """

    def init(self, capacity: int) -> None:
        return None

    def draw(self, memory: Remembered, size: int, *, key: PRNGKeyArray) -> Draw:
        numbers = memory.count - size + jnp.arange(size, dtype=jnp.int32)
        there = (numbers >= memory.oldest) & (numbers < memory.count)
        return None, jnp.maximum(numbers, memory.oldest), there.astype(jnp.float32)


class Blocks(AbstractSampler[None]):
    """Blocks of `length` neighbours in time, the earlier first; their starts are uniform.

    With `across` a block may span the end of an episode (a transition never does). Without, what
    follows that end has weight 0. The size of a batch is a multiple of the length.
    """

    length: int = eqx.field(static=True, default=32)  # transitions
    across: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        require_sizes("Blocks", "Blocks(32)", length=self.length)

    def init(self, capacity: int) -> None:
        if capacity < self.length:
            raise ValueError(
                f"Blocks of {self.length} transitions are drawn from at least as many, but the "
                f"memory holds {capacity}. Write Blocks({capacity}), or remember more."
            )
        return

    def draw(self, memory: Remembered, size: int, *, key: PRNGKeyArray) -> Draw:
        if size % self.length:
            raise ValueError(
                f"A batch is whole blocks of {self.length}, but {size} transitions were asked for. "
                f"Ask for {max(size // self.length, 1) * self.length}."
            )
        last = jnp.maximum(memory.count - self.length, memory.oldest) + 1
        blocks = (size // self.length,)
        start = between(memory.oldest, last, blocks, key=key)
        numbers = start[:, None] + jnp.arange(self.length, dtype=jnp.int32)[None, :]
        there = numbers < memory.count
        if not self.across:
            ended = memory.items.ended[numbers % memory.capacity].astype(jnp.int32)
            there &= jnp.pad(jnp.cumsum(ended, 1), ((0, 0), (1, 0)))[:, :-1] == 0
        numbers = jnp.minimum(numbers, jnp.maximum(memory.count - 1, 0))
        return None, numbers.ravel(), there.ravel().astype(jnp.float32)
