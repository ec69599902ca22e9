"""Every cell predicts the next layer; what is mispredicted moves activity first, then weights.

Rao & Ballard (1999), Nat. Neurosci. 2:79; Whittington & Bogacz (2017), Neural Comput. 29:1229;
with predictions held still it is backprop: Millidge, Tschantz & Buckley (2022), Neural Comput.
34:1329; Rosenbaum (2022), PLoS ONE 17:e0266102.
"""

from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Activities, Activity, Error, Sample
from ..network import Network
from .detour import demand_network
from .gradient import AbstractGradientRule, freeze
from .refusals import depth_problem, memoryless_problem, settling_problem
from .relaxation import Relaxed, hold, lasting, until_still


class Inferred(eqx.Module):
    """How far inference has come: activities, or what they miss, of hidden populations."""

    values: Activities
    residual: Float[Array, ""]  # the largest change in the last step
    steps: Float[Array, ""]


class PredictiveCoding(AbstractGradientRule[Relaxed]):
    """For networks of rate cells without delays.

    The energy is the task's error at the outputs plus precision / 2 times the squared difference
    between every hidden cell's activity and what its inputs predict. Activities descend it for
    `steps` steps of size `rate` / precision, with the weights held still; then weights descend it
    once. With a high precision activities hardly move, and the direction is backprop's. `fixed`
    holds predictions, and the slopes of cells, at their feed-forward values while what is
    mispredicted spreads: then, once settled, the direction is exactly backprop's (`rate=1.0` needs
    one step per hidden layer).
    """

    steps: int = 20  # of inference
    rate: float = 0.1  # of inference
    precision: float = 1.0
    fixed: bool = False
    tolerance: float | None = None  # stop inferring when nothing changes more in a step
    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Network, *, key: PRNGKeyArray) -> Relaxed:
        demand_network(self, brain, _problem)
        return Relaxed(jnp.zeros(()), jnp.zeros(()))

    def surrogate(
        self, state: Relaxed, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Relaxed]:
        still, stimulus = freeze(brain), sample.stimuli[-1]
        values = predict(still, stimulus, {})
        first = {n: v for n, v in values.items() if n not in (*brain.senses, *brain.voices)}
        infer = self._infer_fixed if self.fixed else self._infer
        activity, missed, end = infer(still, first, sample, error)
        predicted = predict(brain, stimulus, activity)
        # The gradient of this number with respect to a weight is local: what the listening cell
        # misses times what the speaking cell says.
        teaching = sum(jnp.sum(missed[n] * predicted[n]) for n in activity)
        value = _judge(brain, predicted, sample, error) - self.precision * teaching
        return value, Relaxed(end.residual, end.steps)

    def remember(self, state: Relaxed, notes: Relaxed) -> Relaxed:
        return notes

    def _infer(
        self, net: Network, first: Activities, sample: Sample, error: Error
    ) -> tuple[Activities, Activities, Inferred]:
        """Activities go down the energy: what they are then, what they miss, how still they are."""
        stimulus = sample.stimuli[-1]
        inner, drives = hold(net, stimulus, {})

        def energy(activity: Activities) -> Float[Array, ""]:
            predicted = predict(inner, stimulus, activity, drives)
            missed = sum(jnp.sum((activity[n] - predicted[n]) ** 2) for n in activity)
            return _judge(net, predicted, sample, error) + self.precision / 2 * missed

        def change(activity: Activities) -> Activities:
            slopes = jax.grad(energy)(activity)
            return {n: -self.rate / self.precision * slopes[n] for n in activity}

        end = self._descend(change, first)
        predicted = predict(inner, stimulus, end.values, drives)
        return end.values, {n: end.values[n] - predicted[n] for n in first}, end

    def _infer_fixed(
        self, net: Network, first: Activities, sample: Sample, error: Error
    ) -> tuple[Activities, Activities, Inferred]:
        """The same with predictions and slopes held at their feed-forward values."""
        predicted, back = jax.vjp(lambda hidden: predict(net, sample.stimuli[-1], hidden), first)
        wanted = jax.grad(lambda values: _judge(net, values, sample, error))(predicted)
        wanted = {n: slope / self.precision for n, slope in wanted.items()}

        def change(missed: Activities) -> Activities:
            sent = {n: missed[n] if n in missed else -wanted[n] for n in predicted}
            heard = back(sent)[0]
            return {n: self.rate * (heard[n] - missed[n]) for n in missed}

        end = self._descend(change, jax.tree.map(jnp.zeros_like, first))
        return first, end.values, end

    def _descend(self, change: Callable[[Activities], Activities], start: Activities) -> Inferred:
        def step(now: Inferred) -> Inferred:
            by = change(now.values)
            largest = jnp.max(jnp.stack([jnp.max(jnp.abs(b)) for b in by.values()]))
            return Inferred({n: now.values[n] + by[n] for n in by}, largest, now.steps + 1)

        begin = Inferred(start, jnp.full((), jnp.inf), jnp.zeros(()))
        return until_still(step, begin, steps=self.steps, tolerance=self.tolerance)


def predict(
    net: Network, stimulus: Activity, activity: Activities, drives: Activities | None = None
) -> Activities:
    """What every cell's inputs predict of it, where the activity of hidden cells is given.

    `drives` are added to what the inputs say.
    """
    _, _, signals = net.observe(net.init(), stimulus, nudge=drives, clamp=activity)
    cells = {n: net.populations[n] for n in net.order}
    return {
        n: p.neuron.step(p.neuron.init(p.size), signals.drive[n], None, dt=net.dt)[1]
        for n, p in cells.items()
    }


def _judge(net: Network, predicted: Activities, sample: Sample, error: Error) -> Float[Array, ""]:
    outputs = jnp.concatenate([predicted[name] for name in net.voices])
    return error(lasting(outputs, sample), sample)


def _problem(network: Network) -> str | None:
    checks = (settling_problem, depth_problem, memoryless_problem)
    return next((problem for check in checks if (problem := check(network))), None)
