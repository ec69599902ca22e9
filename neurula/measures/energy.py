"""The number that a symmetric network lowers until it settles.

Hopfield (1984), PNAS 81:3088, for graded cells; Hopfield (1982), PNAS 79:2554, and Ackley, Hinton &
Sejnowski (1985), Cogn. Sci. 9:147, for cells that are on or off.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import Activities

# The integral of each non-linearity from 0 to v.
_INTEGRALS = {
    "identity": lambda v: v**2 / 2,
    "tanh": lambda v: jnp.logaddexp(v, -v) - jnp.log(2.0),
    "relu": lambda v: jax.nn.relu(v) ** 2 / 2,
    "sigmoid": lambda v: jax.nn.softplus(v) - jnp.log(2.0),
}


def energy(
    network: Any,
    activity: Activities,
    *,
    potentials: dict[str, Any] | None = None,
    stimulus: Float[Array, " in"] | None = None,
) -> Float[Array, ""]:
    """-1/2 sum(w a a) - sum(b a) - sum(stimulus a) + sum(integral of the inverse non-linearity).

    By population, `activity` and, for graded cells (`Leaky`), the `potentials` that it came from:
    `settled.activity` and `settled.state.cells` after `rules.settle`. Binary cells have none.
    Weights must be the same both ways (`two_way(network)`); populations that hear nothing but
    stimuli act from outside, so theirs count in full. A raw `stimulus` counts where it reaches
    other populations.
    """
    heard = {p.target for p in network.projections}
    total = jnp.zeros(())
    for p in network.projections:
        share = 0.5 if p.source in heard else 1.0
        drive = p.wiring.drive(p.weight, activity[p.source])
        total = total - share * jnp.sum(activity[p.target] * drive)
    begin = 0
    for name, size in network.inputs.items():
        if stimulus is not None and name in heard:
            total = total - jnp.sum(stimulus[begin : begin + size] * activity[name])
        begin += size
    for name in heard:
        cell, acts = network.populations[name].neuron, activity[name]
        if cell.bias is not None:
            total = total - jnp.sum(cell.bias * acts)
        if (kind := getattr(cell, "nonlinearity", None)) is not None:
            total = total + _cost(kind, name, acts, (potentials or {}).get(name))
    return total


def _cost(kind: str, name: str, activity: Array, potential: Any) -> Float[Array, ""]:
    """The integral of the inverse non-linearity from f(0) to the activity, by parts."""
    if kind not in _INTEGRALS:
        raise ValueError(
            f"The energy is known for cells with {', '.join(_INTEGRALS)}, but those of {name!r} "
            f"have {kind!r}, whose integral has no closed form here. Use one of these."
        )
    if potential is None:
        raise ValueError(
            f"Expected the potentials of graded cells {name!r} and got none: their energy depends "
            "on how hard they are driven. Give `potentials=settled.state.cells` of `Leaky` cells."
        )
    return jnp.sum(potential * activity - _INTEGRALS[kind](potential))
