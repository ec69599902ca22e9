"""Learning how the world works, and thinking ahead in it.

Daw, Niv & Dayan (2005), Nat. Neurosci. 8:1704; Kuvayev & Sutton (1996), Yale Workshop 9:101.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment, Transition
from .exploration import AbstractExploration, EpsilonGreedy, choose
from .tables import Scalar, afford_table, check_settings, table_size


class Model(eqx.Module):
    """Counts of what led where, sums of rewards, and values by thinking ahead.

    With forgetting, counts are of recent times: those of a pair fade whenever it is tried again.
    """

    counts: Float[Array, "state action next_state"]
    rewards: Float[Array, "state action"]
    ends: Bool[Array, " state"]
    q: Float[Array, "state action"]


class ModelBased(AbstractAgent[Model]):
    """T(s, a, s') and R(s, a) are shares and means of what was seen; `sweeps` of value iteration.

    Q(s, a) = R(s, a) + discount sum_s' T(s, a, s') max_b Q(s', b), for all pairs tried, after every
    step, beginning with the last values. `keep` below 1 forgets: what a pair led to earlier fades
    by that factor with each new outcome, so that a changed world is noticed.
    One step costs states^2 * actions * sweeps multiplications. Raises `ValueError` for spaces that
    cannot be counted.
    """

    discount: Scalar = 0.95
    exploration: AbstractExploration = EpsilonGreedy()
    sweeps: int = eqx.field(static=True, default=10)  # of all values for each real step
    keep: Scalar = 1.0
    initial: Scalar = 0.0  # value of what was never tried

    def __check_init__(self):
        check_settings(self)
        if self.sweeps < 1:
            raise ValueError(
                f"All values come from sweeps, got sweeps={self.sweeps}: nothing would be learned. "
                "Use for example ModelBased(sweeps=10)."
            )

    def init(self, environment: AbstractEnvironment, *, key: PRNGKeyArray) -> Model:
        states, actions = table_size(self, environment)
        afford_table(self, states, actions, states)
        nothing, none = jnp.zeros((states, actions)), jnp.zeros(states, bool)
        return Model(jnp.zeros((states, actions, states)), nothing, none, nothing + self.initial)

    def act(
        self, state: Model, observation: Array, *, explore: bool = True, key: PRNGKeyArray
    ) -> tuple[Model, Array]:
        return state, choose(self.exploration, state.q[observation], explore, key)

    def learn(self, state: Model, transition: Transition, *, key: PRNGKeyArray) -> Model:
        t = transition
        here = (t.observation, t.action)
        counts = state.counts.at[here].multiply(self.keep)
        counts = counts.at[(*here, t.next_observation)].add(1.0)
        rewards = state.rewards.at[here].multiply(self.keep).at[here].add(t.reward)
        ends = state.ends.at[t.next_observation].set(t.terminated)
        tried = jnp.sum(counts, axis=2)

        def sweep(q: Array, _: None) -> tuple[Array, None]:
            worth = jnp.float32(self.discount) * jnp.where(ends, 0.0, jnp.max(q, axis=1))
            found = (rewards + counts @ worth) / jnp.maximum(tried, 1e-9)
            return jnp.where(tried > 0, found, q), None

        q, _ = jax.lax.scan(sweep, state.q, length=self.sweeps)
        return Model(counts, rewards, ends, q)
