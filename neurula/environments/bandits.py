"""Machines with arms that pay by chance, and signs that tell which pays now, anew in every life.

Robbins (1952), Bull. Am. Math. Soc. 58:527; with contexts, Langford & Zhang (2007), NeurIPS 20.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Discrete, Event


class Machine(eqx.Module):
    """How likely each arm pays in each context, and the context now."""

    chances: Float[Array, "context arm"]
    context: Int[Array, ""]


class ContextBandits(AbstractEnvironment[Machine]):
    """One of `contexts` signs lights up, then one of `arms` is pulled: reward 1 or 0.

    In every context one arm pays with probability `good`, the others with `bad`; which one is drawn
    by `reset` and holds for the whole life. Signs come at random, and nothing ever ends. With one
    context these are ordinary bandits.
    """

    arms: int = eqx.field(static=True, default=5)
    contexts: int = eqx.field(static=True, default=5)
    good: float = eqx.field(static=True, default=0.9)  # probability of the reward
    bad: float = eqx.field(static=True, default=0.1)

    def __check_init__(self):
        if self.arms < 2 or self.contexts < 1 or not 0 <= self.bad < self.good <= 1:
            raise ValueError(
                f"Bandits have two arms or more, a context or more, and 0 <= bad < good <= 1, but "
                f"got arms={self.arms}, contexts={self.contexts}, bad={self.bad}, good={self.good}:"
                " nothing could be learned. Write `ContextBandits()` for 5 arms and 5 contexts."
            )

    @property
    def actions(self) -> Discrete:
        return Discrete(self.arms)

    @property
    def observations(self) -> Box:
        return Box((self.contexts,), 0.0, 1.0)

    def reset(self, *, key: PRNGKeyArray) -> tuple[Machine, Event]:
        to_arms, to_sign = jax.random.split(key)
        best = jax.random.randint(to_arms, (self.contexts,), 0, self.arms)
        pays = jax.nn.one_hot(best, self.arms, dtype=jnp.float32)
        return self._show(self.bad + (self.good - self.bad) * pays, jnp.zeros(()), to_sign)

    def step(self, state: Machine, action: Array, *, key: PRNGKeyArray) -> tuple[Machine, Event]:
        to_pay, to_sign = jax.random.split(key)
        paid = jax.random.bernoulli(to_pay, state.chances[state.context, action])
        return self._show(state.chances, paid.astype(jnp.float32), to_sign)

    def _show(self, chances: Array, reward: Array, key: PRNGKeyArray) -> tuple[Machine, Event]:
        context = jax.random.randint(key, (), 0, self.contexts)
        seen = jax.nn.one_hot(context, self.contexts, dtype=jnp.float32)
        no = jnp.zeros((), bool)
        return Machine(chances, context), Event(seen, reward, no, no)
