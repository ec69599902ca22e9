"""Episodic control whose sense of what is similar is learned.

Pritzel et al. (2017), ICML 70:2827.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..behaviour import AbstractEnvironment, size_of
from ..contracts import AbstractBlock
from ..free_memory import afford
from ..memories import Episodic
from ..network import trainable
from .brains import Perceptron, answer, born, descend
from .episodic_control import AbstractEpisodicControl, Recollection


class Pupil(eqx.Module):
    """Who makes cues, and what it learns from: a ring of what was seen, done, and came of it."""

    brain: AbstractBlock
    momentum: Any
    observations: Array  # (place, ...)
    actions: Int[Array, " place"]
    returns: Float[Array, " place"]
    count: Int[Array, ""]  # ever kept


class NEC(AbstractEpisodicControl):
    """Neural episodic control: cues are what a network makes of what is seen.

    Values are means over k neighbours, weighted by 1 / (squared distance + softening); known cues
    step towards new returns by `rate`. In every step `batch` remembered returns teach: the squared
    error of the value, halved, goes down along its gradient in the network's weights (`optimiser`)
    and in keys and values (plain steps of size `memory_rate`).

    `brain(inputs, outputs, key)` makes the network, one with `width` outputs. Keys of old weights
    grow stale until nobody uses them. Source: the module's.
    """

    brain: Callable[[int, int, PRNGKeyArray], AbstractBlock] = Perceptron((32,))
    width: int = eqx.field(static=True, default=16)  # numbers of a key
    capacity: int = eqx.field(static=True, default=1000)  # pairs, for each action
    neighbours: int = eqx.field(static=True, default=11)  # k
    rate: float | Float[Array, ""] = 0.1
    softening: float = 1e-3
    optimiser: optax.GradientTransformation = eqx.field(
        static=True, default_factory=lambda: optax.adam(1e-3)
    )
    memory_rate: float = 0.1
    batch: int = eqx.field(static=True, default=8)
    replay: int = eqx.field(static=True, default=10_000)  # steps that are remembered for teaching
    horizon: int = eqx.field(static=True, default=100)
    discount: float | Float[Array, ""] = 0.99
    start: float | Float[Array, ""] = 1.0
    end: float | Float[Array, ""] = 0.005
    exploring: int | Float[Array, ""] = 200
    unknown: float | Float[Array, ""] = 0.0  # value of an action that was never tried

    def memory(self, size: int) -> Episodic:
        return Episodic(
            self.width,
            self.capacity,
            self.neighbours,
            "kernel",
            rate=self.rate,
            softening=self.softening,
            unknown=self.unknown,
        )

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Recollection:
        at_memory, at_brain = jax.random.split(key)
        state, seen = super().init(environment, key=at_memory), environment.observations
        inputs = size_of(seen)
        brain = born(self, self.brain(inputs, self.width, at_brain), inputs, self.width)
        afford(
            4 * self.replay * (inputs + 2),
            f"{self.replay:,} steps of {inputs:,} numbers",
            "all places are made at birth",
            "Remember less, for example NEC(replay=1_000).",
        )
        pupil = Pupil(
            brain,
            self.optimiser.init(trainable(brain)),
            jnp.zeros((self.replay, *seen.shape), seen.dtype),
            jnp.zeros(self.replay, jnp.int32),
            jnp.zeros(self.replay),
            jnp.zeros((), jnp.int32),
        )
        return eqx.tree_at(lambda s: s.pupil, state, pupil, is_leaf=lambda x: x is None)

    def cue(self, state: Recollection, observation: Array) -> Float[Array, " size"]:
        return answer(state.pupil.brain, state.observations.features(observation))

    def keep(
        self, state: Recollection, returns: Float[Array, " horizon"], there: Bool[Array, " horizon"]
    ) -> Recollection:
        recent, pupil = state.recent, state.pupil
        place = (pupil.count + jnp.arange(self.horizon)) % self.replay
        place = jnp.where(there, place, self.replay)  # beyond the last: dropped
        ring = (
            pupil.observations.at[place].set(recent.observations, mode="drop"),
            pupil.actions.at[place].set(recent.actions, mode="drop"),
            pupil.returns.at[place].set(returns, mode="drop"),
            pupil.count + recent.length,
        )
        where = lambda s: (s.pupil.observations, s.pupil.actions, s.pupil.returns, s.pupil.count)  # noqa: E731
        return eqx.tree_at(where, state, ring)

    def study(self, state: Recollection, *, key: PRNGKeyArray) -> Recollection:
        pupil, memory = state.pupil, self.memory(0)
        size = jnp.minimum(pupil.count, self.replay)
        drawn = jax.random.randint(key, (self.batch,), 0, jnp.maximum(size, 1))
        seen = jax.vmap(state.observations.features)(pupil.observations[drawn])
        actions, returns = pupil.actions[drawn], pupil.returns[drawn]

        def cost(parts: tuple[Any, Array, Array]) -> Float[Array, ""]:
            weights, keys, values = parts
            brain = eqx.combine(weights, pupil.brain)
            there = eqx.tree_at(lambda m: (m.keys, m.values), state.memories, (keys, values))

            def error(seen: Array, action: Array, goal: Array) -> Float[Array, ""]:
                its = jax.tree.map(lambda x: x[action], there)
                return (memory.recall(its, answer(brain, seen)) - goal) ** 2 / 2

            return jnp.where(size > 0, jnp.mean(jax.vmap(error)(seen, actions, returns)), 0.0)

        memories = state.memories
        gradient = jax.grad(cost)((trainable(pupil.brain), memories.keys, memories.values))
        brain, momentum = descend(pupil.brain, gradient[0], self.optimiser, pupil.momentum)
        keys = memories.keys - self.memory_rate * gradient[1]
        values = memories.values - self.memory_rate * gradient[2]
        where = lambda s: (s.pupil.brain, s.pupil.momentum, s.memories.keys, s.memories.values)  # noqa: E731
        return eqx.tree_at(where, state, (brain, momentum, keys, values))
