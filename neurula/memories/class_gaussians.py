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

    size: int  # numbers of a stimulus
    classes: int = 10
    factors: int = 8

    def __check_init__(self):
        if self.size < 1 or self.classes < 1 or not 0 <= self.factors <= self.size:
            raise ValueError(
                f"A Gaussian of {self.size} numbers has at most as many principal directions, but "
                f"got factors={self.factors} (and classes={self.classes}). For example "
                "`ClassGaussians(64, classes=10, factors=8)`."
            )

    def init(self) -> Looks:
        """Nothing seen."""
        flat = jnp.zeros((self.classes, self.size))
        factors = jnp.zeros((self.classes, self.factors, self.size))
        return Looks(flat, factors, flat, jnp.zeros(self.classes, bool))

    def fit(
        self,
        state: Looks,
        stimuli: Float[Array, "example size"],
        member: Bool[Array, " example"],
        label: Int[Array, ""],
    ) -> Looks:
        """See all examples of one class, those with `member`, at once; then forget them."""
        weights = member.astype(stimuli.dtype)
        weights = weights / jnp.maximum(jnp.sum(weights), 1.0)
        mean = weights @ stimuli
        apart = stimuli - mean[None]
        covariance = (weights[:, None] * apart).T @ apart
        variances, directions = jnp.linalg.eigh(covariance)
        first = slice(self.size - self.factors, None)  # eigenvalues ascend
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
        along = jax.random.normal(at_factors, (self.factors,)) @ state.factors[label]
        aside = jax.random.normal(at_spread, (self.size,)) * state.spread[label]
        target = jax.nn.one_hot(label, self.classes)
        stimulus = state.mean[label] + along + aside
        return Sample(stimulus[None], target[None], jnp.ones(1)), label
