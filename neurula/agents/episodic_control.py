"""Acting by what came of it before: the best return that was ever seen after something similar.

Lengyel & Dayan (2008), NIPS 20:889; model-free episodic control: Blundell et al. (2016), arXiv
1606.04460.
"""

import abc
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Space, Transition
from ..memories import Episodic
from ..memories.episodic import Episodes
from .brains import check_parts, require_discrete

if TYPE_CHECKING:  # otherwise static checkers take these for constructor arguments
    from typing import ClassVar as AbstractVar
else:
    from equinox import AbstractVar


class Unwritten(eqx.Module):
    """What happened since memory was last written."""

    observations: Array  # (horizon, ...)
    actions: Int[Array, " horizon"]
    rewards: Float[Array, " horizon"]
    length: Int[Array, ""]


class Recollection(eqx.Module):
    """One memory for each action, and the steps lived; a `pupil` where making cues is learned."""

    memories: Episodes  # every leaf with a leading axis of actions
    recent: Unwritten
    steps: Int[Array, ""]
    actions: Space
    observations: Space
    pupil: Any = None


class AbstractEpisodicControl(AbstractAgent[Recollection]):
    """Value of an action: what its memory says to a cue made of what is seen.

    At the end of an episode, or after `horizon` steps of it, every step is written with its return
        R_t = r_t + g r_(t+1) + ... , to which the value of the best action where it stopped is
    added, faded as far, unless the episode terminated. Actions are the best, ties by chance, but
    for a share of random ones, which falls linearly from `start` to `end` in `exploring` steps.

    Writing costs much more than acting. Lives that are mapped by `jax.vmap` do the work of writing
    in every step; `jax.custom_batching.sequential_vmap` lets them take turns, and saves it.
    """

    horizon: AbstractVar[int]  # steps
    discount: AbstractVar[float | Float[Array, ""]]  # g, per step
    start: AbstractVar[float | Float[Array, ""]]
    end: AbstractVar[float | Float[Array, ""]]
    exploring: AbstractVar[int | Float[Array, ""]]  # steps

    def __check_init__(self):
        check_parts(self)
        for name in ("horizon", "exploring", "batch", "replay"):
            found = getattr(self, name, 1)
            if isinstance(found, float | int) and found < 1:
                mine = type(self).__name__
                raise ValueError(
                    f"{mine} counts {name} from 1, got {found}: it would never remember, or never "
                    f"begin to. Write {mine}({name}=1) or more."
                )

    @abc.abstractmethod
    def memory(self, size: int) -> Episodic:
        """The memory of an action, for what is seen in `size` numbers."""

    @abc.abstractmethod
    def cue(self, state: Recollection, observation: Array) -> Float[Array, " size"]:
        """What memories are asked by."""

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Recollection:
        size, actions = require_discrete(self, environment)
        memory, seen = self.memory(size), environment.observations
        # One key for all: actions are compared by the same projection.
        memories = jax.vmap(lambda _: memory.init(key=key))(jnp.arange(actions.size))
        none = jnp.zeros((), jnp.int32)
        recent = Unwritten(
            jnp.zeros((self.horizon, *seen.shape), seen.dtype),
            jnp.zeros(self.horizon, jnp.int32),
            jnp.zeros(self.horizon),
            none,
        )
        return Recollection(memories, recent, none, actions, seen)

    def values(self, state: Recollection, observation: Array) -> Float[Array, " action"]:
        """What every action is worth, as far as memories tell."""
        cue, memory = self.cue(state, observation), self._memory(state)
        return jax.vmap(lambda m: memory.recall(m, cue))(state.memories)

    def act(
        self, state: Recollection, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Recollection, Array]:
        at_tie, at_whether, at_what = jax.random.split(key, 3)
        cue, memory = self.cue(state, observation), self._memory(state)
        memories, values = jax.vmap(lambda m: memory.read(m, cue))(state.memories)
        state = eqx.tree_at(lambda s: s.memories, state, memories)
        chance = jax.random.uniform(at_tie, values.shape)
        best = jnp.argmax(jnp.where(values == jnp.max(values), chance, -1.0)).astype(jnp.int32)
        if not explore:
            return state, best
        done = jnp.minimum(state.steps.astype(jnp.float32) / self.exploring, 1.0)
        share = self.start + (self.end - self.start) * done
        random = jax.random.bernoulli(at_whether, share)
        return state, jnp.where(random, state.actions.sample(key=at_what), best)

    def learn(
        self, state: Recollection, transition: Transition, *, key: PRNGKeyArray
    ) -> Recollection:
        now, recent = state.recent.length, state.recent
        recent = Unwritten(
            recent.observations.at[now].set(transition.observation),
            recent.actions.at[now].set(transition.action),
            recent.rewards.at[now].set(transition.reward),
            now + 1,
        )
        state = eqx.tree_at(lambda s: (s.recent, s.steps), state, (recent, state.steps + 1))
        arrays, rest = eqx.partition(state, eqx.is_array)

        def write(arrays: Any) -> Any:
            return eqx.filter(self._write(eqx.combine(arrays, rest), transition), eqx.is_array)

        full = transition.ended | (now + 1 >= self.horizon)
        arrays = jax.lax.cond(full, write, lambda arrays: arrays, arrays)
        return self.study(eqx.combine(arrays, rest), key=key)

    def study(self, state: Recollection, *, key: PRNGKeyArray) -> Recollection:
        """What is learned besides, in every step."""
        return state

    def keep(
        self, state: Recollection, returns: Float[Array, " horizon"], there: Bool[Array, " horizon"]
    ) -> Recollection:
        """What is kept besides, when memory is written: of `state.recent`, the steps `there`."""
        return state

    def _memory(self, state: Recollection) -> Episodic:
        projection = state.memories.projection
        at = state.memories.keys if projection is None else projection
        return self.memory(at.shape[-1])

    def _write(self, state: Recollection, last: Transition) -> Recollection:
        recent, time = state.recent, jnp.arange(self.horizon)
        there = time < recent.length
        future = jnp.where(last.terminated, 0.0, jnp.max(self.values(state, last.next_observation)))
        ahead = (time[None, :] - time[:, None]).astype(jnp.float32)
        fades = jnp.where(ahead >= 0, self.discount ** jnp.maximum(ahead, 0.0), 0.0)
        returns = fades @ jnp.where(there, recent.rewards, 0.0)
        left = jnp.maximum(recent.length - time, 0).astype(jnp.float32)
        returns = returns + self.discount**left * future
        cues = jax.vmap(lambda seen: self.cue(state, seen))(recent.observations)
        cues, memory = jax.lax.stop_gradient(cues), self._memory(state)

        def one(memories: Episodes, action: Array) -> Episodes:
            return memory.write_all(
                memories, cues, returns, when=there & (recent.actions == action)
            )

        memories = jax.vmap(one)(state.memories, jnp.arange(state.memories.used.shape[0]))
        state = self.keep(state, returns, there)
        none = jnp.zeros_like(recent.length)
        return eqx.tree_at(lambda s: (s.memories, s.recent.length), state, (memories, none))


class MFEC(AbstractEpisodicControl):
    """Model-free episodic control: the largest return seen, a mean over k neighbours if unknown.

    Cues are what is seen, projected to `projected` numbers at random. Nothing but memory learns.
    Raises `ValueError` for actions that are not discrete. Source: the module's.
    """

    capacity: int = eqx.field(static=True, default=1000)  # pairs, for each action
    neighbours: int = eqx.field(static=True, default=11)  # k
    projected: int | None = eqx.field(static=True, default=32)  # None: cues are what is seen
    horizon: int = eqx.field(static=True, default=100)
    discount: float | Float[Array, ""] = 0.99
    start: float | Float[Array, ""] = 1.0
    end: float | Float[Array, ""] = 0.005
    exploring: int | Float[Array, ""] = 200
    unknown: float | Float[Array, ""] = 0.0  # value of an action that was never tried
    blind: bool = eqx.field(static=True, default=False)  # all cues are the same: a sham

    def memory(self, size: int) -> Episodic:
        return Episodic(
            size,
            self.capacity,
            self.neighbours,
            projected=self.projected,
            unknown=self.unknown,
        )

    def cue(self, state: Recollection, observation: Array) -> Float[Array, " size"]:
        seen = state.observations.features(observation)
        return jnp.zeros_like(seen) if self.blind else seen
