"""What gradient rules share: a number to differentiate. They differ in how errors travel back."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ..contracts import AbstractRule, AbstractWiring, Error, Sample, State
from ..network import Positions


def _split(brain: Any) -> tuple[Any, Any]:
    fixed = lambda x: isinstance(x, AbstractWiring | Positions)  # noqa: E731
    return eqx.partition(brain, eqx.is_inexact_array, is_leaf=fixed)


def freeze(brain: Any) -> Any:
    """The brain held still: no gradient reaches its weights."""
    still = lambda x: jax.lax.stop_gradient(x) if eqx.is_inexact_array(x) else x  # noqa: E731
    return jax.tree.map(still, brain)


class AbstractGradientRule(AbstractRule[State]):
    """Write `surrogate`; its gradient with respect to `trainable(brain)` is the direction."""

    @abc.abstractmethod
    def surrogate(
        self, state: State, brain: Any, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], PyTree]:
        """The number to differentiate, and notes for `remember`."""

    def propose(
        self, state: State, brain: Any, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[PyTree, PyTree]:
        weights, rest = _split(brain)

        def value(weights: Any) -> tuple[Float[Array, ""], PyTree]:
            return self.surrogate(state, eqx.combine(weights, rest), sample, error, key=key)

        return eqx.filter_grad(value, has_aux=True)(weights)


def direction(
    rule: AbstractRule, state: Any, brain: Any, samples: Sample, error: Error, *, key: PRNGKeyArray
) -> tuple[PyTree, PyTree]:
    """The mean direction and the mean notes of a batch of samples.

    For a gradient rule the gradient of the mean, which is the same as the mean of the gradients
    and much cheaper: no gradient per example is ever held.
    """
    keys = jax.random.split(key, samples.stimuli.shape[0])
    mean = lambda tree: jax.tree.map(lambda x: jnp.mean(x, 0), tree)  # noqa: E731
    if not isinstance(rule, AbstractGradientRule):
        propose = lambda s, k: rule.propose(state, brain, s, error, key=k)  # noqa: E731
        return mean(jax.vmap(propose)(samples, keys))
    weights, rest = _split(brain)

    def value(weights: Any) -> tuple[Float[Array, ""], PyTree]:
        whole = eqx.combine(weights, rest)
        one = lambda s, k: rule.surrogate(state, whole, s, error, key=k)  # noqa: E731
        return mean(jax.vmap(one)(samples, keys))

    return eqx.filter_grad(value, has_aux=True)(weights)
