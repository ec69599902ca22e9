"""What travels along projections: sent in one step, delayed, weighted, received in another."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from .contracts import Activities, Activity
from .populations import NetworkState, Projection

Buffers = dict[str, Float[Array, "_ _"]]  # newest first
Halves = dict[str, tuple[PyTree, PyTree]]  # of synapses, by projection: at the senders, at the ends


def tires(p: Projection) -> bool:
    """Whether what is sent is not just the activity, so that it needs a buffer of its own."""
    return p.synapse is not None and bool(jax.tree.leaves(p.synapse.init(1, 1)[0]))


def rest(p: Projection) -> tuple[PyTree, PyTree]:
    """A projection's synapse before anything has happened."""
    post, pre = p.wiring.shape
    return (None, None) if p.synapse is None else p.synapse.init(pre, post)


def empty(projections: tuple[Projection, ...]) -> Buffers:
    """Buffers for what is on its way, newest first: by population, and by projection that tires."""
    longest: dict[str, tuple[int, int]] = {}
    for p in projections:
        for line in (p.source, p.name) if tires(p) else (p.source,):
            if p.delay > 0:
                longest[line] = max((p.delay, p.wiring.shape[1]), longest.get(line, (0, 0)))
    return {line: jnp.zeros(shape) for line, shape in longest.items()}


def send(
    projections: tuple[Projection, ...], source: str, activity: Activity, halves: Halves, dt: float
) -> Activities:
    """What a population's projections that tire send now. `halves` are brought up to date."""
    sent = {}
    for p in projections:
        if p.source == source and p.synapse is not None and tires(p):
            half, sent[p.name] = p.synapse.send(halves[p.name][0], activity, dt=dt)
            halves[p.name] = half, halves[p.name][1]
    return sent


def arrive(
    p: Projection, activity: Activities, sent: Activities, state: NetworkState
) -> tuple[Float[Array, " pre"], Float[Array, " post"]]:
    """What the sources' end of a projection shows now, and the weighted sum that comes out."""
    line = p.name if tires(p) else p.source
    if p.delay == 0:
        return activity[p.source], p.wiring.drive(p.weight, (sent | activity)[line])
    seen, buffer = state.past[p.source][p.delay - 1], state.past[line]
    if p.delays is None:
        return seen, p.wiring.drive(p.weight, buffer[p.delay - 1])

    def late(step: Array, then: Float[Array, " pre"]) -> Float[Array, " post"]:
        return p.wiring.drive(jnp.where(p.delays == step, p.weight, 0.0), then)

    steps = jnp.arange(1, p.delay + 1)
    return seen, jax.vmap(late)(steps, buffer[: p.delay]).sum(0)


def push(past: Buffers, new: Mapping[str, Activity]) -> Buffers:
    """The buffers one step later."""
    return {line: jnp.concatenate([new[line][None], old[:-1]]) for line, old in past.items()}
