"""What local rules share: a synapse knows its two ends, its weight, its memory, one broadcast."""

import abc
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ..contracts import AbstractRule, AbstractWiring, Activities, Activity, Error, Sample, Weight
from ..network import Network, Projection, Signals, trainable
from .detour import demand_network

Times = float | tuple[float, ...]  # ms


class End(eqx.Module):
    """One side of a synapse: the cell's activity now, and fading traces of it."""

    activity: Float[Array, "*end"]
    traces: tuple[Float[Array, "*end"], ...]

    @property
    def trace(self) -> Float[Array, "*end"]:
        """The first trace, for rules that keep one."""
        return self.traces[0]


class Synapse(eqx.Module):
    """All that a synapse can know. Arrays broadcast against each other."""

    pre: End
    post: End
    weight: Float[Array, "*edge"]
    memory: PyTree
    third: Float[Array, "*end"] | None  # a broadcast (reward, say) as the listening cell hears it
    dt: float = eqx.field(static=True)  # ms


class Diary(eqx.Module):
    """What cells and synapses remember of the past, by projection."""

    pre: dict[str, tuple[Float[Array, " _"], ...]]
    post: dict[str, tuple[Float[Array, " _"], ...]]
    memory: dict[str, PyTree]


class AbstractLocalRule(AbstractRule[None]):
    """Write `change`. Locality needs no promise: nothing else is passed in.

    A direction is minus the change per step, averaged over the steps of the example, with the
    weights held still; `Plastic` applies changes as they happen.
    """

    needs: ClassVar[frozenset[str]] = frozenset()

    @property
    @abc.abstractmethod
    def trace_times(self) -> tuple[Times, Times]:
        """How long the traces before and after the synapse last, in ms; 0: what is active now."""

    @abc.abstractmethod
    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], PyTree]:
        """How the weight changes in one step, and the synapse's new memory."""

    @abc.abstractmethod
    def edge_memory(self, wiring: AbstractWiring) -> PyTree:
        """The memory of fresh synapses, in the wiring's layout; `None` for none."""

    def init(self, brain: Any, *, key: PRNGKeyArray) -> None:
        demand_network(self, brain, single_delay_problem)

    def propose(
        self, state: None, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Network, None]:
        def live(carry, now):
            cells, diary, total = carry
            stimulus, reward = now
            cells, _, signals = brain.observe(cells, stimulus)
            changes, diary = experience(self, brain, diary, signals, reward)
            return (cells, diary, jax.tree.map(jnp.add, total, changes)), None

        nothing = tuple(jnp.zeros_like(p.weight) for p in brain.projections)
        start = brain.init(key=key), open_diary(self, brain), nothing
        (_, _, total), _ = jax.lax.scan(live, start, (sample.stimuli, sample.reward))
        return uphill(brain, total, sample.stimuli.shape[0]), None

    def remember(self, state: None, notes: None) -> None:
        del notes


def uphill(brain: Network, total: tuple[Weight, ...], steps: int) -> Network:
    """The direction whose opposite is these changes of weights, a mean over steps."""
    still = jax.tree.map(jnp.zeros_like, trainable(brain))
    moved = tuple(
        eqx.tree_at(lambda p: p.weight, p, -change / steps)
        for p, change in zip(still.projections, total, strict=True)
    )
    return eqx.tree_at(lambda net: net.projections, still, moved)


def single_delay_problem(network: Network) -> str | None:
    """Connections of one projection that do not hear their cell at the same time."""
    if apart := [p.name for p in network.projections if p.delays is not None]:
        return (
            f"changes weights by what arrives at once from a cell, but connections of {apart} "
            "have delays of their own. Give each of these projections one `delay`."
        )
    return None


def times(rule: AbstractLocalRule) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The time constants of a rule's traces before and after the synapse, in ms."""
    before, after = (x if isinstance(x, tuple) else (x,) for x in rule.trace_times)
    return before, after


def open_diary(
    rule: AbstractLocalRule, network: Network, only: Sequence[str] | None = None
) -> Diary:
    """An empty memory of the past, of all projections or those named."""
    learning = [p for p in network.projections if only is None or p.name in only]
    before, after = times(rule)
    return Diary(
        {p.name: tuple(jnp.zeros(p.wiring.shape[1]) for _ in before) for p in learning},
        {p.name: tuple(jnp.zeros(p.wiring.shape[0]) for _ in after) for p in learning},
        {p.name: rule.edge_memory(p.wiring) for p in learning},
    )


def experience(
    rule: AbstractLocalRule,
    network: Network,
    diary: Diary,
    signals: Signals,
    told: Float[Array, ""] | Activities | None,
) -> tuple[tuple[Weight, ...], Diary]:
    """Let every synapse live through one step: the changes of all weights, and the new diary.

    What cells are told, the third factor, is the same for all (a reward), or by population.
    Projections that are not in the diary do not change.
    """
    pre, post, memory, changes = {}, {}, {}, []
    before, after = times(rule)
    for p in network.projections:
        if p.name not in diary.memory:
            changes.append(jnp.zeros_like(p.weight))
            continue
        active = signals.pre[p.name], signals.activity[p.target]
        pre[p.name] = _fade(diary.pre[p.name], active[0], before, network.dt)
        post[p.name] = _fade(diary.post[p.name], active[1], after, network.dt)
        heard = told[p.target] if isinstance(told, dict) else told
        synapse = _meet(p, active, (pre[p.name], post[p.name]), network.dt, heard)
        synapse = eqx.tree_at(
            lambda s: s.memory, synapse, diary.memory[p.name], is_leaf=lambda x: x is None
        )
        change, memory[p.name] = rule.change(synapse)
        change = jnp.broadcast_to(change, synapse.weight.shape)
        changes.append(jax.linear_transpose(p.wiring.spread, p.weight)(change)[0])
    return tuple(changes), Diary(pre, post, memory)


def _fade(
    traces: tuple[Activity, ...], activity: Activity, times: tuple[float, ...], dt: float
) -> tuple[Activity, ...]:
    pairs = zip(traces, times, strict=True)
    return tuple(math.exp(-dt / t) * trace + activity if t else activity for trace, t in pairs)


def _meet(p: Projection, activity, traces, dt: float, heard) -> Synapse:
    nobody = [jnp.zeros(size) for size in p.wiring.shape]
    pre, post = p.wiring.ends(*activity)
    before = tuple(p.wiring.ends(trace, nobody[0])[0] for trace in traces[0])
    after = tuple(p.wiring.ends(nobody[1], trace)[1] for trace in traces[1])
    third = heard if heard is None else p.wiring.ends(nobody[1], _each(heard, p.wiring))[1]
    weight = p.wiring.spread(p.weight)
    return Synapse(End(pre, before), End(post, after), weight, None, third, dt)


def _each(heard: Float[Array, "*cell"], wiring: AbstractWiring) -> Activity:
    """What every listening cell hears, of a number for all or one for each."""
    return jnp.broadcast_to(heard, (wiring.shape[0],))
