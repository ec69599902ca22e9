"""Any environment of gymnax as one of ours.

Lange (2022), gymnax: a JAX-based reinforcement learning environment library, version 1.
"""

import contextlib
import difflib
import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Event, Space
from ..extras import needed
from .spaces_of_others import as_theirs, space_of


class GymnaxEnvironment(AbstractEnvironment[Any]):
    """The environment `name` of `gymnax.registered_envs`, with its `parameters`; None: as it comes.

    Its own resets are left out: the last observation of an episode is seen, and the state after
    an end means nothing. Its clock truncates, everything else terminates. Observations and rewards
    are floats, numbered things stay numbers; actions whose bounds differ go from -1 to 1. Needs
    `pip install 'neurula[environments]'`. "MNISTBandit-bsuite" fetches its images when it is made.
    """

    name: str = eqx.field(static=True)
    parameters: Any = None

    def __check_init__(self):
        _made(self.name)

    @property
    def _theirs(self) -> tuple[Any, Any]:
        theirs, usual = _made(self.name)
        return theirs, usual if self.parameters is None else self.parameters

    @property
    def actions(self) -> Space:
        return space_of(self._action_space(), self.name, "action")

    @property
    def observations(self) -> Space:
        theirs, parameters = self._theirs
        with jax.ensure_compile_time_eval(), _loose():
            space = space_of(theirs.observation_space(parameters), self.name, "observation")
            seen, _ = jax.eval_shape(theirs.reset_env, jax.random.key(0), parameters)
        # Not all shapes and bounds of gymnax are those of what it shows: boxes here have no bounds.
        return Box(seen.shape) if isinstance(space, Box) else space

    def _action_space(self) -> Any:
        theirs, parameters = self._theirs
        with jax.ensure_compile_time_eval(), _loose():
            return theirs.action_space(parameters)

    def reset(self, *, key: PRNGKeyArray) -> tuple[Any, Event]:
        theirs, parameters = self._theirs
        with _loose():
            seen, state = theirs.reset_env(key, parameters)
        no = jnp.zeros((), bool)
        return _arrays(state), Event(self._seen(seen), jnp.zeros(()), no, no)

    def step(self, state: Any, action: Array, *, key: PRNGKeyArray) -> tuple[Any, Event]:
        theirs, parameters = self._theirs
        with _loose():
            action = as_theirs(self._action_space(), action)
            seen, state, reward, ended, _ = theirs.step_env(key, state, action, parameters)
            late = theirs.is_truncated(state, parameters)
        reward = jnp.asarray(reward, jnp.float32)
        event = Event(self._seen(seen), reward, jnp.asarray(ended, bool), jnp.asarray(late, bool))
        return _arrays(state), event

    def _seen(self, seen: Any) -> Array:
        return jnp.asarray(seen, self.observations.dtype)


def _arrays(state: Any) -> Any:
    """A state that begins with Python's numbers could not go through a loop."""
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), state)


@contextlib.contextmanager
def _loose():
    """Gymnax mixes types and ranks, which whoever calls us may have forbidden."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@functools.cache
def _made(name: str) -> tuple[Any, Any]:
    """An environment of gymnax and its usual parameters, made once, outside compiled programs."""
    needed("six", "environments")  # gymnax needs it and does not say so
    gymnax = needed("gymnax", "environments")
    if name not in gymnax.registered_envs:
        near = difflib.get_close_matches(name, gymnax.registered_envs, n=3, cutoff=0.3)
        raise ValueError(
            f"gymnax has no environment {name!r}. "
            f"{'Nearest: ' + ', '.join(near) + '. ' if near else ''}It has: "
            f"{', '.join(gymnax.registered_envs)}. For example GymnaxEnvironment('CartPole-v1')."
        )
    with jax.ensure_compile_time_eval(), _loose():
        return gymnax.make(name)
