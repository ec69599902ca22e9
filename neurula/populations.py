"""What networks are made of: cells of one kind, and connections from one kind to another."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, Int, Int8, PRNGKeyArray, PyTree

from .contracts import AbstractNeuron, AbstractSynapse, AbstractWiring, Activities, Weight


class Positions(eqx.Module):
    """Where cells sit, in micrometres or any other unit: for pictures, growth, distances."""

    places: Float[Array, "cell axis"]


class Population(eqx.Module):
    """`size` cells of one kind."""

    size: int = eqx.field(static=True)
    neuron: AbstractNeuron
    positions: Positions | None = None

    def __check_init__(self):
        if self.positions is not None and len(self.positions.places) != self.size:
            raise ValueError(
                f"A population of {self.size} cells needs {self.size} positions, but got "
                f"{len(self.positions.places)}. Give one row per cell."
            )


class Projection(eqx.Module):
    """Connections from one population to another, or to itself.

    Activity arrives `delay` steps later; 0 means within the same step. With `delays`, one for each
    weight, every connection takes its own time, 1 to `delay` steps. `sign` holds +1 or -1 for
    every cell that speaks and keeps all its weights on that side (Dale's principle); `None` lets
    them be. Without a `synapse` what arrives lasts one step.
    """

    source: str = eqx.field(static=True)
    target: str = eqx.field(static=True)
    wiring: AbstractWiring
    weight: Weight
    port: str = eqx.field(static=True, default="current")
    delay: int = eqx.field(static=True, default=1)
    sign: Int8[Array, " pre"] | None = None
    synapse: AbstractSynapse | None = None
    delays: Int[Array, "..."] | None = None

    def __check_init__(self):
        room = jax.eval_shape(self.wiring.fill, 0.0).shape
        if self.weight.shape != room:
            raise ValueError(
                f"{type(self.wiring).__name__} wiring from {self.source!r} to {self.target!r} has "
                f"room for weights of shape {room}, but got {self.weight.shape}. "
                "Start from `wiring.fill(0.1)`."
            )
        if self.delay < 0:
            raise ValueError(
                f"A delay is 0 or more steps, but got {self.delay} from {self.source!r} to "
                f"{self.target!r}: activity cannot arrive before it is sent. Use delay=0 or 1."
            )
        if self.delays is not None:
            _check_delays(self.delays, room, self)

    @property
    def name(self) -> str:
        return f"{self.source}->{self.target}"


def _check_delays(delays: Array, room: tuple[int, ...], projection: Projection) -> None:
    where = f"from {projection.source!r} to {projection.target!r}"
    if delays.shape != room:
        raise ValueError(
            f"`delays` holds steps for every weight, shape {room} {where}, but got "
            f"{delays.shape}. For one delay for all use `delay`."
        )
    if isinstance(delays, Tracer) or delays.size == 0:
        return
    if int(delays.min()) < 1 or int(delays.max()) > projection.delay:
        raise ValueError(
            f"`delays` {where} must lie between 1 and delay={projection.delay} steps, the length "
            f"of the buffer, but run from {int(delays.min())} to {int(delays.max())}. Use "
            f"`delay={max(int(delays.max()), 1)}`."
        )


class Signals(eqx.Module):
    """What one step left at every projection and population: all that local learning sees."""

    pre: Activities  # by projection: what arrived at its sources' end
    drive: dict[str, Float[Array, "port _"]]  # by population
    activity: Activities  # by population


class NetworkState(eqx.Module):
    """Cells, what delayed projections still have to deliver, the source of chance, synapses."""

    cells: dict[str, PyTree]
    past: dict[str, Float[Array, "_ _"]]  # newest first; by population, or projection that tires
    clock: tuple[PRNGKeyArray, Array] | None
    synapses: dict[str, tuple[PyTree, PyTree]] = eqx.field(default_factory=dict)  # by projection


def check_fit(projection: Projection, populations: Mapping[str, Population]) -> None:
    """Refuse a projection that does not fit the populations it joins."""
    source, target = populations[projection.source], populations[projection.target]
    if projection.wiring.shape != (target.size, source.size):
        raise ValueError(
            f"Projection {projection.name} needs a wiring of shape (post, pre) = "
            f"{(target.size, source.size)}, the sizes of its populations, but got "
            f"{projection.wiring.shape}. For everyone to everyone: "
            f"`Dense({target.size}, {source.size})`."
        )
    if projection.port not in target.neuron.ports:
        raise ValueError(
            f"{type(target.neuron).__name__} cells have ports {target.neuron.ports}, but "
            f"projection {projection.name} arrives at {projection.port!r}. "
            f"Use `port={target.neuron.ports[0]!r}`."
        )
    if projection.sign is not None and projection.sign.shape != (source.size,):
        raise ValueError(
            f"`sign` holds one number per cell that speaks: {source.size} for {projection.name}, "
            f"but got shape {projection.sign.shape}."
        )
    weight = projection.weight
    if projection.sign is not None and (
        jax.eval_shape(projection.wiring.spread, weight).shape != weight.shape
    ):
        raise ValueError(
            f"`sign` gives cells signs, but in projection {projection.name} many cells share a "
            f"weight (shape {weight.shape}). Give each connection its own: `shared=False`."
        )


def keep_sign(projection: Projection) -> Projection:
    """The projection with all weights on the wrong side of zero set to zero."""
    if projection.sign is None:
        return projection
    wiring, weight = projection.wiring, projection.weight
    sign, _ = wiring.ends(projection.sign.astype(weight.dtype), jnp.zeros(wiring.shape[0]))
    return eqx.tree_at(lambda p: p.weight, projection, jnp.where(weight * sign < 0, 0.0, weight))
