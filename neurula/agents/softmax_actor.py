"""What agents share whose actor says how likely every action is."""

from typing import Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractAgent, Space
from ..contracts import AbstractBlock
from .brains import answer


@runtime_checkable
class HasActor(Protocol):
    """A state with an actor."""

    actor: AbstractBlock
    observations: Space


State = TypeVar("State", bound=HasActor)


class AbstractSoftmaxActor(AbstractAgent[State]):
    """Draws actions from the softmax of what its actor says; without `explore`, the likeliest."""

    def policy(self, state: State, observation: Array) -> Float[Array, " action"]:
        """The probability of every action."""
        return jax.nn.softmax(answer(state.actor, state.observations.features(observation)))

    def act(
        self, state: State, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[State, Array]:
        says = answer(state.actor, state.observations.features(observation))
        chosen = jax.random.categorical(key, says) if explore else jnp.argmax(says)
        return state, chosen.astype(jnp.int32)
