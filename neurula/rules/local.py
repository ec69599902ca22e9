"""What local rules share: a synapse knows its two ends, its weight, its memory, one broadcast."""

import abc
import math
from typing import TYPE_CHECKING, Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ..contracts import AbstractRule, AbstractWiring, Activities, Activity, Error, Sample, Weight
from ..network import Network, Projection, Signals, trainable
from .detour import demand_network

if TYPE_CHECKING:
    from typing import ClassVar as AbstractVar
else:
    from equinox import AbstractVar


class End(eqx.Module):
    """One side of a synapse: the cell's activity now, and a fading trace of it."""

    activity: Float[Array, "*end"]
    trace: Float[Array, "*end"]


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

    pre: Activities
    post: Activities
    memory: dict[str, PyTree]


class AbstractLocalRule(AbstractRule[None]):
    """Write `change`. Locality needs no promise: nothing else is passed in.

    A direction is minus the change per step, averaged over the steps of the example, with the
    weights held still; `Plastic` applies changes as they happen.
    """

    trace_times: AbstractVar[tuple[float, float]]  # ms, of the traces before and after; 0: no trace
    needs: ClassVar[frozenset[str]] = frozenset()

    @abc.abstractmethod
    def change(self, synapse: Synapse) -> tuple[Float[Array, "*edge"], PyTree]:
        """How the weight changes in one step, and the synapse's new memory."""

    @abc.abstractmethod
    def edge_memory(self, wiring: AbstractWiring) -> PyTree:
        """The memory of fresh synapses, in the wiring's layout; `None` for none."""

    def init(self, brain: Any, *, key: PRNGKeyArray) -> None:
        demand_network(self, brain, lambda net: None)

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
        still = jax.tree.map(jnp.zeros_like, trainable(brain))
        steps = sample.stimuli.shape[0]
        moved = tuple(
            eqx.tree_at(lambda p: p.weight, p, -change / steps)
            for p, change in zip(still.projections, total, strict=True)
        )
        return eqx.tree_at(lambda net: net.projections, still, moved), None

    def remember(self, state: None, notes: None) -> None:
        del notes


def open_diary(rule: AbstractLocalRule, network: Network) -> Diary:
    """An empty memory of the past."""
    shapes = {p.name: p.wiring.shape for p in network.projections}
    return Diary(
        {name: jnp.zeros(pre) for name, (_, pre) in shapes.items()},
        {name: jnp.zeros(post) for name, (post, _) in shapes.items()},
        {p.name: rule.edge_memory(p.wiring) for p in network.projections},
    )


def experience(
    rule: AbstractLocalRule,
    network: Network,
    diary: Diary,
    signals: Signals,
    reward: Float[Array, ""] | None,
) -> tuple[tuple[Weight, ...], Diary]:
    """Let every synapse live through one step: the changes of all weights, and the new diary."""
    pre, post, memory, changes = {}, {}, {}, []
    for p in network.projections:
        before, after = signals.pre[p.name], signals.activity[p.target]
        pre[p.name] = _fade(diary.pre[p.name], before, rule.trace_times[0], network.dt)
        post[p.name] = _fade(diary.post[p.name], after, rule.trace_times[1], network.dt)
        synapse = _meet(p, (before, after), (pre[p.name], post[p.name]), network.dt, reward)
        synapse = eqx.tree_at(
            lambda s: s.memory, synapse, diary.memory[p.name], is_leaf=lambda x: x is None
        )
        change, memory[p.name] = rule.change(synapse)
        change = jnp.broadcast_to(change, synapse.weight.shape)
        changes.append(jax.linear_transpose(p.wiring.spread, p.weight)(change)[0])
    return tuple(changes), Diary(pre, post, memory)


def _fade(trace: Activity, activity: Activity, time: float, dt: float) -> Activity:
    return activity if time == 0 else math.exp(-dt / time) * trace + activity


def _meet(p: Projection, activity, traces, dt: float, reward) -> Synapse:
    (pre, post), (pre_trace, post_trace) = p.wiring.ends(*activity), p.wiring.ends(*traces)
    third = None if reward is None else jnp.full_like(post, reward)
    weight = p.wiring.spread(p.weight)
    return Synapse(End(pre, pre_trace), End(post, post_trace), weight, None, third, dt)
