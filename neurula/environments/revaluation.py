"""Two choices in a row, of which the second may change behind one's back.

Momennejad, Russek, Cheong, Botvinick, Daw & Gershman (2017), Nat. Hum. Behav. 1:680, with choices
in place of instructions.
"""

from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..behaviour import Discrete
from .finite import AbstractFiniteWorld, Outcomes, State

Change = Literal["none", "reward", "transition", "policy"]
PAYS = {  # of the four ends
    "none": (10.0, 0.0, 5.0, 0.0),
    "reward": (10.0, 0.0, 15.0, 0.0),
    "transition": (10.0, 0.0, 5.0, 0.0),
    "policy": (10.0, 0.0, 5.0, 15.0),
}


class Revaluation(AbstractFiniteWorld):
    """State 0 leads to 1 or 2; each of these to one of two of the four ends, states 3 to 6.

    `pays`: the rewards of the ends. `crossed`: 1 leads to the ends of 2 and the reverse. `late`:
    episodes begin in 1 or 2, so that nothing is experienced of what leads there. All three are
    arrays, so that one compiled life serves many such worlds.
    """

    pays: Float[Array, "4"]
    crossed: Bool[Array, ""]
    late: Bool[Array, ""]

    @property
    def actions(self) -> Discrete:
        return Discrete(2)

    @property
    def observations(self) -> Discrete:
        return Discrete(7)

    @property
    def starts(self) -> Float[Array, " state"]:
        early, late = jnp.zeros(7).at[0].set(1.0), jnp.zeros(7).at[1:3].set(0.5)
        return jnp.where(self.late, late, early)

    @property
    def terminal(self) -> Bool[Array, " state"]:
        return jnp.arange(7) >= 3

    def outcomes(self, state: State, action: Array) -> Outcomes:
        branch = jnp.where(self.crossed, 2 - state, state - 1)  # 0 or 1 after the first choice
        end = jnp.clip(2 * branch + action, 0, 3)
        after = jnp.where(state == 0, 1 + action, 3 + end).astype(jnp.int32)
        reward = jnp.where(state == 0, 0.0, self.pays[end])
        return Outcomes(jnp.ones(1), after[None], reward[None])


def revaluation(change: Change = "none", *, late: bool = False) -> Revaluation:
    """The world before any change (first choice: 10 against 5), or after one that turns it round.

    `reward`: the end preferred in state 2 pays 15. `transition`: the ends are exchanged. `policy`:
    the end that was not worth going to from state 2 pays 15.
    """
    crossed = change == "transition"
    return Revaluation(jnp.array(PAYS[change]), jnp.array(crossed), jnp.array(late))
