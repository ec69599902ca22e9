"""Wirings that carry activity as usual but send errors back another way, or not at all.

With these, rules that differ from backprop only in their feedback are gradients of the ordinary
error, on networks of any depth and with loops.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..contracts import AbstractWiring, Weight, Weights
from ..network import Network, Projection
from ..weights import fan_in


@eqx.filter_custom_vjp
def _detour(drive_and_activity, wiring, feedback):
    """The drive. Its error goes back to it unchanged, and to the activity through `feedback`."""
    return drive_and_activity[0]


@_detour.def_fwd
def _forward(perturbed, drive_and_activity, wiring, feedback):
    return drive_and_activity[0], None


@_detour.def_bwd
def _backward(residuals, error, perturbed, drive_and_activity, wiring, feedback):
    return error, wiring.back(feedback, error)


class AbstractDetour(AbstractWiring):
    """A wiring like `inner` in everything but the way back."""

    inner: eqx.AbstractVar[AbstractWiring]

    @property
    def shape(self) -> tuple[int, int]:
        return self.inner.shape

    @property
    def exists(self) -> Bool[Array, "*edge"] | None:
        return self.inner.exists

    def ends(
        self, pre: Float[Array, " pre"], post: Float[Array, " post"]
    ) -> tuple[Float[Array, "*a"], Float[Array, "*b"]]:
        return self.inner.ends(pre, post)

    def fill(self, value: Float[Array, ""] | float) -> Weight:
        return self.inner.fill(value)

    def spread(self, weight: Weight) -> Float[Array, "*edge"]:
        return self.inner.spread(weight)

    def keep(self, pre: Bool[Array, " pre"], post: Bool[Array, " post"]) -> AbstractWiring:
        return self.inner.keep(pre, post)


class Detour(AbstractDetour):
    """Errors travel back through `feedback` in place of the weights."""

    inner: AbstractWiring
    feedback: Weight

    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        # The weight's gradient is left to JAX, which takes it for a whole batch at once.
        direct = self.inner.drive(weight, jax.lax.stop_gradient(activity))
        return _detour((direct, activity), self.inner, self.feedback)


class Severed(AbstractDetour):
    """Errors do not travel back at all."""

    inner: AbstractWiring

    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        return self.inner.drive(weight, jax.lax.stop_gradient(activity))


def _rewired(p: Projection, wiring: AbstractWiring) -> Projection:
    return dataclasses.replace(p, wiring=wiring)


def redirect(network: Network, feedback: Weights) -> Network:
    """The network in which errors travel back through `feedback`, by projection."""
    return network.edit(lambda p: _rewired(p, Detour(p.wiring, feedback[p.name])))


def sever(network: Network) -> Network:
    """The network in which no error leaves the population where it arises."""
    return network.edit(lambda p: _rewired(p, Severed(p.wiring)))


def draw_feedback(network: Network, gain: float, *, key: PRNGKeyArray) -> Weights:
    """Random feedback weights, distributed as first forward weights are, by projection."""
    keys = jax.random.split(key, len(network.projections))
    pairs = zip(network.projections, keys, strict=True)
    return {p.name: fan_in(p.wiring, gain=gain, key=k) for p, k in pairs}


def demand_network(rule: Any, brain: Any, also: Callable[[Network], str | None]) -> None:
    """Refuse brains that are no Network, or of which `also` says what is wrong."""
    name = type(rule).__name__
    if not isinstance(brain, Network):
        raise ValueError(
            f"{name} changes projections of a neurula Network, but got a {type(brain).__name__}, "
            "whose connections it cannot see. Use `Backprop()`, which teaches any block."
        )
    if problem := also(brain):
        raise ValueError(f"{name} {problem}")
