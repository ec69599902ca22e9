"""Networks whose graph evolves: it starts without hidden cells and grows by mutation.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99 (NeuroEvolution of Augmenting Topologies), and
(2004), J. Artif. Intell. Res. 21:63, for the children whose weights are means of both parents'.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..allowed import require_between
from ..heredity import AbstractGenome
from ..network import Network
from ..neurons.rate import Nonlinearity, check_nonlinearity
from . import neat_growth, neat_mutations, neat_start
from .marks import find, look_up
from .neat_genes import NeatGenes

CHANCES = (
    "add_connection add_cell change_weights change_kind toggle replaced stay_disabled averaged"
)


class Neat(AbstractGenome[NeatGenes]):
    """A list of cells and a list of connections, with marks that tell what corresponds to what.

    The network has populations `input`, `hidden` and `output`. Inputs reach hidden cells and
    outputs, and hidden cells reach outputs, within a step; hidden cells hear each other a step
    later. So one hidden layer answers at once, and a network with d hidden cells in a row after d
    steps of the same stimulus (`depth`, and `updates` of `Controller` and `InWorld`). With `loops`
    outputs speak too, a step later. Without, no mutation closes a loop. Biases are connections
    from a cell that is always 1, and become biases of the network's cells.

    Distance: unmatched / N + spread * (mean weight difference of matches), where N is the larger
    number of connections, or 1 below `small`. Excess genes, beyond the other's last mark, weigh
    `excess`, others without a match `disjoint`; common cells that differ in kind count as one each.
    Rates are chances of a genome, weights and steps uniform draws.
    """

    inputs: int = eqx.field(static=True)
    outputs: int = eqx.field(static=True)
    cells: int = eqx.field(static=True, default=16, kw_only=True)  # room for hidden ones
    connections: int = eqx.field(static=True, default=64, kw_only=True)  # room
    nonlinearities: tuple[Nonlinearity, ...] = eqx.field(
        static=True, default=("tanh",), kw_only=True
    )
    output: Nonlinearity = eqx.field(static=True, default="tanh", kw_only=True)
    loops: bool = eqx.field(static=True, default=False, kw_only=True)
    bias: bool = eqx.field(static=True, default=True, kw_only=True)
    growth: bool = eqx.field(static=True, default=True, kw_only=True)
    start: neat_start.Start = eqx.field(static=True, default="minimal", kw_only=True)
    start_cells: int = eqx.field(static=True, default=10, kw_only=True)  # not if minimal
    add_connection: float = eqx.field(default=0.05, kw_only=True)
    add_cell: float = eqx.field(default=0.03, kw_only=True)
    change_weights: float = eqx.field(default=0.8, kw_only=True)
    change_kind: float = eqx.field(default=0.1, kw_only=True)
    toggle: float = eqx.field(default=0.0, kw_only=True)
    replaced: float = eqx.field(default=0.1, kw_only=True)  # share of weights drawn anew
    step: float = eqx.field(default=2.5, kw_only=True)  # the largest change of a weight
    scale: float = eqx.field(default=1.0, kw_only=True)  # the largest weight at birth
    limit: float = eqx.field(default=30.0, kw_only=True)  # the largest weight ever
    stay_disabled: float = eqx.field(default=0.75, kw_only=True)  # if disabled in either parent
    averaged: float = eqx.field(default=0.4, kw_only=True)  # share of children with mean weights
    excess: float = eqx.field(default=1.0, kw_only=True)
    disjoint: float = eqx.field(default=1.0, kw_only=True)
    spread: float = eqx.field(default=0.4, kw_only=True)
    small: int = eqx.field(static=True, default=20, kw_only=True)

    def __check_init__(self):
        for kind in (*self.nonlinearities, self.output):
            check_nonlinearity(kind)
        require_between(self, CHANCES, 0.0, 1.0)
        require_between(self, "step scale limit excess disjoint spread", 0.0)
        require_between(self, "small", 1.0)
        cells, connections = neat_start.need(self._pairs, self.start, self.start_cells)
        least = max(cells, 1), max(connections, 1)
        if self.inputs < 1 or self.outputs < 1 or not self.nonlinearities:
            raise ValueError(
                f"A network has at least one input, one output and one non-linearity, but got "
                f"{self.inputs}, {self.outputs} and {self.nonlinearities}. Use for example "
                "`Neat(2, 1)`."
            )
        if self.cells < least[0] or self.connections < least[1]:
            raise ValueError(
                f"The start ({self.start!r}) takes {least[0]} hidden cells and {least[1]} "
                f"connections, but there is room for cells={self.cells}, connections="
                f"{self.connections}: nothing could be born. Use `Neat({self.inputs}, "
                f"{self.outputs}, cells={2 * least[0]}, connections={2 * least[1]}, ...)`."
            )

    @property
    def _pairs(self) -> list[tuple[int, int]]:
        return neat_start.pairs(
            self.start,
            self.inputs,
            self.outputs,
            self.start_cells,
            bias=self.bias,
            loops=self.loops,
        )

    def sample(self, *, key: PRNGKeyArray) -> NeatGenes:
        return neat_start.begin(
            (self.cells, self.connections), self._pairs, self.inputs + 1 + self.outputs,
            0 if self.start == "minimal" else self.start_cells, random=self.start == "random",
            kinds=len(self.nonlinearities), scale=self.scale, key=key,
        )  # fmt: skip

    def develop(self, genes: NeatGenes, *, key: PRNGKeyArray) -> Network:
        del key
        return neat_growth.network(
            genes, self.inputs, self.outputs,
            nonlinearities=self.nonlinearities, output=self.output, loops=self.loops,
        )  # fmt: skip

    def depth(self, genes: NeatGenes) -> Int[Array, ""]:
        """Steps of the same stimulus until an answer is settled; at most `cells`, as with loops."""
        return jnp.maximum(neat_growth.depth(genes), 1)

    def mutate(self, genes: NeatGenes, *, key: PRNGKeyArray) -> NeatGenes:
        """A new cell, or else a new connection, or else new weights.

        So new structure is tried with the weights that worked.
        """
        tries, places = 2 * neat_mutations.TRIES + 1, self.connections
        draws = jax.random.uniform(key, (12 + tries + 2 * places,))
        odds, wiring = draws[:12], draws[12 : 12 + tries]
        kinds = len(self.nonlinearities)
        grown, structural = genes, jnp.zeros((), bool)
        if self.growth:
            cell = odds[0] < self.add_cell
            wire = ~cell & (odds[1] < self.add_connection)
            split = neat_mutations.split_connection(genes, bias=self.inputs, draw=odds[2])
            joined = neat_mutations.connect(
                genes, inputs=self.inputs, outputs=self.outputs, bias=self.bias,
                loops=self.loops, scale=self.scale, draws=wiring,
            )  # fmt: skip
            grown = neat_mutations.grow(
                genes, (cell, split), (wire, joined), kinds=kinds, draw=odds[3]
            )
            structural = cell | wire
        moved = neat_mutations.change_weights(
            grown, replaced=self.replaced, step=self.step, limit=self.limit,
            draws=draws[12 + tries :].reshape(2, places),
        )  # fmt: skip
        grown = _choose(~structural & (odds[4] < self.change_weights), moved, grown)
        if not _zero(self.toggle):
            turned = neat_mutations.toggle(grown, draw=odds[5])
            grown = _choose(odds[6] < self.toggle, turned, grown)
        if kinds > 1 and not _zero(self.change_kind):
            other = neat_mutations.change_kind(grown, kinds=kinds, draws=odds[7:9])
            grown = _choose(odds[9] < self.change_kind, other, grown)
        return grown

    def cross(self, fitter: NeatGenes, other: NeatGenes, *, key: PRNGKeyArray) -> NeatGenes:
        """The structure of the fitter; matching genes from either, or their mean.

        Those disabled in either parent stay so with a chance, else do as the one they came from;
        means are enabled.
        """
        draws = jax.random.uniform(key, (2 * self.connections + self.cells + 1,))
        choice, stays = draws[: 2 * self.connections].reshape(2, self.connections)
        mean, theirs = draws[-1] < self.averaged, choice < 0.5
        there, both = find(other.innovation, fitter.innovation)
        weights, on = other.weight[there], other.enabled[there]
        mixed = jnp.where(theirs, weights, fitter.weight)
        mixed = jnp.where(mean, (weights + fitter.weight) / 2, mixed)
        weight = jnp.where(both, mixed, fitter.weight)
        stays = (stays < self.stay_disabled) & ~(on & fitter.enabled)
        matched = (mean | jnp.where(theirs, on, fitter.enabled)) & ~stays
        enabled = jnp.where(both, matched, fitter.enabled)
        kind = fitter.kind
        if len(self.nonlinearities) > 1:
            other_kind, common = look_up(other.cells, other.kind, fitter.cells)
            change = common & (draws[2 * self.connections : -1] < 0.5)
            kind = jnp.where(change, other_kind, kind)
        return eqx.tree_at(lambda g: (g.weight, g.enabled, g.kind), fitter, (weight, enabled, kind))

    def distance(self, one: NeatGenes, other: NeatGenes) -> Float[Array, ""]:
        weight, both = look_up(other.innovation, other.weight, one.innovation)
        apart = jnp.where(both, jnp.abs(one.weight - weight), 0.0)
        matches = _count(both)
        differ = jnp.zeros(())
        if len(self.nonlinearities) > 1:
            kind, common = look_up(other.cells, other.kind, one.cells)
            differ = _count(common & (kind != one.kind))
        ends = [jnp.max(jnp.where(g.exists, g.innovation, -1)) for g in (one, other)]
        beyond = _count(one.exists & (one.innovation > ends[1]))
        beyond = beyond + _count(other.exists & (other.innovation > ends[0]))
        sizes = [_count(g.exists) for g in (one, other)]
        without = sizes[0] + sizes[1] - 2 * matches - beyond
        larger = jnp.maximum(sizes[0], sizes[1])
        larger = jnp.where(larger < self.small, 1.0, larger)
        unmatched = self.excess * beyond + self.disjoint * (without + differ)
        return unmatched / larger + self.spread * jnp.sum(apart) / jnp.maximum(matches, 1.0)

    def advice(self, genes: NeatGenes) -> tuple[str, ...]:
        """What went wrong for want of room, in plain words; for one genome or many, stacked."""
        lines = []
        for index, name in enumerate(("cells", "connections")):
            refused = np.asarray(genes.refused).reshape(-1, 2)[:, index]
            if refused.sum():
                room = getattr(self, name)
                lines.append(
                    f"{np.mean(refused > 0):.0%} of these genomes wanted to grow beyond {name}="
                    f"{room}, and were refused up to {refused.max()} times in their line of "
                    f"descent. Give more room: `Neat(..., {name}={2 * room})`."
                )
        return tuple(lines)


def _choose(which: Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(which, a, b), new, old)


def _count(them: Array) -> Float[Array, ""]:
    return jnp.sum(them.astype(jnp.float32))


def _zero(rate: Any) -> bool:
    return isinstance(rate, (int, float)) and rate == 0
