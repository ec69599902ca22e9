"""One long way on which every wrong step is the last, and nothing is paid before its end.

Schaul, Quan, Antonoglou & Silver (2016), ICLR, arXiv:1511.05952, section 3.1.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..behaviour import Discrete
from .finite import AbstractFiniteWorld, Outcomes, State


class BlindCliffwalk(AbstractFiniteWorld):
    """`length` states in a row. The right action leads on and the other ends the episode.

    The right action is 1 in even states and 0 in odd ones. The last right action pays 1. Acting at
    random succeeds once in 2^length episodes. The last state is the end.
    """

    length: int = eqx.field(static=True, default=8)

    def __check_init__(self):
        if self.length < 1:
            raise ValueError(
                f"The way has at least one state, got length={self.length}: there would be nothing "
                "to do. Use for example BlindCliffwalk(8)."
            )

    @property
    def actions(self) -> Discrete:
        return Discrete(2)

    @property
    def observations(self) -> Discrete:
        return Discrete(self.length + 1)

    @property
    def starts(self) -> Float[Array, " state"]:
        return jnp.zeros(self.length + 1).at[0].set(1.0)

    @property
    def terminal(self) -> Bool[Array, " state"]:
        return jnp.arange(self.length + 1) == self.length

    def outcomes(self, state: State, action: Array) -> Outcomes:
        right = action == 1 - state % 2
        reward = jnp.where(right & (state == self.length - 1), 1.0, 0.0)
        after = jnp.where(right, state + 1, self.length).astype(jnp.int32)
        return Outcomes(jnp.ones(1), after[None], reward[None])
