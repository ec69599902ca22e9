"""Values as expected visits times rewards: a map of where one usually gets to from here.

Dayan (1993), Neural Comput. 5:613; as place cells: Stachenfeld, Botvinick & Gershman (2017), Nat.
Neurosci. 20:1643.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from .exploration import AbstractExploration, EpsilonGreedy, choose
from .tables import Scalar, afford_table, check_settings, table_size

Row = Float[Array, " state"]


class Mapped(eqx.Module):
    """The map, how often each row was changed, what each state pays, and where actions led last.

    `successor[s]` are discounted numbers of visits after s, now included: place fields of cells are
    its columns.
    """

    successor: Float[Array, "state next_state"]
    visits: Row
    weight: Row
    leads: Int[Array, "state action"]


class Successor(AbstractAgent[Mapped]):
    """M(s, .) += rate (1_s + discount M(s', .) - M(s, .)); w(s') += reward_rate (r - w(s')).

    V = M w is what a state is worth, counting what arriving there pays. An action is worth the V of
    the state that it led to last. M is of the policy followed and tends to (I - discount T)^-1,
    `planning.successor_matrix`. One step changes one row: states, not states^2, multiplications.
    With `decay` the rate falls with the number n of changes of a row, as rate / n^decay.
    Rewards are taken for what the state arrived at pays. `StateActionSuccessor` needs no memory of
    where actions lead, at `actions` times the space. Raises `ValueError` for spaces that cannot be
    counted.
    """

    rate: Scalar = 0.1
    discount: Scalar = 0.95
    exploration: AbstractExploration = EpsilonGreedy()
    reward_rate: Scalar = 0.5
    decay: Scalar = 0.0

    def __check_init__(self):
        check_settings(self)

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Mapped:
        states, actions = table_size(self, environment)
        afford_table(self, states, states)
        stays = jnp.broadcast_to(jnp.arange(states, dtype=jnp.int32)[:, None], (states, actions))
        return Mapped(jnp.eye(states), jnp.zeros(states), jnp.zeros(states), stays)

    def act(
        self, state: Mapped, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Mapped, Array]:
        values = state.successor[state.leads[observation]] @ state.weight
        return state, choose(self.exploration, values, explore, key)

    def learn(self, state: Mapped, transition: Transition, *, key: PRNGKeyArray) -> Mapped:
        t = transition
        here, there = t.observation, t.next_observation
        visits = state.visits.at[here].add(1.0)
        step = self.rate * visits[here] ** -self.decay
        successor = state.successor
        ahead = after(successor[there], there, t.terminated)
        row = closer(successor[here], here, ahead, step, self.discount)
        weight = state.weight.at[there].add(self.reward_rate * (t.reward - state.weight[there]))
        leads = state.leads.at[here, t.action].set(there)
        return Mapped(successor.at[here].set(row), visits, weight, leads)


def closer(row: Row, here: Array, ahead: Row, step: Array | float, discount: Scalar) -> Row:
    """A row of the map moved towards what followed."""
    now = (jnp.arange(row.size) == here).astype(jnp.float32)
    return row + step * (now + jnp.float32(discount) * ahead - row)


def after(row: Row, there: Array, ended: Bool[Array, ""]) -> Row:
    """What follows from a state; where it was the end, the state itself alone."""
    return jnp.where(ended, (jnp.arange(row.size) == there).astype(jnp.float32), row)
