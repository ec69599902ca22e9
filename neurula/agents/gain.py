"""Which remembered step would be worth most to think of next: its gain times the need for it.

Mattar & Daw (2018), Nat. Neurosci. 21:1609.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .exploration import AbstractExploration
from .planning import successor_matrix

Table = Float[Array, "state action"]


def gain(q: Table, targets: Table, exploration: AbstractExploration, *, rate: float = 1.0) -> Table:
    """How much more one would earn in s with the policy after changing Q(s, a) than before.

    sum_b (p_new(b|s) - p_old(b|s)) Q_new(s, b), where Q_new(s, a) = Q(s, a) + rate (target - Q(s,
    a)) and p are the chances that `exploration` gives. Same units as values.
    """
    policy = jax.vmap(exploration.probabilities)
    before = policy(q)
    actions = q.shape[1]

    def one(action: Array) -> Float[Array, " state"]:
        step = rate * (targets[:, action] - q[:, action])
        now = q.at[:, action].add(step)
        return jnp.sum((policy(now) - before) * now, axis=1)

    return jax.vmap(one, out_axes=1)(jnp.arange(actions))


def need(
    chain: Float[Array, "state next_state"], here: Array, discount: float
) -> Float[Array, " state"]:
    """How often, discounted, each state will be visited from `here`: a row of the successors."""
    return successor_matrix(chain, discount)[here]


def backup_value(
    q: Table,
    targets: Table,
    exploration: AbstractExploration,
    chain: Float[Array, "state next_state"],
    here: Array,
    *,
    discount: float,
    rate: float = 1.0,
) -> Table:
    """The expected value of changing Q(s, a): gain(s, a) x need(s). Its maximum comes first."""
    ahead = need(chain, here, discount)
    return gain(q, targets, exploration, rate=rate) * ahead[:, None]
