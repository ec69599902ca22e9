"""A dive that pays only if every step goes the same way, against a cost that warns off.

Osband, Van Roy, Russo & Wen (2019), J. Mach. Learn. Res. 20(124):1; reward and cost as in Osband et
al. (2020), ICLR, "Behaviour Suite for Reinforcement Learning".
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..behaviour import Discrete
from .finite import AbstractFiniteWorld, Outcomes, State


class DeepSea(AbstractFiniteWorld):
    """`depth` rows and columns: every step goes one row down, and one column left or right.

    Action 1 goes right and costs `cost / depth`; action 0 goes left and is free. The treasure of 1
    lies below the right-hand end of the last row: only the one way of `depth` steps to the right
    finds it (return 1 - cost). Undirected exploration needs about 2^depth episodes. `treacherous`:
    which of the two actions goes right differs from cell to cell (fixed by `layout`).
    State row * depth + column; the last state is the end.
    """

    depth: int = eqx.field(static=True, default=8)
    cost: float = eqx.field(static=True, default=0.01)
    treacherous: bool = eqx.field(static=True, default=False)
    layout: int = eqx.field(static=True, default=0)

    def __check_init__(self):
        if self.depth < 1:
            raise ValueError(
                f"The sea is at least one row deep, got depth={self.depth}: no step could be made. "
                "Use for example DeepSea(8)."
            )

    @property
    def actions(self) -> Discrete:
        return Discrete(2)

    @property
    def observations(self) -> Discrete:
        return Discrete(self.depth**2 + 1)

    @property
    def starts(self) -> Float[Array, " state"]:
        return jnp.zeros(self.depth**2 + 1).at[0].set(1.0)

    @property
    def terminal(self) -> Bool[Array, " state"]:
        return jnp.arange(self.depth**2 + 1) == self.depth**2

    @property
    def rightwards(self) -> Bool[Array, " state"]:
        """Whether action 1 goes right in each state; in others action 0 does."""
        size = self.depth**2 + 1
        mixed = np.random.default_rng(self.layout).random(size) < 0.5
        return jnp.asarray(mixed if self.treacherous else np.ones(size, bool))

    def outcomes(self, state: State, action: Array) -> Outcomes:
        row, column = state // self.depth, state % self.depth
        right = (action == 1) == self.rightwards[state]
        last = row == self.depth - 1
        found = last & right & (column == self.depth - 1)
        reward = jnp.where(found, 1.0, 0.0) - jnp.where(right, self.cost / self.depth, 0.0)
        column = jnp.clip(column + jnp.where(right, 1, -1), 0, self.depth - 1)
        state = jnp.where(last, self.depth**2, (row + 1) * self.depth + column)
        state = jnp.minimum(state, self.depth**2).astype(jnp.int32)
        return Outcomes(jnp.ones(1), state[None], reward[None])
