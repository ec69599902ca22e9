"""Networks that settle: play a stimulus until nothing changes any more."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import Activities, Activity, Error, Sample
from ..network import Network, NetworkState
from ..neurons import Rate
from ..symmetric import inputs_only

Push = Callable[[Float[Array, " out"]], Float[Array, " out"]]


class Settled(eqx.Module):
    """The end of a relaxation: activity, and how still the network has become."""

    state: NetworkState
    activity: Activities  # by population
    outputs: Float[Array, " out"]
    residual: Float[Array, ""]  # the largest change of an activity in the last step
    steps: Float[Array, ""]


class Relaxed(eqx.Module):
    """How the latest relaxations ended, on average: the state of rules that have no other."""

    residual: Float[Array, ""]  # the largest change of an activity in the last step of a phase
    steps: Float[Array, ""]  # of all phases together


def at_rest(network: Network) -> Settled:
    """Where a relaxation starts unless told otherwise."""
    silent = {name: jnp.zeros(p.size) for name, p in network.populations.items()}
    outputs = jnp.zeros(sum(network.outputs.values()))
    return Settled(network.init(), silent, outputs, jnp.array(jnp.inf), jnp.zeros(()))


def settle(
    network: Network,
    stimulus: Activity,
    *,
    steps: int,
    tolerance: float | None = None,
    start: Settled | None = None,
    teach: Push | None = None,
    clamp: Activities | None = None,
) -> Settled:
    """Let the network relax under a lasting stimulus, from rest or from `start`.

    `teach(outputs)` is added to the drive of the output cells at every step, `clamp` replaces the
    activity of populations. With a `tolerance` it stops as soon as no activity changes by more than
    that, else after `steps`; then it can be differentiated backwards. What the stimulus does to
    cells is there from the first step, without delay.
    """
    rest, clamp = at_rest(network), clamp or {}
    now = rest if start is None else start
    now = Settled(now.state, now.activity, now.outputs, rest.residual, rest.steps)
    inner, drives = hold(network, stimulus, clamp)

    def step(now: Settled) -> Settled:
        pushes = dict(drives)
        if teach is not None:
            for name, push in split_outputs(network, teach(now.outputs)).items():
                pushes[name] = pushes[name] + push if name in pushes else push
        state, outputs, signals = inner.observe(now.state, stimulus, nudge=pushes, clamp=clamp)
        moved = [jnp.max(jnp.abs(a - now.activity[n])) for n, a in signals.activity.items()]
        residual = jnp.max(jnp.stack(moved))
        return Settled(state, signals.activity, outputs, residual, now.steps + 1)

    return until_still(step, now, steps=steps, tolerance=tolerance)


def hold(
    network: Network, stimulus: Activity, clamp: Activities
) -> tuple[Network, dict[str, Float[Array, " _"]]]:
    """The network without projections from mere inputs, and what these keep telling whom.

    Such projections are often the widest, and what they carry stays the same while a network
    settles, so that it need not be computed again at every step.
    """
    cells = {name: p.neuron for name, p in network.populations.items()}
    steady = {n for n in inputs_only(network) - set(clamp) if isinstance(cells[n], Rate)}
    _, _, signals = network.observe(network.init(), stimulus)
    drives, rest = {}, []
    for p in network.projections:
        if p.source not in steady or p.port != cells[p.target].ports[0]:
            rest.append(p)
            continue
        drive = p.wiring.drive(p.weight, signals.activity[p.source])
        drives[p.target] = drives[p.target] + drive if p.target in drives else drive
    return eqx.tree_at(lambda net: net.projections, network, tuple(rest)), drives


def until_still(
    step: Callable[[Any], Any], start: Any, *, steps: int, tolerance: float | None
) -> Any:
    """Repeat a step of anything with a `residual` and `steps`, all or until little changes."""
    if tolerance is None:
        return jax.lax.scan(lambda s, _: (step(s), None), start, None, length=steps)[0]
    going = lambda s: (s.residual > tolerance) & (s.steps < steps)  # noqa: E731
    return jax.lax.while_loop(going, step, start)


def check_settled(
    network: Network, settled: Settled | Relaxed, *, tolerance: float = 1e-3
) -> Settled | Relaxed:
    """Give back what has settled, and raise `ValueError` for what has not. Not for use in `jit`.

    Takes what `settle` gives, or what a rule keeps of its latest batch: `learned.rule_state`.
    """
    worst, steps = float(jnp.max(settled.residual)), float(jnp.max(settled.steps))
    if worst <= tolerance:  # also catches NaN
        return settled
    cells = [p.neuron for p in network.populations.values()]
    taus = sorted({float(jnp.min(jnp.asarray(c.tau))) for c in cells if hasattr(c, "tau")})
    speed, more, smaller = (
        (
            f"of {network.dt} ms (tau {taus} ms)",
            f"free_steps={4 * steps:.0f}",
            f"`dt={network.dt / 4}` or `relaxing(sizes, tau={4 * max(taus)}, key=key)`",
        )
        if taus
        else ("of inference", f"steps={4 * steps:.0f}", "`PredictiveCoding(rate=0.02)`")
    )
    raise ValueError(
        f"Expected activity to change by at most {tolerance} in the last step, but after "
        f"{steps:.0f} steps {speed} it still changes by {worst:.3g}: the network has not settled, "
        "and what is learned from its states means nothing. If it is slow, use more steps, for "
        f"example {more}; if it oscillates, smaller ones, such as {smaller}; if it runs away, use "
        "smaller weights or a bounded non-linearity."
    )


def split_outputs(network: Network, outputs: Float[Array, " out"]) -> Activities:
    """A vector over the outputs, by the populations that they are read from."""
    pieces, begin = {}, 0
    for name, size in network.outputs.items():
        pieces[name] = outputs[begin : begin + size]
        begin += size
    return pieces


def lasting(outputs: Float[Array, " out"], sample: Sample) -> Float[Array, "time out"]:
    """The same outputs at every step of the example."""
    return jnp.tile(outputs[None], (sample.stimuli.shape[0], 1))


def slope(error: Error, outputs: Float[Array, " out"], sample: Sample) -> Float[Array, " out"]:
    """The gradient of the error, were these the outputs at every step of the example."""
    return jax.grad(lambda y: error(lasting(y, sample), sample))(outputs)
