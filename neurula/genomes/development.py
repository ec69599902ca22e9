"""Networks that grow: cells with one programme divide, migrate along morphogens, and connect.

Kitano (1990), Complex Syst. 4:461; Gruau (1994), PhD thesis, ENS Lyon (cellular encoding);
Cangelosi, Parisi & Nolfi (1994), Network 5:497; Astor & Adami (2000), Artif. Life 6:189; Najarro,
Sudhakaran & Risi (2023), ALIFE, arXiv:2307.08197 (neural developmental programmes).
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..allowed import require_between
from ..heredity import AbstractVectorGenome
from ..network import Network
from ..neurons import Rate
from ..populations import Population, Positions, Projection
from ..wirings import Dense
from .affinity import affinity, weights
from .cell_programme import Answer, CellProgramme
from .morphogens import Morphogens
from .tissue import Tissue, crawl, divide, push

COVERED = 0.4  # share of the square that `capacity` cells cover
UNBORN = -1.0  # both coordinates of cells that were never born, outside the square
WILLING = -1.0  # the answer above which a cell divides: it does, unless told not to


class Development(AbstractVectorGenome):
    """Founders in the middle of the unit square become a network in `steps` growth steps.

    In a step each cell asks the programme (`CellProgramme`, whose weights are the genes) with its
    own state and the concentrations at its place. It changes its state, secretes, divides if told
    to, along a mixture of the gradients, and climbs another one; cells that overlap push each
    other. At last cells, senses (a row at the floor) and voices (a row at the roof) show molecules,
    and those connect whose ligand and receptor match and which are near (`affinity`). So a genome
    has the same length whatever it grows. What grows is "input" over "cells" (tanh, with biases
    and loops of delay 1) to "output" (linear), padded to `capacity`: cells never born have no
    connections and lie outside, at (-1, -1).

    `shuffled` holds the key of a sham: in every step each cell feels the concentrations and
    gradients of another place, the same for all genes. `noise` displaces daughters, in radii.
    """

    inputs: int = eqx.field(static=True)
    outputs: int = eqx.field(static=True)
    capacity: int = eqx.field(static=True, default=64)  # cells at most
    steps: int = eqx.field(static=True, default=10)
    founders: int = eqx.field(static=True, default=1)
    states: int = eqx.field(static=True, default=3)  # numbers in the inner state of a cell
    molecules: int = eqx.field(static=True, default=3)  # kinds of receptor and ligand
    hidden: int = eqx.field(static=True, default=6)  # cells in the hidden layer of the programme
    morphogens: Morphogens = eqx.field(default_factory=Morphogens)
    axon: float = 0.4  # widths, standard deviation of the distance that axons bridge
    threshold: float = 0.05  # affinity above which cells connect
    gain: float = 8.0  # of a weight
    noise: float = 0.0  # radii, standard deviation
    shuffled: PRNGKeyArray | None = None  # where the sham feels
    pushes: int = eqx.field(static=True, default=2)  # in a growth step
    mutation: float = 0.1  # standard deviation of the change of a gene

    def __check_init__(self):
        if self.capacity < max(self.founders, 2) or self.founders < 1 or self.steps < 1:
            raise ValueError(
                f"A tissue of capacity={self.capacity} has no room to grow from founders="
                f"{self.founders} cells in steps={self.steps}: it takes at least one founder, one "
                f"step, and room for two cells and for all founders. Use for example "
                f"`capacity={max(16, 2 * self.founders)}`."
            )
        require_between(self, "inputs outputs states molecules hidden", 1.0)
        require_between(self, "axon threshold gain noise pushes mutation", 0.0)

    @property
    def programme(self) -> CellProgramme:
        known, secreted = self.morphogens.count, self.morphogens.secreted
        return CellProgramme(self.states, known, secreted, self.molecules, self.hidden)

    @property
    def size(self) -> int:
        return self.programme.size

    @property
    def radius(self) -> float:
        """Of a cell, in widths of the square."""
        return math.sqrt(COVERED / (math.pi * self.capacity))

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        return jax.random.normal(key, (self.size,))

    def develop(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> Network:
        tissue, _ = self.grow(genes, key=key)
        return self.connect(genes, tissue)

    def stages(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> tuple[Tissue, Network]:
        """All stages, `steps` + 1 along a leading axis, and the network that `develop` gives."""
        tissue, stages = self.grow(genes, key=key)
        first = jax.tree.map(lambda x: x[None], self.founding())
        whole = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), first, stages)
        return whole, self.connect(genes, tissue)

    def concentrations(
        self, stages: Tissue, across: int = 48
    ) -> Float[Array, "stage morphogen row column"]:
        """All morphogens over the square, rows from the floor, columns from the left."""
        line = (jnp.arange(across) + 0.5) / across
        x, y = jnp.meshgrid(line, line)
        places = jnp.stack([x.ravel(), y.ravel()], axis=1)
        value = jax.vmap(lambda field: self.morphogens.sense(field, places)[0])(stages.secreted)
        return jnp.moveaxis(value, -1, 1).reshape(len(value), -1, across, across)

    def founding(self) -> Tissue:
        """The founders, side by side in the middle."""
        number = jnp.arange(self.capacity, dtype=jnp.int32)
        aside = 2 * self.radius * (np.arange(self.capacity) - (self.founders - 1) / 2)
        row = np.clip(np.stack([0.5 + aside, np.full(self.capacity, 0.5)], 1), 0, 1)
        alive = number < self.founders
        places = jnp.where(alive[:, None], jnp.asarray(row, jnp.float32), 0.5)
        state = jnp.zeros((self.capacity, self.states))
        return Tissue(places, state, alive, number, jnp.zeros_like(number), self.morphogens.none())

    def grow(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> tuple[Tissue, Tissue]:
        """The grown tissue, and all stages after the first along a leading axis."""
        luck = self.noise * jax.random.normal(key, (self.steps, self.capacity, 2))
        steps = jnp.arange(1, self.steps + 1, dtype=jnp.int32)

        def one(tissue: Tissue, at: tuple[Array, Array]) -> tuple[Tissue, Tissue]:
            tissue = self.step(genes, tissue, *at)
            return tissue, tissue

        return jax.lax.scan(one, self.founding(), (steps, luck))

    def step(
        self,
        genes: Float[Array, " gene"],
        tissue: Tissue,
        step: Int[Array, ""],
        luck: Float[Array, "cell 2"],
    ) -> Tissue:
        """One growth step: feel, decide, secrete, divide, migrate, push."""
        answer, slopes = self._answer(genes, tissue, step)
        climb = lambda mix: jnp.einsum("nm,nmi->ni", mix, slopes)  # noqa: E731
        amounts = jnp.where(tissue.alive[:, None], answer.secrete, 0.0) * 4 / self.capacity
        secreted = self.morphogens.secrete(tissue.secreted, tissue.places, amounts)
        state = jnp.tanh(tissue.state + 0.5 * answer.state)
        tissue = eqx.tree_at(lambda t: (t.state, t.secreted), tissue, (state, secreted))
        axis = climb(answer.axis)
        axis = axis / jnp.maximum(jnp.linalg.norm(axis, axis=1, keepdims=True), 1e-6) + luck
        half = self.radius / 2 * axis
        pull = climb(answer.migrate)
        moved = crawl(tissue.places, pull, self.radius)
        tissue = eqx.tree_at(lambda t: t.places, tissue, moved)
        tissue = divide(tissue, answer.divide[:, 0] > WILLING, half, 0.5 * answer.asymmetry, step)
        settled = push(tissue.places, tissue.alive, self.radius, self.pushes)
        return eqx.tree_at(lambda t: t.places, tissue, settled)

    def _answer(
        self, genes: Float[Array, " gene"], tissue: Tissue, step: Int[Array, ""]
    ) -> tuple[Answer, Float[Array, "cell morphogen 2"]]:
        """What cells do after what they feel, and the gradients that they feel."""
        felt, slopes = self.morphogens.sense(tissue.secreted, self._felt(tissue.places, step))
        clock = 2 * step.astype(jnp.float32) / self.steps - 1
        return self.programme(genes, tissue.state, felt, clock), slopes

    def advice(self, genes: Float[Array, " gene"]) -> tuple[str, ...]:
        """What went wrong for want of room, in plain words."""
        tissue, _ = self.grow(genes, key=jax.random.key(0))
        answer, _ = self._answer(genes, tissue, jnp.asarray(self.steps, jnp.int32))
        waiting = int(jnp.sum((answer.divide[:, 0] > WILLING) & tissue.alive))
        if not waiting or not bool(jnp.all(tissue.alive)):
            return ()
        return (
            f"Growth ended for want of room, at capacity={self.capacity}, while {waiting} cells "
            "still wanted to divide: the setting, not the genes, says how large this network is. "
            f"Give more room, `Development(..., capacity={2 * self.capacity})`, or fewer `steps`.",
        )

    def connect(self, genes: Float[Array, " gene"], tissue: Tissue) -> Network:
        """The network of a grown tissue."""
        senses, voices = _row(self.inputs, 0.0), _row(self.outputs, 1.0)
        marks = [1.0, 0.0, -1.0]  # in the state, so that senses and voices are no cells
        shown = [
            self._shown(genes, tissue, places, mark)
            for places, mark in zip([senses, tissue.places, voices], marks, strict=True)
        ]
        (sense, cell, voice), alive = shown, tissue.alive
        all_senses, all_voices = jnp.ones(self.inputs, bool), jnp.ones(self.outputs, bool)
        ends = [
            ("input", "cells", sense, cell, senses, tissue.places, all_senses, alive),
            ("cells", "cells", cell, cell, tissue.places, tissue.places, alive, alive),
            ("cells", "output", cell, voice, tissue.places, voices, alive, all_voices),
        ]
        joins = []
        for source, target, pre, post, start, end, speaks, listens in ends:
            match = affinity(post.receptor, pre.ligand, end, start, self.axon)
            possible = listens[:, None] & speaks[None, :]
            exists, weight = weights(match, possible, self.threshold, self.gain)
            wiring = Dense(len(end), len(start), exists)
            delay = int(source == target)
            joins.append(Projection(source, target, wiring, weight, delay=delay))
        bias = jnp.where(alive, cell.bias[:, 0], 0.0)
        places = jnp.where(alive[:, None], tissue.places, UNBORN)
        populations = {
            "input": Population(self.inputs, Rate("identity"), Positions(senses)),
            "cells": Population(self.capacity, Rate("tanh", bias), Positions(places)),
            "output": Population(
                self.outputs, Rate("identity", voice.bias[:, 0]), Positions(voices)
            ),
        }
        return Network(populations, joins, senses=["input"], voices=["output"])

    def _shown(
        self, genes: Array, tissue: Tissue, places: Float[Array, "end 2"], mark: float
    ) -> Answer:
        """Which molecules cells, senses or voices show at the end."""
        marked = jnp.zeros((len(places), self.states)).at[:, 0].set(mark)
        state = tissue.state if mark == 0.0 else marked
        last = jnp.asarray(self.steps + 2 + int(mark), jnp.int32)  # a step of its own
        known, _ = self.morphogens.sense(tissue.secreted, self._felt(places, last))
        return self.programme(genes, state, known, 1.0)

    def _felt(self, places: Float[Array, "end 2"], step: Int[Array, ""]) -> Float[Array, "end 2"]:
        """Where morphogens are felt: here, or, shuffled, anywhere."""
        if self.shuffled is None:
            return places
        key = jax.random.fold_in(self.shuffled, step)
        return jax.random.uniform(key, places.shape)


def _row(count: int, height: float) -> Float[Array, "end 2"]:
    """Evenly spaced places at one height."""
    across = (np.arange(count) + 0.5) / count
    return jnp.asarray(np.stack([across, np.full(count, height)], 1), jnp.float32)
