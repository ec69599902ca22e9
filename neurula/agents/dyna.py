"""Learning by doing and by imagining: each real step is followed by remembered ones.

Sutton (1990), ICML 7:216; Sutton (1991), SIGART Bull. 2:160.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from .exploration import AbstractExploration, EpsilonGreedy, choose
from .remembered import Remembered, nothing_remembered, recall, remember
from .tables import Scalar, Values, check_settings, future, no_values, table_size, toward


class Imagining(eqx.Module):
    """Values, and the model that they are also learned from."""

    values: Values
    memory: Remembered


class Dyna(AbstractAgent[Imagining]):
    """Dyna-Q: Q-learning on each step, then on `planning` pairs drawn from what was ever tried.

    The model holds the last outcome of each pair, so that worlds with chance mislead it.
    Raises `ValueError` for spaces that cannot be counted.
    """

    rate: Scalar = 0.1
    discount: Scalar = 0.95
    exploration: AbstractExploration = EpsilonGreedy()
    planning: int = eqx.field(static=True, default=10)  # remembered steps for each real one
    initial: Scalar = 0.0  # value of what was never tried

    def __check_init__(self):
        check_settings(self)
        if self.planning < 0:
            raise ValueError(
                f"Nobody can imagine {self.planning} steps, expected 0 or more. Use for example "
                "Dyna(planning=10)."
            )

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Imagining:
        size = table_size(self, environment)
        return Imagining(no_values(*size, self.initial), nothing_remembered(*size))

    def act(
        self, state: Imagining, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Imagining, Array]:
        return state, choose(self.exploration, state.values.q[observation], explore, key)

    def learn(self, state: Imagining, transition: Transition, *, key: PRNGKeyArray) -> Imagining:
        memory = remember(state.memory, transition)

        def backup(values: Values, pair: tuple[Array, Array]) -> tuple[Values, None]:
            ahead = future(values.q, memory.next_state[pair], memory.ended[pair])
            target = memory.reward[pair] + jnp.float32(self.discount) * ahead
            return toward(values, *pair, target, self.rate, 0.0), None

        values, _ = backup(state.values, (transition.observation, transition.action))
        if self.planning:
            pairs = recall(memory, self.planning, key=key)
            values, _ = jax.lax.scan(backup, values, pairs)
        return Imagining(values, memory)
