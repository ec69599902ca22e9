"""The smallest problem in which the maximum of noisy estimates misleads.

Sutton & Barto (2018), Reinforcement Learning, 2nd edition, example 6.7 and figure 6.5.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

ACTIONS = 10  # in B
RATE, EXPLORE = 0.1, 0.1  # step size, share of random actions
PAYS = -0.1  # mean reward of every action in B; its standard deviation is 1
LEAST = 10  # episodes between renewals of a frozen copy


def lefts(
    *, double: bool, renew: int | None, runs: int, episodes: int, key: PRNGKeyArray
) -> Float[Array, " episode"]:
    """The share of runs that went left, in every episode; at best it is 5 %.

    Columns of a table: right and left in A, then the actions of B. Right ends the episode with 0,
    left leads to B with 0; there every action ends it. A copy of the table is renewed every `renew`
    episodes and judges what B is worth; `None`: a twin, and a coin says which of the two learns.
    With `double` the table chooses the action that the copy judges, else the copy does both.
    Without discount.
    """
    at_luck, at_pay = jax.random.split(key)
    luck = jax.random.uniform(at_luck, (runs, episodes, 6 + 2 + ACTIONS))
    pay = PAYS + jax.random.normal(at_pay, (runs, episodes))

    def episode(tables: Array, now: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        number, luck, pay = now
        acting = tables[0] if renew is not None else tables.sum(0)
        acting = acting + 1e-6 * luck[6:]  # equal values: any of them
        left = jnp.where(luck[0] < EXPLORE, luck[1] < 0.5, acting[1] > acting[0])
        any_of = (ACTIONS * luck[3]).astype(jnp.int32)
        chosen = 2 + jnp.where(luck[2] < EXPLORE, any_of, jnp.argmax(acting[2:]))
        first, second = [
            jnp.int32(0) if renew is not None else (coin < 0.5).astype(jnp.int32)
            for coin in (luck[4], luck[5])
        ]
        judge = tables[1 - first, 2:]
        best = jnp.argmax(tables[first, 2:] if double else judge)
        at = left.astype(jnp.int32)  # column of what was done in A
        goal = jnp.where(left, judge[best], 0.0)
        tables = tables.at[first, at].add(RATE * (goal - tables[first, at]))
        step = jnp.where(left, RATE * (pay - tables[second, chosen]), 0.0)
        tables = tables.at[second, chosen].add(step)
        if renew is not None:
            tables = jnp.where((number + 1) % renew == 0, tables[:1], tables).at[0].set(tables[0])
        return tables, left.astype(jnp.float32)

    def run(luck: Array, pay: Array) -> Array:
        start = jnp.zeros((2, 2 + ACTIONS))
        return jax.lax.scan(episode, start, (jnp.arange(episodes), luck, pay))[1]

    return jnp.mean(jax.vmap(run)(luck, pay), 0)
