"""Imagining first what would change values most, then what leads there.

Moore & Atkeson (1993), Mach. Learn. 13:103; Peng & Williams (1993), Adapt. Behav. 1:437; as in
Sutton & Barto (2018), Reinforcement Learning, 2nd edition, MIT Press, section 8.4.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from .exploration import AbstractExploration, EpsilonGreedy, choose
from .remembered import Remembered, nothing_remembered, remember
from .tables import Scalar, check_settings, future, table_size

Table = Float[Array, "state action"]


class Sweeping(eqx.Module):
    """Values, the model, how much each value waits to change, and how many changes were made."""

    q: Table
    memory: Remembered
    priority: Table
    updates: Int[Array, ""]


class PrioritisedSweeping(AbstractAgent[Sweeping]):
    """Up to `planning` changes a step, always of the value that would change most.

    priority(s, a) = |r + discount max_b Q(s', b) - Q(s, a)|. A change of Q(s, .) sets the
    priorities of all pairs known to lead to s; below `threshold` (in units of value) none is made.
    The model holds the last outcome of each pair. A change looks at all pairs, not at a heap: quick
    for thousands of pairs. Raises `ValueError` for spaces that cannot be counted.
    """

    rate: Scalar = 1.0
    discount: Scalar = 0.95
    exploration: AbstractExploration = EpsilonGreedy()
    planning: int = eqx.field(static=True, default=10)  # most changes for each real step
    threshold: Scalar = 1e-4
    initial: Scalar = 0.0  # value of what was never tried

    def __check_init__(self):
        check_settings(self)
        if self.planning < 1:
            raise ValueError(
                f"All values are changed by sweeps, got planning={self.planning}: nothing would be "
                "learned. Use for example PrioritisedSweeping(planning=10)."
            )

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Sweeping:
        size = table_size(self, environment)
        none = jnp.zeros((), jnp.int32)
        q = jnp.zeros(size) + self.initial
        return Sweeping(q, nothing_remembered(*size), jnp.zeros(size), none)

    def act(
        self, state: Sweeping, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Sweeping, Array]:
        return state, choose(self.exploration, state.q[observation], explore, key)

    def learn(self, state: Sweeping, transition: Transition, *, key: PRNGKeyArray) -> Sweeping:
        t, memory = transition, remember(state.memory, transition)
        here = (t.observation, t.action)
        error = jnp.abs(self._target(state.q, memory, here) - state.q[here])
        priority = state.priority.at[here].set(jnp.where(error > self.threshold, error, 0.0))
        start = (state.q, priority, state.updates)
        (q, priority, updates), _ = jax.lax.scan(
            lambda carry, _: (self._sweep(memory, *carry), None), start, length=self.planning
        )
        return Sweeping(q, memory, priority, updates)

    def _target(self, q: Table, memory: Remembered, here: tuple[Array, Array]) -> Array:
        ahead = future(q, memory.next_state[here], memory.ended[here])
        return memory.reward[here] + jnp.float32(self.discount) * ahead

    def _sweep(
        self, memory: Remembered, q: Table, priority: Table, updates: Array
    ) -> tuple[Table, Table, Array]:
        """Change the value that waits most, and see who depends on it."""
        actions = q.shape[1]
        pair = jnp.argmax(priority)
        here = (pair // actions, pair % actions)
        due = priority[here] > 0
        step = jnp.where(due, self.rate * (self._target(q, memory, here) - q[here]), 0.0)
        q = q.at[here].add(step)
        priority = priority.at[here].set(0.0)
        worth = jnp.float32(self.discount) * jnp.max(q[here[0]])
        error = jnp.abs(memory.reward + worth - q)
        leads = memory.seen & ~memory.ended & (memory.next_state == here[0])
        raised = jnp.where(leads & due & (error > self.threshold), error, 0.0)
        return q, jnp.maximum(priority, raised), updates + due.astype(jnp.int32)
