"""Values of actions under the policy that is followed, accidents of exploration included.

Rummery & Niranjan (1994), CUED/F-INFENG/TR 166; expected: van Seijen, van Hasselt, Whiteson &
Wiering (2009), IEEE ADPRL, p. 177.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from .exploration import AbstractExploration, EpsilonGreedy, choose
from .tables import Scalar, Values, check_settings, no_values, table_size, toward

NONE = -1


class Resolved(eqx.Module):
    """Values, and the action that was chosen for the next step; -1 for none."""

    values: Values
    plan: Int[Array, ""]


class Sarsa(AbstractAgent[Resolved]):
    """Q(s, a) += rate (r + discount Q(s', b) - Q(s, a)), where b is what it does next in s'.

    `expected`: the mean over all b, as likely as they are, instead of the one: less variance.
    With `decay` the rate falls with the number n of changes of an entry, as rate / n^decay.
    Raises `ValueError` for spaces that cannot be counted.
    """

    rate: Scalar = 0.1
    discount: Scalar = 0.95
    exploration: AbstractExploration = EpsilonGreedy()
    initial: Scalar = 0.0  # value of what was never tried
    decay: Scalar = 0.0
    expected: bool = False

    def __check_init__(self):
        check_settings(self)

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Resolved:
        values = no_values(*table_size(self, environment), self.initial)
        return Resolved(values, jnp.full((), NONE, jnp.int32))

    def begin(self, state: Resolved) -> Resolved:
        return Resolved(state.values, jnp.full((), NONE, jnp.int32))

    def act(
        self, state: Resolved, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Resolved, Array]:
        action = choose(self.exploration, state.values.q[observation], explore, key)
        if explore:
            action = jnp.where(state.plan == NONE, action, state.plan)
        return state, action

    def learn(self, state: Resolved, transition: Transition, *, key: PRNGKeyArray) -> Resolved:
        t, values = transition, state.values
        next_values = values.q[t.next_observation]
        plan = choose(self.exploration, next_values, True, key)
        chance = self.exploration.probabilities(next_values)
        ahead = jnp.sum(chance * next_values) if self.expected else next_values[plan]
        target = t.reward + jnp.float32(self.discount) * jnp.where(t.terminated, 0.0, ahead)
        values = toward(values, t.observation, t.action, target, self.rate, self.decay)
        return Resolved(values, plan)
