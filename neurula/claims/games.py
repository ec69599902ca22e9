"""Games on which several claims let agents learn, with what chance and the best get."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractAgent, AbstractEnvironment
from ..environments import CartPole, Catch, TimeLimit
from ..lifetime import act

STRETCHES = 10  # of a life, for curves; the last one is its score
FLOOR = 0.05  # scores below it count as this one where their logarithm is taken


class Game(eqx.Module):
    """An environment and the sums of rewards of an episode that make a score of 0 and 1."""

    environment: AbstractEnvironment
    chance: float  # a player's who does anything
    best: float

    def play(
        self, agent: AbstractAgent, steps: int, *, key: PRNGKeyArray
    ) -> Float[Array, " stretch"]:
        """Live and learn. The mean score of the episodes that ended in each tenth of the life.

        A tenth in which none ended has the score 0.
        """
        returns = act(agent, self.environment, steps=steps, key=key).returns
        returns = returns[steps % STRETCHES :].reshape(STRETCHES, -1)
        ended = jnp.isfinite(returns)
        scores = (jnp.where(ended, returns, 0.0) - self.chance) / (self.best - self.chance)
        count = jnp.sum(ended.astype(jnp.float32), 1)
        return jnp.sum(jnp.where(ended, scores, 0.0), 1) / jnp.maximum(count, 1.0)


CATCH = Game(Catch(), -0.6, 1.0)
CART_POLE = Game(TimeLimit(CartPole(), 500), 22.0, 500.0)


def logs(scores: Float[Array | np.ndarray, "*any"]) -> Float[Array, "*any"]:
    """Natural logarithms of scores, from 5 % of the way between chance and the best."""
    return jnp.log(jnp.maximum(jnp.asarray(scores, jnp.float32), FLOOR))
