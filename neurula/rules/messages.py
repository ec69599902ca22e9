"""What teaching sends backwards: numbers that travel against the direction of a wiring.

Counted from the jaxpr of one proposal: every wiring marks what passes through it, and JAX turns the
mark around wherever it turns the wiring around.
"""

import dataclasses
from typing import Any

from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractRule, AbstractWiring, Error, Sample, Weight
from ..costs import Count, count
from ..network import Network, Projection
from ..wirings import Transposed
from .detour import AbstractDetour

_ahead, _back = Primitive("message_ahead"), Primitive("message_back")  # both change nothing
for _mark, _turned in ((_ahead, _back), (_back, _ahead)):
    _mark.def_impl(lambda x, **how: x)
    _mark.def_abstract_eval(lambda x, **how: x)
    mlir.register_lowering(_mark, lambda context, x, **how: [x])
    ad.deflinear2(_mark, lambda ct, x, turned=_turned, **how: [turned.bind(ct, **how)])
    batching.defvectorized(_mark)


def send_back(signal: Float[Array, "..."]) -> Float[Array, "..."]:
    """The signal itself, counted as sent backwards: for paths that are no wiring."""
    return _back.bind(signal, share=1.0)


class Metered(AbstractDetour):
    """A wiring that marks what passes: as many numbers as cells send it, whichever way it goes."""

    inner: AbstractWiring

    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        post, pre = self.inner.shape
        return self.inner.drive(weight, _ahead.bind(activity, share=post / pre))


def messages(
    rule: AbstractRule, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
) -> Count:
    """Numbers sent backwards while a rule makes its proposal from one example.

    A cell that sends back along a projection sends one number, however many cells hear it; over
    time, one per step. Backwards is whatever a wiring carries from its post to its pre: errors, the
    feedback of a mirrored projection (`Transposed`) while a network settles, targets. Rules that
    send by other paths mark it with `send_back`. Nothing is computed.
    """
    state = rule.init(brain, key=key)
    metered = brain.edit(_metered)
    call = lambda state, sample: rule.propose(state, metered, sample, error, key=key)  # noqa: E731
    return count(call, state, sample, weigh=_sent)


def _metered(p: Projection) -> Projection:
    mirror = isinstance(p.wiring, Transposed)  # rules look for these
    wiring = Transposed(Metered(p.wiring.inner), p.wiring.gain) if mirror else Metered(p.wiring)
    return dataclasses.replace(p, wiring=wiring)


def _sent(name: str, equation: Any) -> float:
    if name != _back.name:
        return 0.0
    return equation.outvars[0].aval.size * equation.params["share"]
