"""Any environment of Gymnasium as one of ours: it runs in Python, beside the compiled program.

Towers et al. (2024), arXiv:2407.17032.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Event, Space
from .gymnasium_host import Host
from .spaces_of_others import as_theirs, space_of


class Moment(eqx.Module):
    """Where the world is: an episode by its number, and how many steps it is old."""

    episode: Int[Array, "*batch"]
    step: Int[Array, "*batch"]


class GymnasiumEnvironment(AbstractEnvironment[Moment]):
    """`make` is a name, as in `gymnasium.make(name)`, or a function that makes an environment.

    Every episode has a copy of its own, seeded by the key of its reset; `copies` of them are kept
    open, four times as many as lives run side by side if that is more. A step costs a call of
    Python, lives side by side take turns, and under `jax.vmap` every step also resets a spare copy:
    one life after another (`jax.lax.map`) saves that. A state is a moment of one copy, so that
    nobody can go back to an earlier one. What is seen and rewarded is checked at every step:
    `ValueError`s, inside JAX's run-time errors, name the environment for changed shapes and NaN.

    Spaces of numbered things and of floats only; see `spaces_of_others`. Needs
    `pip install 'neurula[environments]'`.
    """

    make: str | Callable[[], Any] = eqx.field(static=True)
    copies: int = eqx.field(static=True, default=8)
    host: Host = eqx.field(static=True, init=False)

    def __post_init__(self):
        self.host = Host(self.make, self.copies)

    @property
    def actions(self) -> Space:
        return space_of(self.host.action_space, self.host.name, "action")

    @property
    def observations(self) -> Space:
        return space_of(self.host.observation_space, self.host.name, "observation")

    def reset(self, *, key: PRNGKeyArray) -> tuple[Moment, Event]:
        seed = jax.random.bits(key, (), jnp.uint32) >> 1
        return self._call(self.host.reset, seed)

    def step(self, state: Moment, action: Array, *, key: PRNGKeyArray) -> tuple[Moment, Event]:
        action = as_theirs(self.host.action_space, action)
        return self._call(self.host.step, state.episode, state.step, action)

    def _call(self, function: Callable, *given: Array) -> tuple[Moment, Event]:
        """Ask the host. It is no side effect for JAX: states follow from states, in their order."""
        space, number = self.observations, jax.ShapeDtypeStruct((), jnp.int32)
        seen, yes_or_no = jax.ShapeDtypeStruct(space.shape, space.dtype), number.update(dtype=bool)
        told = (number, number, seen, number.update(dtype=jnp.float32), yes_or_no, yes_or_no)
        found = jax.pure_callback(function, told, *given, vmap_method="broadcast_all")
        return Moment(*found[:2]), Event(*found[2:])
