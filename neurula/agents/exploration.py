"""From values to choices: greedy with accidents, soft, or without looking at values at all.

Sutton & Barto (2018), Reinforcement Learning, 2nd edition, MIT Press, chapter 2; softmax choice of
animals and people: Daw, O'Doherty, Dayan, Seymour & Dolan (2006), Nature 441:876.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..environments.finite import draw

Values = Float[Array, " action"]


class AbstractExploration(eqx.Module):
    """How likely each action is, given what each is thought to be worth."""

    @abc.abstractmethod
    def probabilities(self, values: Values) -> Values:
        """The chances of actions while exploring."""


class EpsilonGreedy(AbstractExploration):
    """The best action, and with probability `epsilon` any. Equals share."""

    epsilon: float | Float[Array, ""] = 0.1

    def __check_init__(self):
        if isinstance(self.epsilon, float | int) and not 0 <= self.epsilon <= 1:
            raise ValueError(
                f"The share of random actions is from 0 to 1, got epsilon={self.epsilon}: others "
                "would have negative chances. Use for example EpsilonGreedy(0.1)."
            )

    def probabilities(self, values: Values) -> Values:
        return self.epsilon / values.size + (1 - self.epsilon) * greedy(values)


class Softmax(AbstractExploration):
    """exp(value / temperature), normalised; the temperature is in units of value."""

    temperature: float | Float[Array, ""] = 1.0

    def __check_init__(self):
        if isinstance(self.temperature, float | int) and not self.temperature > 0:
            raise ValueError(
                f"A temperature is above 0, got {self.temperature}: chances would be no numbers, "
                "or those of the worst. Use for example Softmax(0.1), or EpsilonGreedy(0.0) for "
                "the best action alone."
            )

    def probabilities(self, values: Values) -> Values:
        return jax.nn.softmax(values / self.temperature)


class Uniform(AbstractExploration):
    """Anything, all equally likely: a random walk. Values are not even computed."""

    def probabilities(self, values: Values) -> Values:
        return jnp.full(values.shape, 1.0 / values.size)


def greedy(values: Values) -> Values:
    """The chances of actions for someone who takes the best; equals share."""
    best = (values == jnp.max(values)).astype(values.dtype)
    return best / jnp.sum(best)


def choose(
    exploration: AbstractExploration, values: Values, explore: bool, key: PRNGKeyArray
) -> Int[Array, ""]:
    """An action."""
    return draw(exploration.probabilities(values) if explore else greedy(values), key)
