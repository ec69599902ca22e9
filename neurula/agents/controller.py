"""An agent whose brain is given, grown or evolved for example, and that learns nothing itself."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ..behaviour import AbstractAgent, AbstractEnvironment, Discrete, Space, Transition, size_of
from ..contracts import AbstractBlock


class Controller(AbstractAgent[PyTree]):
    """Acts by a block with a memory of its own, which is at rest when an episode begins.

    `updates` steps of the block pass in every step of the world, so that activity can travel
    through loops. Single actions: the largest output wins; where there are two, one output is
    enough, and above 0 it is the second action. Boxes: the hyperbolic tangent of the outputs,
    stretched between the bounds.
    """

    brain: AbstractBlock
    actions: Space
    observations: Space
    updates: int = eqx.field(static=True, default=1)

    def __check_init__(self):
        has = sum(self.brain.inputs.values()), sum(self.brain.outputs.values())
        seen, done = size_of(self.observations), size_of(self.actions)
        fits = (done, 1) if done == 2 and isinstance(self.actions, Discrete) else (done,)
        if has[0] != seen or has[1] not in fits:
            raise ValueError(
                f"A controller here sees {seen} numbers and gives {' or '.join(map(str, fits))}, "
                f"but its brain takes {has[0]} and gives {has[1]}. Build it with {seen} inputs and "
                f"{done} outputs."
            )

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> PyTree:
        return self.brain.init(key=key)

    def begin(self, state: PyTree) -> PyTree:
        return self.brain.init()

    def act(
        self, state: PyTree, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[PyTree, Array]:
        seen = self.observations.features(observation)
        for _ in range(self.updates):
            state, outputs = self.brain.step(state, seen)
        return state, chosen(self.actions, outputs)

    def learn(self, state: PyTree, transition: Transition, *, key: PRNGKeyArray) -> PyTree:
        return state


def chosen(actions: Space, outputs: Float[Array, " out"]) -> Array:
    """The action that outputs stand for."""
    if isinstance(actions, Discrete):
        alone = outputs.shape[0] == 1
        return (
            (outputs[0] > 0).astype(jnp.int32) if alone else jnp.argmax(outputs).astype(jnp.int32)
        )
    middle, half = (actions.high + actions.low) / 2, (actions.high - actions.low) / 2
    return middle + half * jnp.tanh(outputs).reshape(actions.shape)
