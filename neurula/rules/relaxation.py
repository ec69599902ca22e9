"""Networks that settle: play a stimulus until nothing changes any more."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import Activities, Activity, Error, Sample
from ..network import Network, NetworkState

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
    that, else after `steps`; then it can be differentiated backwards.
    """
    rest = at_rest(network)
    now = rest if start is None else start
    now = Settled(now.state, now.activity, now.outputs, rest.residual, rest.steps)

    def step(now: Settled) -> Settled:
        pushes = {} if teach is None else split_outputs(network, teach(now.outputs))
        state, outputs, signals = network.observe(now.state, stimulus, nudge=pushes, clamp=clamp)
        moved = [jnp.max(jnp.abs(a - now.activity[n])) for n, a in signals.activity.items()]
        residual = jnp.max(jnp.stack(moved))
        return Settled(state, signals.activity, outputs, residual, now.steps + 1)

    if tolerance is None:
        return jax.lax.scan(lambda s, _: (step(s), None), now, None, length=steps)[0]
    going = lambda s: (s.residual > tolerance) & (s.steps < steps)  # noqa: E731
    return jax.lax.while_loop(going, step, now)


def check_settled(network: Network, settled: Settled, *, tolerance: float = 1e-3) -> Settled:
    """Give back what has settled, and raise `ValueError` for what has not. Not for use in `jit`."""
    worst, steps = float(jnp.max(settled.residual)), int(jnp.max(settled.steps))
    if worst <= tolerance:  # also catches NaN
        return settled
    cells = [p.neuron for p in network.populations.values()]
    taus = sorted({float(jnp.min(jnp.asarray(c.tau))) for c in cells if hasattr(c, "tau")})
    raise ValueError(
        f"Expected activity to change by at most {tolerance} in the last step, but after {steps} "
        f"steps of {network.dt} ms (tau {taus} ms) it still changes by "
        f"{worst:.3g}: the network has not settled, and contrasts of its states mean nothing. "
        f"If it is slow, use more steps, for example free_steps={4 * steps}; if it oscillates, "
        f"smaller ones, such as `dt={network.dt / 4}` or `relaxing(sizes, tau=8.0, key=key)`; "
        "if it runs away, use smaller weights or a bounded non-linearity."
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
