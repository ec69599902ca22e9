"""Weights painted over the places of cells: connectivity as a pattern, so that it may be regular.

Stanley, D'Ambrosio & Gauci (2009), Artif. Life 15:185 (HyperNEAT); Verbancsics & Stanley (2011),
GECCO 1483 (a pattern of its own for which connections there are: the link expression output).
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, PRNGKeyArray

from ..allowed import require_kind
from ..heredity import AbstractGenome
from ..network import Network
from ..populations import Projection
from ..reaching import reaches
from ..wirings import Dense
from .cppn import cppn, patterns
from .neat import Neat
from .neat_genes import NeatGenes


class HyperNeat(AbstractGenome[NeatGenes]):
    """A pattern, evolved by NEAT, gives every connection of `substrate` its weight.

    The pattern takes the places of both cells, (source, target), and their distance if it is
    `with_distance`, and has an output for each projection. Of an output o, cut to -1 ... 1, comes
    the weight largest * sign(o) * (|o| - threshold) / (1 - threshold), and no connection where |o|
    is below the threshold. With `expression` there is a second output for each projection, and
    connections are where that is above 0, with the weight largest * o. Places should lie between
    -1 and 1. Biases and whatever else there is stay as they are in the substrate.

    Genes, and how they change, are those of `pattern` (`cppn` unless given).
    """

    substrate: Network
    pattern: Neat
    threshold: float = 0.2
    largest: float = 3.0
    with_distance: bool = eqx.field(static=True, default=False)
    expression: bool = eqx.field(static=True, default=False)

    def __init__(
        self,
        substrate: Network,
        pattern: Neat | None = None,
        *,
        threshold: float = 0.2,
        largest: float = 3.0,
        with_distance: bool = False,
        expression: bool = False,
    ):
        self.substrate, self.threshold, self.largest = substrate, threshold, largest
        self.with_distance, self.expression = with_distance, expression
        require_kind(self, "substrate", Network, "HyperNeat(sandwich([(3, 3), (1, 2)]))")
        _check_places(substrate)
        inputs, outputs = self._coordinates, len(substrate.projections) * (1 + expression)
        self.pattern = cppn(inputs, outputs) if pattern is None else pattern
        fits = (self.pattern.inputs, self.pattern.outputs) == (inputs, outputs)
        if not fits or self.pattern.loops:
            raise ValueError(
                f"This substrate takes a pattern without loops, of {inputs} coordinates and with "
                f"{outputs} outputs, but got {self.pattern.inputs} and {self.pattern.outputs}, "
                f"loops={self.pattern.loops}. Use `cppn({inputs}, {outputs})`."
            )
        if not 0 <= threshold < 1:
            raise ValueError(
                f"Outputs lie between -1 and 1, and weights where they exceed the threshold, but "
                f"got threshold={threshold}: nothing would be there. Use `threshold=0.2`."
            )

    @property
    def _coordinates(self) -> int:
        axes = next(iter(self.substrate.populations.values())).positions
        return 2 * (0 if axes is None else axes.places.shape[1]) + self.with_distance

    def sample(self, *, key: PRNGKeyArray) -> NeatGenes:
        return self.pattern.sample(key=key)

    def mutate(self, genes: NeatGenes, *, key: PRNGKeyArray) -> NeatGenes:
        return self.pattern.mutate(genes, key=key)

    def cross(self, fitter: NeatGenes, other: NeatGenes, *, key: PRNGKeyArray) -> NeatGenes:
        return self.pattern.cross(fitter, other, key=key)

    def distance(self, one: NeatGenes, other: NeatGenes) -> Float[Array, ""]:
        return self.pattern.distance(one, other)

    def advice(self, genes: NeatGenes) -> tuple[str, ...]:
        """What went wrong for want of room, in plain words."""
        return self.pattern.advice(genes)

    def develop(self, genes: NeatGenes, *, key: PRNGKeyArray) -> Network:
        """The substrate with its weights; connections that are not expressed are gone."""
        del key
        filled = []
        for index, projection in enumerate(self.substrate.projections):
            ends = self._ends(projection)
            painted = patterns(self.pattern, genes, ends.reshape(-1, ends.shape[-1]))
            painted = painted.reshape(*ends.shape[:-1], -1)
            kept = (
                painted[..., index + len(self.substrate.projections)] if self.expression else None
            )
            filled.append(self._fill(projection, painted[..., index], kept))
        changed = tuple(filled)
        return eqx.tree_at(lambda net: net.projections, self.substrate, changed).constrain()

    def _ends(self, projection: Projection) -> Float[Array, "*edge coordinate"]:
        """Where every connection comes from and leads to."""
        populations = self.substrate.populations
        pre: Any = populations[projection.source].positions
        post: Any = populations[projection.target].positions
        axes = zip(pre.places.T, post.places.T, strict=True)
        pairs = [jnp.broadcast_arrays(*projection.wiring.ends(a, b)) for a, b in axes]
        from_to = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
        if self.with_distance:
            from_to.append(jnp.sqrt(sum(((b - a) ** 2 for a, b in pairs), jnp.zeros(()))))
        return jnp.stack(from_to, -1)

    def _fill(
        self, projection: Projection, painted: Float[Array, "*edge"], kept: Array | None
    ) -> Projection:
        size = jnp.clip(jnp.where(jnp.isfinite(painted), painted, 0.0), -1.0, 1.0)
        if kept is None:
            beyond = jnp.maximum(jnp.abs(size) - self.threshold, 0.0) / (1 - self.threshold)
            there, size = jnp.abs(size) > self.threshold, jnp.sign(size) * beyond
        else:
            there = kept > 0
        wiring = projection.wiring
        weight = self.largest * jnp.where(there, size, 0.0) * wiring.fill(1.0)
        if isinstance(wiring, Dense):  # so that learning leaves alone what is not expressed
            there = there if wiring.mask is None else there & wiring.mask
            wiring = Dense(wiring.post, wiring.pre, there)
        return eqx.tree_at(lambda p: (p.wiring, p.weight), projection, (wiring, weight))


def _check_places(substrate: Network) -> None:
    """Refuse a substrate that no pattern could fill, or that would be deaf or mute if it were."""
    axes = {
        name: None if p.positions is None else p.positions.places.shape[1]
        for name, p in substrate.populations.items()
    }
    if None in axes.values() or len(set(axes.values())) > 1:
        raise ValueError(
            f"A pattern is painted over places with as many axes for all, but populations have "
            f"{axes} axes. Give cells places: "
            "`Population(size, neuron, Positions(sheet(height, width)))`, or use `sandwich`."
        )
    for p in substrate.projections:
        if jax.eval_shape(p.wiring.spread, p.weight).shape != p.weight.shape:
            raise ValueError(
                f"A pattern gives every connection its weight, but in {p.name} many share one "
                f"({p.weight.shape} numbers). Use `shared=False`."
            )
    with jax.ensure_compile_time_eval():  # a genome may be made within a compiled program
        full = substrate.edit(lambda p: eqx.tree_at(lambda p: p.weight, p, p.wiring.fill(1.0)))
        way = reaches(full)
    if not isinstance(way, Tracer) and not bool(way):
        raise ValueError(
            f"In this substrate no path leads from the senses {list(substrate.senses)} to the "
            f"voices {list(substrate.voices)}, even with all of its "
            f"{len(substrate.projections)} projections: whatever is painted, it would not answer. "
            "Join them by projections."
        )
