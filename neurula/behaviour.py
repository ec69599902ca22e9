"""The nouns of acting: spaces, what a world shows, environments and agents.

Sutton & Barto (2018), Reinforcement Learning, 2nd edition, MIT Press; `terminated` and `truncated`
as in Gymnasium (Towers et al. 2024, arXiv:2407.17032). Methods handle one agent in one world;
seeds, agents and worlds are batched by `jax.vmap`.
"""

import abc
from typing import Any, Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

World = TypeVar("World")
Mind = TypeVar("Mind")


class Discrete(eqx.Module):
    """One of `size` things, numbered from 0; an int32 without axes."""

    size: int = eqx.field(static=True)

    def __check_init__(self):
        if not isinstance(self.size, int | np.integer) or self.size < 1:
            raise ValueError(
                f"A discrete space has at least one element, got size {self.size}. Use for "
                "example Discrete(4) for four actions."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def dtype(self) -> Any:
        return jnp.int32

    def contains(self, x: Array) -> Bool[Array, ""]:
        """Whether `x` is one of the things."""
        return (x >= 0) & (x < self.size)

    def sample(self, *, key: PRNGKeyArray) -> Array:
        """Any of them, all equally likely."""
        return jax.random.randint(key, (), 0, self.size, jnp.int32)

    def features(self, x: Array) -> Float[Array, " feature"]:
        """A vector that networks can read: 1 for this thing, 0 for all others."""
        return jax.nn.one_hot(x, self.size, dtype=jnp.float32)


class Box(eqx.Module):
    """An array of floats (float32) of a fixed shape, each between `low` and `high`."""

    shape: tuple[int, ...] = eqx.field(static=True)
    low: float = eqx.field(static=True, default=-np.inf)
    high: float = eqx.field(static=True, default=np.inf)

    def __check_init__(self):
        sizes = isinstance(self.shape, tuple) and all(n >= 1 for n in self.shape)
        bounds = np.ndim(self.low) == np.ndim(self.high) == 0 and bool(self.low < self.high)
        if not (sizes and bounds):
            raise ValueError(
                f"A box needs a tuple of positive sizes and two numbers low < high, the same for "
                f"all that it holds, got {self}. Use for example Box((2,), low=-1.0, high=1.0)."
            )

    @property
    def dtype(self) -> Any:
        return jnp.float32

    def contains(self, x: Array) -> Bool[Array, ""]:
        """Whether all numbers of `x` lie within the bounds; NaN does not."""
        return jnp.all((x >= self.low) & (x <= self.high))

    def sample(self, *, key: PRNGKeyArray) -> Array:
        """Uniform between the bounds; standard normal where there is none."""
        if np.isfinite(self.low) and np.isfinite(self.high):
            return jax.random.uniform(key, self.shape, minval=self.low, maxval=self.high)
        return jnp.clip(jax.random.normal(key, self.shape), self.low, self.high)

    def features(self, x: Array) -> Float[Array, " feature"]:
        """A vector that networks can read: the numbers in a row."""
        return jnp.ravel(x)


Space = Discrete | Box


def size_of(space: Space) -> int:
    """How many numbers `features` gives."""
    return space.size if isinstance(space, Discrete) else int(np.prod(space.shape))


class Event(eqx.Module):
    """What the world shows, and what followed from the last action.

    `terminated`: nothing more can follow, so that the future is worth 0. `truncated`: somebody
    stopped the clock; the future would have been worth something.
    """

    observation: Array
    reward: Float[Array, ""]
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]


class Transition(eqx.Module):
    """One step of a life, as an agent learns from it.

    `next_observation` is the last one of its episode where that ended, never the first one of the
    following episode.
    """

    observation: Array
    action: Array
    reward: Float[Array, "*batch"]
    next_observation: Array
    terminated: Bool[Array, "*batch"]
    truncated: Bool[Array, "*batch"]

    @property
    def ended(self) -> Bool[Array, "*batch"]:
        """The episode is over, for whatever reason."""
        return self.terminated | self.truncated


class AbstractEnvironment(eqx.Module, Generic[World]):
    """A place to act. It says what may be done and seen, and never resets itself."""

    @property
    @abc.abstractmethod
    def actions(self) -> Space:
        """What can be done."""

    @property
    @abc.abstractmethod
    def observations(self) -> Space:
        """What can be seen."""

    @abc.abstractmethod
    def reset(self, *, key: PRNGKeyArray) -> tuple[World, Event]:
        """Begin an episode: reward 0, nothing has ended."""

    @abc.abstractmethod
    def step(self, state: World, action: Array, *, key: PRNGKeyArray) -> tuple[World, Event]:
        """What follows from an action. After an end, the state means nothing until a reset."""


class AbstractAgent(eqx.Module, Generic[Mind]):
    """Someone who acts, and may learn from what follows. Whatever changes lives in its state."""

    @abc.abstractmethod
    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Mind:
        """Be born. Raises `ValueError` for an environment that it cannot live in."""

    @abc.abstractmethod
    def act(
        self, state: Mind, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Mind, Array]:
        """Choose an action; without `explore`, the best one that it knows."""

    @abc.abstractmethod
    def learn(self, state: Mind, transition: Transition, *, key: PRNGKeyArray) -> Mind:
        """Take in what followed."""

    def begin(self, state: Mind) -> Mind:
        """An episode begins: forget what was only for the last one. Most agents keep all."""
        return state


def blank(environment: AbstractEnvironment) -> Transition:
    """A transition of zeros in the shapes of an environment: what an empty memory holds."""
    zeros = lambda space: jnp.zeros(space.shape, space.dtype)  # noqa: E731
    seen, done = zeros(environment.observations), zeros(environment.actions)
    no = jnp.zeros((), bool)
    return Transition(seen, done, jnp.zeros(()), seen, no, no)
