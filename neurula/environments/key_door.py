"""A corridor with a locked door: fetch the key behind you, then open and find what lies beyond.

The smallest world in which what pays is decided long before it pays; after the key-to-door task of
Hung et al. (2019), Nat. Commun. 10:5223.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..behaviour import Discrete
from .finite import AbstractFiniteWorld, Outcomes, State


class KeyDoor(AbstractFiniteWorld):
    """A corridor of `length` cells: the key in the first, the door in the last, the start between.

    Actions: 0 left, 1 right, 2 take. Taking in the first cell gives the key. Going right from the
    last cell pays 1 and ends with the key; without it the door stays shut. `distractor`: the pay
    of every step into the last cell without the key (a lure). State cell + length * (has the key);
    the last state is the end.
    """

    length: int = eqx.field(static=True, default=6)
    distractor: float = eqx.field(static=True, default=0.0)

    def __check_init__(self):
        if self.length < 3:
            raise ValueError(
                f"Key, start and door need three cells, got length={self.length}: the way to the "
                "key and the way to the door would be the same. Use for example KeyDoor(6)."
            )

    @property
    def actions(self) -> Discrete:
        return Discrete(3)

    @property
    def observations(self) -> Discrete:
        return Discrete(2 * self.length + 1)

    @property
    def starts(self) -> Float[Array, " state"]:
        return jnp.zeros(2 * self.length + 1).at[self.length // 2].set(1.0)

    @property
    def terminal(self) -> Bool[Array, " state"]:
        return jnp.arange(2 * self.length + 1) == 2 * self.length

    def outcomes(self, state: State, action: Array) -> Outcomes:
        cell, held = state % self.length, state >= self.length
        to = jnp.clip(cell + jnp.where(action == 1, 1, jnp.where(action == 0, -1, 0)), 0)
        out = (to == self.length) & held
        to = jnp.minimum(to, self.length - 1)
        holds = held | ((action == 2) & (cell == 0))
        lured = (to == self.length - 1) & (cell != to) & ~held
        reward = jnp.where(out, 1.0, jnp.where(lured, self.distractor, 0.0))
        after = jnp.where(out, 2 * self.length, to + jnp.where(holds, self.length, 0))
        return Outcomes(jnp.ones(1), after.astype(jnp.int32)[None], reward[None])
