"""An agent that does anything, all equally likely: where every comparison begins."""

from jaxtyping import Array, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Space, Transition


class Random(AbstractAgent[Space]):
    """Draws uniformly from the space of actions; learns nothing. Its state is that space."""

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Space:
        return environment.actions

    def act(
        self, state: Space, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Space, Array]:
        return state, state.sample(key=key)

    def learn(self, state: Space, transition: Transition, *, key: PRNGKeyArray) -> Space:
        return state
