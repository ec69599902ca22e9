"""Send targets back through learned inverses, corrected for what the inverses get wrong.

Lee, Zhang, Fischer & Bengio (2015), ECML PKDD: difference target propagation.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import Activity, Error, Sample, Weight, Weights
from ..network import Network, Projection
from .chain import answer, forward
from .detour import demand_network, draw_feedback
from .gradient import AbstractGradientRule, freeze
from .refusals import chain_problem, depth_problem, memoryless_problem, settling_problem
from .relaxation import lasting


class TargetPropagation(AbstractGradientRule[Weights]):
    """For chains of rate cells without delays.

    The state holds inverses: the one of a layer h = f(W g + b) is g = f(V h), with the
    non-linearity of the cells below. The last hidden layer's target is `step` down the gradient of
    the error, that of another layer h + inverse(target above) - inverse(activity above). With
    every batch the inverses learn, at `rate`, to undo their layers around noisy activity (standard
    deviation `noise`).
    """

    step: float = 1.0
    rate: float = 0.01
    noise: float = 0.1
    needs: ClassVar[frozenset[str]] = frozenset({"target"})

    def init(self, brain: Network, *, key: PRNGKeyArray) -> Weights:
        demand_network(self, brain, _problem)
        drawn = draw_feedback(brain, 1.0, key=key)
        return {p.name: drawn[p.name] for p in brain.projections[1:-1]}

    def surrogate(
        self, state: Weights, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Weights]:
        still, chain = freeze(brain), brain.projections
        layers = forward(still, sample.stimuli[-1])
        judge = lambda outputs: error(lasting(outputs, sample), sample)  # noqa: E731
        at_top = jax.grad(lambda top: judge(answer(still, still.projections[-1], top)))(layers[-2])
        targets = [layers[-2] - self.step * at_top]  # from the last hidden layer to the first
        inner = list(zip(chain, layers[:-1], layers[1:], strict=True))[1:-1]
        for p, below, above in reversed(inner):
            undo = lambda top, p=p: inverse(still, p, state[p.name], top)  # noqa: E731
            targets.append(below + undo(targets[-1]) - undo(above))
        hidden = zip(chain, layers, reversed(targets), strict=False)
        missed = [jnp.sum((answer(brain, p, below) - goal) ** 2) / 2 for p, below, goal in hidden]
        value = judge(answer(brain, chain[-1], layers[-2])) + sum(missed)
        return value, self._practise(state, still, layers, key)

    def _practise(self, state: Weights, still: Network, layers: list, key: PRNGKeyArray) -> Weights:
        """The gradient of what each inverse fails to undo, near the activity of now."""

        def lost(weight: Weight, p: Projection, below: Activity) -> Float[Array, ""]:
            above = answer(still, p, below)
            return jnp.sum((inverse(still, p, weight, above) - below) ** 2) / 2

        slopes = {}
        for i, (p, below) in enumerate(zip(still.projections, layers, strict=False)):
            if p.name in state:
                at_noise = jax.random.fold_in(key, i)
                noisy = below + self.noise * jax.random.normal(at_noise, below.shape)
                slopes[p.name] = jax.grad(lost)(state[p.name], p, noisy)
        return slopes

    def remember(self, state: Weights, notes: Weights) -> Weights:
        return {name: weight - self.rate * notes[name] for name, weight in state.items()}


def inverse(
    network: Network, projection: Projection, weight: Weight, above: Float[Array, " post"]
) -> Float[Array, " pre"]:
    """What the layer below would have to say to make the layer above say this, as far as known."""
    cells: Any = network.populations[projection.source].neuron
    return cells.activation(projection.wiring.back(weight, above))


def _problem(network: Network) -> str | None:
    checks = (settling_problem, depth_problem, memoryless_problem, chain_problem)
    return next((problem for check in checks if (problem := check(network))), None)
