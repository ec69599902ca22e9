"""What contrastive rules share: two settled states, and a change from each synapse's two ends."""

import abc
from typing import TYPE_CHECKING, Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractRule, Error, Sample
from ..network import Network, Projection, trainable
from ..wirings import Transposed
from .detour import demand_network
from .refusals import depth_problem, settling_problem, way_back_problem
from .relaxation import Relaxed, Settled

if TYPE_CHECKING:
    from typing import ClassVar as AbstractVar
else:
    from equinox import AbstractVar


class Meeting(eqx.Module):
    """The two ends of every connection of a projection, in one settled state."""

    pre: Float[Array, "*a"]
    post: Float[Array, "*b"]


class AbstractContrastiveRule(AbstractRule[Relaxed]):
    """Write `settle`, the states compared, `contrast`, what a synapse makes of them, and `scale`.

    Networks settle under the last stimulus of an example; what they say then counts as their
    answer at every step.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"target"})
    free_steps: AbstractVar[int]  # at most, until the network has settled without a teacher
    symmetric: AbstractVar[bool]  # whether both of two mirrored weights take the same change

    @abc.abstractmethod
    def settle(self, brain: Network, sample: Sample, error: Error) -> tuple[Settled, ...]:
        """All phases; the last two are the state to unlearn and the state to learn."""

    @abc.abstractmethod
    def contrast(self, minus: Meeting, plus: Meeting) -> Float[Array, "..."]:
        """How far a weight should move."""

    @abc.abstractmethod
    def scale(self, brain: Network, population: str) -> float:
        """The factor of a population's changes, and of projections from or to cells further out.

        Further from the output, that is, so that mirrored projections have the same factor.
        """

    @abc.abstractmethod
    def problem(self, brain: Network) -> str | None:
        """What else keeps the rule from teaching a network, with what mends it."""

    def init(self, brain: Network, *, key: PRNGKeyArray) -> Relaxed:
        demand_network(self, brain, self._problem)
        return Relaxed(jnp.zeros(()), jnp.zeros(()))

    def _problem(self, brain: Network) -> str | None:
        checks = (settling_problem, depth_problem, way_back_problem, self.problem)
        return next((problem for check in checks if (problem := check(brain))), None)

    def propose(
        self, state: Relaxed, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Network, Relaxed]:
        phases = self.settle(brain, sample, error)
        minus, plus = phases[-2:]
        far, scales = distances(brain), {n: self.scale(brain, n) for n in brain.populations}

        def change(p: Projection) -> Float[Array, "..."]:
            meet = lambda s: Meeting(*p.wiring.ends(s.activity[p.source], s.activity[p.target]))  # noqa: E731
            nearer = min(p.source, p.target, key=far.__getitem__)
            moved = -scales[nearer] * self.contrast(meet(minus), meet(plus))
            # A mirrored weight holds what its image holds, so its change is without the gain.
            wiring = p.wiring.inner if isinstance(p.wiring, Transposed) else p.wiring
            layout = jax.eval_shape(wiring.spread, p.weight).shape
            moved = jnp.broadcast_to(moved, layout)
            return jax.linear_transpose(wiring.spread, p.weight)(moved)[0]

        direction = jax.tree.map(jnp.zeros_like, trainable(brain))
        weights = lambda net: [p.weight for p in net.projections]  # noqa: E731
        direction = eqx.tree_at(weights, direction, [change(p) for p in brain.projections])
        for name in biased(direction):
            moved = -scales[name] * (plus.activity[name] - minus.activity[name])
            direction = set_bias(direction, name, moved)
        residual = jnp.max(jnp.stack([phase.residual for phase in phases]))
        return direction, Relaxed(residual, jnp.sum(jnp.stack([phase.steps for phase in phases])))

    def remember(self, state: Relaxed, notes: Relaxed) -> Relaxed:
        return notes


def biased(direction: Network) -> list[str]:
    """The populations whose cells learn a bias."""
    cells = {name: p.neuron for name, p in direction.populations.items()}
    return [name for name, cell in cells.items() if getattr(cell, "bias", None) is not None]


def set_bias(direction: Network, name: str, bias: Any) -> Network:
    """The direction with another change of a population's bias."""
    return eqx.tree_at(lambda net: net.populations[name].neuron.bias, direction, bias)


def distances(network: Network) -> dict[str, int]:
    """Projections between each population and the nearest output, whatever their direction."""
    far, frontier = dict.fromkeys(network.voices, 0), list(network.voices)
    for name in frontier:  # grows while it is walked through
        joined = [{p.source, p.target} for p in network.projections]
        for other in sorted(set().union(*(pair for pair in joined if name in pair)) - set(far)):
            far[other] = far[name] + 1
            frontier.append(other)
    return {name: far.get(name, len(far)) for name in network.populations}
