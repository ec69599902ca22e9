"""An agent that does what it was told: a known policy, as a control or to fill a memory."""

from collections.abc import Callable

from jaxtyping import Array, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition


class Scripted(AbstractAgent[None]):
    """Follows `policy(observation, key)`, which gives an action; learns nothing."""

    policy: Callable[[Array, PRNGKeyArray], Array]

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> None:
        return None

    def act(
        self, state: None, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[None, Array]:
        return state, self.policy(observation, key)

    def learn(self, state: None, transition: Transition, *, key: PRNGKeyArray) -> None:
        return state
