"""Networks inside agents: how they are made, asked and changed."""

from typing import Any

import equinox as eqx
import jax
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..allowed import require_discount
from ..behaviour import AbstractAgent, AbstractEnvironment, Discrete, size_of
from ..builders import layered
from ..contracts import AbstractBlock
from ..network import Network, trainable
from ..neurons import Rate
from ..neurons.rate import Nonlinearity


class Perceptron(eqx.Module):
    """Makes layered networks for an agent: `Perceptron((64, 64))(inputs, outputs, key)`.

    Biases of hidden cells are uniform within 1 / sqrt(inputs) of 0: where what is seen is small
    (radians, metres), cells without them would all turn at the same place and hardly speak.
    """

    widths: tuple[int, ...] = eqx.field(static=True)  # cells of the hidden layers
    nonlinearity: Nonlinearity = eqx.field(static=True, default="relu")

    def __call__(self, inputs: int, outputs: int, key: PRNGKeyArray) -> Network:
        at_weights, *keys = jax.random.split(key, len(self.widths) + 1)
        fans = iter(zip((inputs, *self.widths), keys, strict=False))

        def cells(size: int) -> Rate:
            fan, k = next(fans)
            low, high = -(fan**-0.5), fan**-0.5
            bias = jax.random.uniform(k, (size,), minval=low, maxval=high)
            return Rate(self.nonlinearity, bias)

        return layered([inputs, *self.widths, outputs], neuron=cells, key=at_weights)


def check_parts(agent: Any) -> None:
    """Raises `TypeError` for odd parts, `ValueError` for a discount outside 0 to 1."""
    name = type(agent).__name__
    require_discount(agent.discount, f"{name}(discount=0.99)")
    brain, optimiser = getattr(agent, "brain", len), getattr(agent, "optimiser", None)
    if not callable(brain):
        raise TypeError(
            f"{name} makes its own brain, to fit its world, but got a {type(brain).__name__} that "
            f"is made already. Give who makes it: {name}(brain=Perceptron((64,))), or brain=lambda "
            "inputs, outputs, key: layered([inputs, 64, outputs], key=key)."
        )
    if optimiser is not None and not hasattr(optimiser, "update"):
        raise TypeError(
            f"{name} follows gradients by an optimiser of optax, got {optimiser!r}: that says "
            f"not how. Write {name}(optimiser=optax.adam(1e-3))."
        )


def require_discrete(
    agent: AbstractAgent, environment: AbstractEnvironment
) -> tuple[int, Discrete]:
    """How many numbers the agent sees, and its actions. Refuses others than single ones."""
    actions = environment.actions
    if not isinstance(actions, Discrete):
        raise ValueError(
            f"{type(agent).__name__} chooses among single actions, but "
            f"{type(environment).__name__} takes {actions}: it has no value to compare for each. "
            "Offer a list of actions, `Discrete(n)`, and turn each into one of the space."
        )
    return size_of(environment.observations), actions


def born(agent: AbstractAgent, brain: AbstractBlock, inputs: int, outputs: int) -> AbstractBlock:
    """The brain that was made for an agent. Refuses one that does not fit its world."""
    has = sum(brain.inputs.values()), sum(brain.outputs.values())
    if has != (inputs, outputs):
        raise ValueError(
            f"{type(agent).__name__} needs a brain with {inputs} inputs and {outputs} outputs in "
            f"this environment, but {type(brain).__name__} has {has[0]} and {has[1]}. Use both "
            "arguments: `brain=lambda inputs, outputs, key: layered([inputs, 64, outputs], "
            "key=key)`."
        )
    return brain


def answer(brain: AbstractBlock, seen: Float[Array, " in"]) -> Float[Array, " out"]:
    """What a block at rest says in one step."""
    return brain.step(brain.init(), seen)[1]


def descend(
    brain: AbstractBlock, gradient: Any, optimiser: optax.GradientTransformation, memory: Any
) -> tuple[AbstractBlock, Any]:
    """Follow a gradient of `trainable(brain)`: the changed brain, and the optimiser's memory."""
    wanted: Any = brain.mask(gradient) if isinstance(brain, Network) else gradient
    with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
        change, memory = optimiser.update(wanted, memory, trainable(brain))
    brain = eqx.apply_updates(brain, change)
    return (brain.constrain() if isinstance(brain, Network) else brain), memory
