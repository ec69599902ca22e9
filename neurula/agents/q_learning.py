"""Values of actions, learned from what the best next action is thought to be worth.

Watkins & Dayan (1992), Mach. Learn. 8:279.
"""

import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from .exploration import AbstractExploration, EpsilonGreedy, choose
from .tables import Scalar, Values, check_settings, future, no_values, table_size, toward


class QLearning(AbstractAgent[Values]):
    """Q(s, a) += rate (r + discount max_b Q(s', b) - Q(s, a)), one entry per step.

    Model-free and off-policy: the values of the best policy are learned while exploring. With
    `decay` the rate falls with the number n of changes of an entry, as rate / n^decay.
    Raises `ValueError` for spaces that cannot be counted.
    """

    rate: Scalar = 0.1
    discount: Scalar = 0.95
    exploration: AbstractExploration = EpsilonGreedy()
    initial: Scalar = 0.0  # value of what was never tried
    decay: Scalar = 0.0

    def __check_init__(self):
        check_settings(self)

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Values:
        return no_values(*table_size(self, environment), self.initial)

    def act(
        self, state: Values, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Values, Array]:
        return state, choose(self.exploration, state.q[observation], explore, key)

    def learn(self, state: Values, transition: Transition, *, key: PRNGKeyArray) -> Values:
        t = transition
        ahead = future(state.q, t.next_observation, t.terminated)
        target = t.reward + jnp.float32(self.discount) * ahead
        return toward(state, t.observation, t.action, target, self.rate, self.decay)
