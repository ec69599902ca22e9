"""Dreams instead of memories: what each class looks like, and no example of any.

Rehearsal of what was never stored: Robins (1995), Conn. Sci. 7:123; by a generator of inputs: Shin
et al. (2017), NeurIPS 30:2990. The generator: Tipping & Bishop (1999), J. R. Stat. Soc. B 61:611.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..contracts import Sample
from .complementary import AbstractRehearsal, one_of


class Looks(eqx.Module):
    """What each class looks like. A class takes as many numbers as `factors` + 2 examples do."""

    mean: Float[Array, "class size"]
    factors: Float[Array, "class factor size"]
    spread: Float[Array, "class size"]  # standard deviation beside the factors
    seen: Bool[Array, " class"]


class ClassGaussians(AbstractRehearsal[Looks]):
    """One Gaussian a class, with `factors` principal directions and a spread for each number.

    Equation: x = m_c + sum_k f_ck z_k + s_c e, z and e standard normal; f_ck are the principal
    directions of class c times their standard deviations, s_c what they leave of each number's.
    Source: the module's.
    """

    classes: int = 10
    factors: int = 8

    def __check_init__(self):
        if self.classes < 1 or self.factors < 0:
            raise ValueError(
                f"Expected a class or more and 0 factors or more, got classes={self.classes} and "
                f"factors={self.factors}. For example `ClassGaussians(classes=10, factors=8)`."
            )

    def init(self, example: Sample) -> Looks:
        """Nothing seen. `example` is one, of whatever value: a single vector at a single time."""
        time, size = example.stimuli.shape
        if time != 1 or size < self.factors:
            raise ValueError(
                f"Expected examples of one time step and at least {self.factors} numbers, one for "
                f"each factor, got {time} steps of {size} numbers. A Gaussian knows no order in "
                "time, and no more directions than numbers. Show a picture once, or lower "
                f"`factors`: `ClassGaussians(factors={min(size, self.factors)})`."
            )
        flat = jnp.zeros((self.classes, size))
        factors = jnp.zeros((self.classes, self.factors, size))
        return Looks(flat, factors, flat, jnp.zeros(self.classes, bool))

    def see(
        self,
        state: Looks,
        examples: Sample,
        labels: Int[Array, " example"],
        classes: Int[Array, " seen"],
        *,
        key: PRNGKeyArray,
    ) -> Looks:
        """See all examples of these classes at once. What was known of them goes."""
        for label in classes:
            state = self.fit(state, examples.stimuli[:, 0], labels == label, label)
        return state

    def fit(
        self,
        state: Looks,
        stimuli: Float[Array, "example size"],
        member: Bool[Array, " example"],
        label: Int[Array, ""],
    ) -> Looks:
        """See all examples of one class, those with `member`."""
        weights = member.astype(stimuli.dtype)
        weights = weights / jnp.maximum(jnp.sum(weights), 1.0)
        mean = weights @ stimuli
        apart = stimuli - mean[None]
        covariance = (weights[:, None] * apart).T @ apart
        variances, directions = jnp.linalg.eigh(covariance)
        first = slice(stimuli.shape[1] - self.factors, None)  # eigenvalues ascend
        deviations = jnp.sqrt(jnp.maximum(variances[first], 0.0))
        factors = (directions[:, first] * deviations[None]).T
        left = jnp.maximum(jnp.diagonal(covariance) - jnp.sum(factors**2, 0), 0.0)
        return Looks(
            state.mean.at[label].set(mean),
            state.factors.at[label].set(factors),
            state.spread.at[label].set(jnp.sqrt(left)),
            state.seen.at[label].set(True),
        )

    def known(self, state: Looks) -> Bool[Array, " class"]:
        return state.seen

    def sample(self, state: Looks, *, key: PRNGKeyArray) -> tuple[Sample, Int[Array, ""]]:
        at_class, at_factors, at_spread = jax.random.split(key, 3)
        label = one_of(state.seen, key=at_class)
        spread = state.spread[label]
        along = jax.random.normal(at_factors, (self.factors,)) @ state.factors[label]
        aside = jax.random.normal(at_spread, spread.shape) * spread
        target = jax.nn.one_hot(label, self.classes)
        stimulus = state.mean[label] + along + aside
        return Sample(stimulus[None], target[None], jnp.ones(1)), label
