"""A map of where each action usually gets one to, kept up to date by replay if wanted.

Russek, Momennejad, Botvinick, Gershman & Daw (2017), PLoS Comput. Biol. 13:e1005768 (SR-TD and
SR-Dyna).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from .exploration import AbstractExploration, EpsilonGreedy, choose
from .remembered import Remembered, nothing_remembered, recall, remember
from .successor import after, closer
from .tables import Scalar, afford_table, check_settings, table_size


class ActionMapped(eqx.Module):
    """The map, what each state pays, and what was experienced (if it is replayed)."""

    successor: Float[Array, "state action next_state"]
    weight: Float[Array, " state"]
    memory: Remembered | None


class StateActionSuccessor(AbstractAgent[ActionMapped]):
    """M(s, a, .) += rate (1_s + discount sum_b p(b|s') M(s', b, .) - M(s, a, .)).

    p are the chances of its own policy in s'. w(s') += reward_rate (r - w(s')). An action is worth
    Q(s, a) = (M(s, a, .) w - w(s)) / discount: M counts the present, which no action can change.
    `replays`: as many remembered pairs are learned from again at each step (SR-Dyna), which spreads
    changes of the world and of the policy to states that were not visited since; 0 is SR-TD.
    Rewards are taken for what the state arrived at pays. Raises `ValueError` for spaces that cannot
    be counted.
    """

    rate: Scalar = 0.1
    discount: Scalar = 0.95
    exploration: AbstractExploration = EpsilonGreedy()
    reward_rate: Scalar = 0.5
    replays: int = eqx.field(static=True, default=0)

    def __check_init__(self):
        check_settings(self)
        if self.replays < 0:
            raise ValueError(
                f"Nobody can replay {self.replays} steps, expected 0 or more. Use for example "
                "StateActionSuccessor(replays=10)."
            )

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> ActionMapped:
        states, actions = table_size(self, environment)
        afford_table(self, states, actions, states)
        now = jnp.broadcast_to(jnp.eye(states)[:, None], (states, actions, states))
        memory = nothing_remembered(states, actions) if self.replays else None
        return ActionMapped(now, jnp.zeros(states), memory)

    def values(self, state: ActionMapped, observation: Array) -> Float[Array, " action"]:
        """What each action is worth in a state."""
        visits = state.successor[observation] @ state.weight
        return (visits - state.weight[observation]) / self.discount

    def act(
        self, state: ActionMapped, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[ActionMapped, Array]:
        return state, choose(self.exploration, self.values(state, observation), explore, key)

    def learn(
        self, state: ActionMapped, transition: Transition, *, key: PRNGKeyArray
    ) -> ActionMapped:
        t, there = transition, transition.next_observation
        weight = state.weight.at[there].add(self.reward_rate * (t.reward - state.weight[there]))
        state = ActionMapped(state.successor, weight, state.memory)
        state = self._backup(state, t.observation, t.action, there, t.terminated)
        if state.memory is None:
            return state
        memory = remember(state.memory, t)
        pairs = recall(memory, self.replays, key=key)

        def replay(state: ActionMapped, pair: tuple[Array, Array]) -> tuple[ActionMapped, None]:
            ended = memory.ended[pair]
            return self._backup(state, *pair, memory.next_state[pair], ended), None

        start = ActionMapped(state.successor, weight, None)
        state, _ = jax.lax.scan(replay, start, pairs)
        return ActionMapped(state.successor, weight, memory)

    def _backup(
        self, state: ActionMapped, here: Array, action: Array, there: Array, ended: Array
    ) -> ActionMapped:
        """Move one row of the map towards what follows."""
        chance = self.exploration.probabilities(self.values(state, there))
        ahead = after(chance @ state.successor[there], there, ended)
        row = closer(state.successor[here, action], here, ahead, self.rate, self.discount)
        successor = state.successor.at[here, action].set(row)
        return ActionMapped(successor, state.weight, state.memory)
