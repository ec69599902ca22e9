"""An agent that cannot tell what its actions led to: a sham for whoever learns from rewards."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition, blank
from ..memories import Replay
from ..memories.replay import Remembered


class ShuffledState(eqx.Module):
    """The state of the agent, and what really happened."""

    mind: Any
    lived: Remembered


class Shuffled(AbstractAgent[ShuffledState]):
    """`agent`, which learns with rewards and terminations of random earlier transitions.

    How often they come is right, when they come means nothing. They are drawn from the last
    `memory.capacity` transitions.
    """

    agent: AbstractAgent
    memory: Replay = Replay(10_000)

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> ShuffledState:
        mind = self.agent.init(environment, key=key)
        return ShuffledState(mind, self.memory.init(blank(environment)))

    def act(
        self, state: ShuffledState, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[ShuffledState, Array]:
        mind, action = self.agent.act(state.mind, observation, explore=explore, key=key)
        return ShuffledState(mind, state.lived), action

    def learn(
        self, state: ShuffledState, transition: Transition, *, key: PRNGKeyArray
    ) -> ShuffledState:
        at_draw, at_learn = jax.random.split(key)
        lived = self.memory.add(state.lived, transition)
        lived, drawn = self.memory.sample(lived, 1, key=at_draw)
        other = jax.tree.map(lambda x: x[0], drawn.items)
        told = eqx.tree_at(
            lambda t: (t.reward, t.terminated), transition, (other.reward, other.terminated)
        )
        return ShuffledState(self.agent.learn(state.mind, told, key=at_learn), lived)

    def begin(self, state: ShuffledState) -> ShuffledState:
        return ShuffledState(self.agent.begin(state.mind), state.lived)
