"""What a synapse of a spiking cell remembers of its own doing: eligibility, forward in time.

Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein & Maass (2020), Nat. Commun. 11:3625.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from ..contracts import AbstractNeuron, Activity
from ..network import Projection

Laid = Float[Array, "..."]  # leading axes, then the places of a projection or the cells


class Slopes(eqx.Module):
    """How what a step leaves behind follows what went into it, cell by cell.

    `out` counts the leaves of the new state, and the activity last.
    """

    state: Float[Array, "leaf out cell"]
    drive: Float[Array, "port out cell"]
    parameters: tuple[Float[Array, "out cell"], ...]  # the neuron's arrays, one after the other


class Mark(eqx.Module):
    """What is kept at every place that learns: every weight, and every array of a cell."""

    traces: Laid  # d state / d weight, leaf by leaf, through the cell's own past
    smooth: Laid | None  # d activity / d weight, as the readout smooths it, if it does
    total: Laid  # the direction so far


def parameters(neuron: AbstractNeuron) -> list[Array]:
    """The arrays of a neuron that learning may change."""
    return jax.tree.leaves(eqx.filter(neuron, eqx.is_inexact_array))


def slopes(
    neuron: AbstractNeuron, state: PyTree, drive: Float[Array, "port cell"], dt: float
) -> Slopes:
    """Differentiate a neuron's step; exact because a step is elementwise over cells."""
    moving, rest = eqx.partition(state, eqx.is_inexact_array)
    arrays, settings = eqx.partition(neuron, eqx.is_inexact_array)

    def step(moving: PyTree, drive: Array, arrays: PyTree) -> Float[Array, "out cell"]:
        cells = eqx.combine(arrays, settings)
        after, activity = cells.step(eqx.combine(moving, rest), drive, None, dt=dt)
        return jnp.stack([*jax.tree.leaves(eqx.filter(after, eqx.is_inexact_array)), activity])

    _, follow = jax.linearize(step, moving, drive, arrays)
    into = [jax.tree.map(jnp.zeros_like, x) for x in (moving, drive, arrays)]

    def by(place: int) -> list[Float[Array, "out cell"]]:
        leaves, shape = jax.tree.flatten(into[place])

        def push(i: int) -> Float[Array, "out cell"]:
            one = shape.unflatten([x + 1.0 if i == j else x for j, x in enumerate(leaves)])
            return follow(*into[:place], one, *into[place + 1 :])

        return [push(i) for i in range(len(leaves))]

    ports = jnp.stack([follow(into[0], into[1].at[i].set(1.0), into[2]) for i in range(len(drive))])
    states = by(0)
    by_state = jnp.stack(states) if states else jnp.zeros((0, *ports.shape[1:]))
    return Slopes(by_state, ports, tuple(by(2)))


def fresh(leaves: int, places: tuple[int, ...], *, smoothed: bool) -> Mark:
    """The memory of places where nothing has happened yet."""
    nothing = jnp.zeros(places)
    return Mark(jnp.zeros((leaves, *places)), nothing if smoothed else None, nothing)


def meet(
    p: Projection, slopes: Slopes, port: int, pre: Float[Array, " pre"], taught: Activity
) -> tuple[Laid, Laid, Laid]:
    """The slopes of the listening cells, what a weight adds to them, and their teaching signals."""
    nobody = jnp.zeros(p.wiring.shape[1])
    hear = lambda x: p.wiring.ends(nobody, x)[1]  # noqa: E731
    speaks = p.wiring.ends(pre, taught)[0]
    pushed = jax.vmap(hear)(slopes.drive[port]) * speaks[None]
    return jax.vmap(jax.vmap(hear))(slopes.state), pushed, hear(taught)


def advance(
    mark: Mark, state: Laid, pushed: Laid, taught: Laid, kernel: tuple[float, float]
) -> Mark:
    """One step: the traces follow the cell, and what is eligible moves along what is taught."""
    after = jnp.sum(state * mark.traces[:, None], 0) + pushed
    eligible, (keep, gain) = after[-1], kernel
    if mark.smooth is not None:
        eligible = keep * mark.smooth + gain * eligible
    smooth = None if mark.smooth is None else eligible
    return Mark(after[:-1], smooth, mark.total + taught * eligible)
