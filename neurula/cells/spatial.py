"""What cells of a spatial code promise: rates for where an animal is, and how it is turned."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..environments.arena import Whereabouts

AT_ONCE = 4096  # places whose rates are computed side by side: they stay in the cache


class AbstractSpatialCells(eqx.Module):
    """Cells whose rates follow from position and direction alone."""

    @abc.abstractmethod
    def rates(
        self, position: Float[Array, "2"], direction: Float[Array, ""]
    ) -> Float[Array, " cell"]:
        """Rates (Hz) at a position (m) and a direction (rad from the x axis); maps over both."""


def follow(cells: AbstractSpatialCells, path: Whereabouts) -> Float[Array, "time cell"]:
    """Rates (Hz) all along a path; `jax.vmap` over paths for many animals."""
    one = lambda here: cells.rates(*here)  # noqa: E731
    return jax.lax.map(one, (path.position, path.direction), batch_size=AT_ONCE)


def spikes(
    rates: Float[Array, "*time cell"], *, dt: float, key: PRNGKeyArray
) -> Bool[Array, "*time cell"]:
    """Who fires within each step of `dt` seconds: a Poisson process, cut to one spike a step.

    P(spike) = 1 - exp(-rate dt); a rate below zero counts as zero. Source: Gerstner & Kistler
    (2002), Spiking Neuron Models, 5.2.
    """
    return jax.random.uniform(key, rates.shape) < -jnp.expm1(-rates * dt)
