"""Worlds of finitely many states, whose chances can be written down exactly: oracles for agents.

Bellman (1957), J. Math. Mech. 6:679, for the process; Puterman (1994), Markov Decision Processes,
Wiley, for the words.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Discrete, Event
from ..free_memory import afford

State = Int[Array, ""]


class Outcomes(eqx.Module):
    """All that can follow from one action in one state: how likely, where to, for what reward."""

    probability: Float[Array, " branch"]
    state: Int[Array, " branch"]
    reward: Float[Array, " branch"]


class AbstractFiniteWorld(AbstractEnvironment[State]):
    """A world whose state is a number from 0, and seen as it is.

    Write `outcomes`, `starts` and `terminal`: steps are drawn from these, and `transitions` makes
    exact matrices of them.
    """

    @property
    @abc.abstractmethod
    def starts(self) -> Float[Array, " state"]:
        """How likely an episode begins in each state."""

    @property
    @abc.abstractmethod
    def terminal(self) -> Bool[Array, " state"]:
        """The states that end an episode when they are reached."""

    @abc.abstractmethod
    def outcomes(self, state: State, action: Array) -> Outcomes:
        """What can follow; the number of branches is the same everywhere."""

    def reset(self, *, key: PRNGKeyArray) -> tuple[State, Event]:
        state = draw(self.starts, key)
        no = jnp.zeros((), bool)
        return state, Event(state, jnp.zeros(()), no, no)

    def step(self, state: State, action: Array, *, key: PRNGKeyArray) -> tuple[State, Event]:
        follows = self.outcomes(state, action)
        one = follows.probability.size == 1
        branch = jnp.zeros((), jnp.int32) if one else draw(follows.probability, key)
        state = follows.state[branch]
        no = jnp.zeros((), bool)
        return state, Event(state, follows.reward[branch], self.terminal[state], no)


class Transitions(eqx.Module):
    """A finite world in matrices.

    `probability[s, a, t]`: from state s by action a to state t; rows of terminal states are zero,
    since nothing follows. `reward[s, a]`: the mean reward. `starts[s]`: where episodes begin.
    """

    probability: Float[Array, "state action next_state"]
    reward: Float[Array, "state action"]
    starts: Float[Array, " state"]
    terminal: Bool[Array, " state"]


def transitions(environment: AbstractEnvironment) -> Transitions:
    """The exact matrices of a finite world, by asking every state and action what can follow.

    Raises `TypeError` for other worlds, whose chances nobody has written down, and `MemoryError`
    for matrices that do not fit.
    """
    seen, done = environment.observations, environment.actions
    finite = isinstance(seen, Discrete) and isinstance(done, Discrete)
    if not (isinstance(environment, AbstractFiniteWorld) and finite):
        raise TypeError(
            f"{type(environment).__name__} is not an AbstractFiniteWorld: its states cannot be "
            "counted, so there is no matrix of its transitions. Use for example GridWorld (the "
            "world inside of a TimeLimit is its `environment`), or write your world as an "
            "AbstractFiniteWorld with `outcomes`, `starts`, `terminal`."
        )
    afford(
        4 * seen.size * done.size * seen.size,
        f"The chances from {seen.size:,} states by {done.size:,} actions to {seen.size:,} states",
        "a matrix has one for each",
        "Ask for a smaller world.",
    )
    every = jax.vmap(jax.vmap(environment.outcomes, (None, 0)), (0, None))
    follows = every(jnp.arange(seen.size), jnp.arange(done.size))
    going = 1.0 - environment.terminal.astype(jnp.float32)
    chance = follows.probability * going[:, None, None]
    rows = jnp.arange(seen.size)[:, None, None]
    columns = jnp.arange(done.size)[None, :, None]
    empty = jnp.zeros((seen.size, done.size, seen.size))
    probability = empty.at[rows, columns, follows.state].add(chance)
    reward = jnp.sum(chance * follows.reward, -1)
    return Transitions(probability, reward, environment.starts, environment.terminal)


def draw(probability: Float[Array, " choice"], key: PRNGKeyArray) -> State:
    """A number from 0, as likely as `probability` says. Cheaper in loops than a categorical."""
    total = jnp.cumsum(probability)
    drawn = jax.random.uniform(key) * total[-1]
    below = jnp.sum((total <= drawn).astype(jnp.int32))
    return jnp.minimum(below, probability.size - 1).astype(jnp.int32)
