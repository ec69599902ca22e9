"""Blocks made of blocks that look at an input for many steps: controls of claims on time.

Unrolling: Liao & Poggio (2016), arXiv:1604.03640 (a recurrent network is a deep one whose levels
share their weights).
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from .contracts import AbstractBlock
from .network import Network, NetworkState


class _Asked(eqx.Module):
    """The network as it is, the sum of its answers so far, and their number."""

    network: NetworkState
    total: Float[Array, " out"]
    looks: Float[Array, ""]


class Repeated(AbstractBlock[_Asked]):
    """Asks a network at every step, and answers with the mean of its answers so far."""

    network: Network

    @property
    def inputs(self) -> dict[str, int]:
        return self.network.inputs

    @property
    def outputs(self) -> dict[str, int]:
        return self.network.outputs

    def init(self, *, key: PRNGKeyArray | None = None) -> _Asked:
        nothing = jnp.zeros(sum(self.outputs.values()))
        return _Asked(self.network.init(key=key), nothing, jnp.zeros(()))

    def step(
        self, state: _Asked, inputs: Float[Array, " in"]
    ) -> tuple[_Asked, Float[Array, " out"]]:
        inner, answer = self.network.step(state.network, inputs)
        total, looks = state.total + answer, state.looks + 1
        return _Asked(inner, total, looks), total / looks


class Held(AbstractBlock[Any]):
    """Shows a block every input for `steps` of its steps, and gives its last answer."""

    block: AbstractBlock
    steps: int = eqx.field(static=True)

    @property
    def inputs(self) -> dict[str, int]:
        return self.block.inputs

    @property
    def outputs(self) -> dict[str, int]:
        return self.block.outputs

    def init(self, *, key: PRNGKeyArray | None = None) -> Any:
        return self.block.init(key=key)

    def step(self, state: Any, inputs: Float[Array, " in"]) -> tuple[Any, Float[Array, " out"]]:
        look = lambda carry, _: (self.block.step(carry[0], inputs), None)  # noqa: E731
        nothing = jnp.zeros(sum(self.outputs.values()))
        return jax.lax.scan(look, (state, nothing), length=self.steps)[0]


class _Climbed(eqx.Module):
    """The cells as the level below left them, and the number of the next level."""

    below: Any
    level: Int[Array, ""]


class Untied(AbstractBlock[_Climbed]):
    """A block with weights of its own at every step: unrolled, a deep feed-forward one.

    All levels have a state of one shape: leaks pass levels by, delayed projections lead from level
    to level. Every level hears the input and gives an answer. The last level also serves all later
    steps.
    """

    levels: AbstractBlock
    """All levels as one block, with a leading axis over levels in every array. For `depth` of
    them: `eqx.filter_vmap(make_block)(jax.random.split(key, depth))`."""

    @property
    def inputs(self) -> dict[str, int]:
        return self.levels.inputs

    @property
    def outputs(self) -> dict[str, int]:
        return self.levels.outputs

    def level(self, index: Int[Array, ""] | int) -> AbstractBlock:
        """The block of one step, counted from 0."""
        return jax.tree.map(lambda x: x[index] if eqx.is_array(x) else x, self.levels)

    def init(self, *, key: PRNGKeyArray | None = None) -> _Climbed:
        return _Climbed(self.level(0).init(key=key), jnp.zeros((), jnp.int32))

    def step(
        self, state: _Climbed, inputs: Float[Array, " in"]
    ) -> tuple[_Climbed, Float[Array, " out"]]:
        inner, answer = self.level(state.level).step(state.below, inputs)
        return _Climbed(inner, state.level + 1), answer
