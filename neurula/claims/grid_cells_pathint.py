"""Whether grid cells come from path integration, or from the code of place that is asked for.

For: Banino et al. (2018), Nature 557:429; Sorscher et al. (2019), NeurIPS 32:10003. Against:
Schaeffer, Khona & Fiete (2022), NeurIPS 35:16052. Static theory: Dordek et al. (2016), eLife
5:e10094.
"""

from functools import partial
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..evidence import Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import examine, learn
from ..measures import against_noise, grid_score, rate_map, visits
from ..memories import Elman
from ..rules import Backprop
from ..tasks import PathIntegration
from ..tasks.path_integration import Walk

BRAIN, GAUSSIAN, CARTESIAN, MIXED = "difference", "Gaussian", "Cartesian", "mixed difference"
UNTRAINED, SIGNED, SIGNED_GAUSSIAN = "untrained", "difference, signed", "Gaussian, signed"
READOUT = {BRAIN: "difference", GAUSSIAN: "gaussian", CARTESIAN: "cartesian", MIXED: MIXED,
           UNTRAINED: "difference", SIGNED: "difference", SIGNED_GAUSSIAN: "gaussian"}  # fmt: skip
OTHERS = (GAUSSIAN, CARTESIAN, MIXED)
BEYOND = 0.01  # p of a unit's grid score among its own surrogates
NEAR = 0.10  # m: who decodes places worse does not integrate paths (Schaeffer et al.)
SHOWN = 6  # maps of each arm in the figure
BATCH = 64
SCORE = partial(grid_score, definition="deepmind")  # that such networks were judged by
EXAM = 1000  # walks from which maps of networks are made


class GridCellsPathint(AbstractClaim):
    """Units whose maps are more hexagonal than noise of their own spectrum, by readout of place.

    Without `updates`, the static theory: units that each maximise the variance of what they take
    from the centred codes of all places, rates not negative (or signed: principal components).
    With `updates`, recurrent networks that learn to integrate paths.
    """

    statement: ClassVar[str] = (
        "Grid-like units come from the readout of place that is asked for, a difference of "
        "softmaxes, not from path integration: Gaussian, Cartesian and mixed readouts give far "
        "fewer."
    )
    source: ClassVar[str] = (
        "Grid-like representations spontaneously emerge in networks that integrate paths; Banino "
        "et al. (2018), Nature 557:429, against Schaeffer et al. (2022), NeurIPS 35:16052"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "computation"
    kind: ClassVar[str] = "emergence"
    arms: ClassVar[dict[str, Arm]] = {
        BRAIN: Arm("brain", "difference of softmaxes, 0.12 m wide, surround of twice the variance; "
                   "rates not negative"),
        GAUSSIAN: Arm("control", "Gaussian place cells, 0.12 m wide; rates not negative"),
        CARTESIAN: Arm("control", "the two coordinates; rates not negative"),
        MIXED: Arm("control", "differences of softmaxes 0.06 to 0.24 m wide; rates not negative"),
        UNTRAINED: Arm("sham", "random rectified sums of the brain's place code; or a network "
                       "before learning"),
        SIGNED: Arm("probe", "difference of softmaxes; rates of either sign"),
        SIGNED_GAUSSIAN: Arm("probe", "Gaussian place cells; rates of either sign"),
    }  # fmt: skip
    margin: ClassVar[float] = 20.0
    unit: ClassVar[str] = "points of the share of grid-like units"
    refuted_if: ClassVar[str] = (
        "the difference of softmaxes has less than 20 points more grid-like units than a Gaussian, "
        "a Cartesian or a mixed readout: the weakest comparison rules"
    )
    expected: ClassVar[str] = (
        "Grids with the difference of softmaxes only. Bad outcome for the sentence: others have "
        "them, too, so that they would come with any code of place; or none has them."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "The quick budget is the static theory: nothing integrates paths there, so grids that "
        "appear need no path integration, but that networks that do integrate have none is not "
        "shown. The full budget trains networks, hours on a computer without a GPU.",
        "Smooth noise scores high, too (above 0.3 in 6 to 18 % of maps): a unit counts if its "
        "score is above those of 99 noise maps with its own spectrum, the same all around.",
        "The width of place cells and surround was chosen by the literature so that grids appear.",
        "A static unit looks for its own best pattern, alone; units do not share the work, so that "
        "places decoded from all of them are worse than a network's.",
        "The static theory has place cells on a lattice in a box without walls: with scattered "
        "cells all units settle on the one sparsest spot (seen on tuning seeds, scores unseen). "
        "Real boxes have walls; the full budget has both, scattered cells and walls.",
        "One definition of the grid score (Banino et al.) of five; no dropout; one scale of grids, "
        "where animals have modules with ratios of about 1.4.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, places=64, bins=14, units=8, scored=4, surrogates=9, rounds=20),
        "quick": Budget(8),
        "full": Budget(8, places=256, units=128, scored=64, updates=10_000),
    }
    batched: ClassVar[bool] = False  # grid scores are NumPy

    places: int = 484  # place cells; a square number
    units: int = 64  # whose maps are made
    scored: int = 32  # of them, drawn at random, are scored
    bins: int = 28  # along a side of the box, 2.2 m
    surrogates: int = 99  # noise maps of a unit
    rounds: int = 500  # of the static search
    updates: int = 0  # of a recurrent network; 0: static theory

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # the card's constants

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_places, at_units, at_noise = jax.random.split(key, 3)
        task = PathIntegration(READOUT[arm], cells=self.places, exam_size=EXAM, key=at_places)
        make = self.integrated if self.updates else self.static
        maps, away = make(arm, task, at_units)
        rng = np.random.default_rng(np.asarray(jax.random.bits(at_noise, (2,))).tolist())
        maps = np.asarray(maps, float)[rng.permutation(len(maps))[: self.scored]]
        found = against_noise(SCORE, maps, surrogates=self.surrogates, rng=rng)
        share = np.mean(found.p_value <= BEYOND)  # NaN, of silent units, is none
        best = np.argsort(-np.nan_to_num(found.observed, nan=-9.0))[:SHOWN]
        kept = {"away": away, "high": np.mean(found.observed > 0.8), "maps": maps[best],
                "scores": found.observed[best], "median": np.nanmedian(found.observed)}  # fmt: skip
        kept = {name: jnp.asarray(x, jnp.float32) for name, x in kept.items()}
        costs = {"updates": jnp.float32(self.updates), "samples": jnp.float32(self.updates * BATCH)}
        return Outcome(jnp.float32(100 * share), costs=costs, kept=kept)

    def static(self, arm: str, task: PathIntegration, key: PRNGKeyArray) -> tuple[Array, Array]:
        """Maps (unit, row, column) of the static theory, and how far off decoded places are (m)."""
        side = round(self.places**0.5)
        places, centres = lattice(self.bins, task.box), lattice(side, task.box)

        @eqx.filter_jit
        def search(task: PathIntegration, key: PRNGKeyArray) -> tuple[Array, Array]:
            code = static_code(task, places, centres)
            start = jax.random.uniform(key, (len(places), self.units), minval=-0.5, maxval=0.5)
            rates = patterns(code - jnp.mean(code, 0, keepdims=True), start, arm, self.rounds)
            known = jnp.concatenate([rates, jnp.ones((len(rates), 1))], 1)
            said = known @ jnp.linalg.lstsq(known, code)[0]
            if task.readout != "cartesian":  # the centre of the most active cell
                said = centres[jnp.argmax(said, -1)]
            away = jnp.mean(jnp.linalg.norm(around(said - places, task.box), axis=-1))
            return rates.T.reshape(self.units, self.bins, self.bins), away

        return search(task, key)

    def integrated(self, arm: str, task: PathIntegration, key: PRNGKeyArray) -> tuple[Any, Array]:
        """Maps (unit, row, column) of a recurrent network, and its mean error of place (m)."""
        at_brain, at_life, at_exam = jax.random.split(key, 3)
        _, inputs, outputs = task.shape
        activation = "tanh" if arm in (SIGNED, SIGNED_GAUSSIAN) else "relu"
        brain = Elman(
            inputs, self.units, outputs, activation=activation, start="identity", key=at_brain
        )

        @eqx.filter_jit
        def life(brain: Elman) -> tuple[Array, Array, Array]:
            adam = optax.adamw(1e-3, weight_decay=1e-4)
            if arm != UNTRAINED:
                made = learn(brain, Backprop(), task, adam, steps=self.updates, batch=BATCH,
                             key=at_life)  # fmt: skip
                brain = made.brain
            walks = task.exam("test", key=at_exam)
            assert isinstance(walks, Walk)
            states = jax.vmap(lambda x: states_of(brain, x))(walks.stimuli)
            return -examine(brain, task, "test", key=at_exam), walks.places, states

        away, places, states = jax.tree.map(np.asarray, life(brain))
        times, half = np.arange(places.size // 2) * 0.02, task.box / 2
        path = visits(places.reshape(-1, 2), times, bin_width=task.box / self.bins,
                      extent=(-half, half, -half, half))  # fmt: skip
        drawn = rate_map(path, rates=states.reshape(len(times), -1), sigma=1.0)
        return np.nan_to_num(drawn), away

    def evidence(self, outcomes: Outcomes) -> Evidence:
        share = {arm: np.asarray(x.score, np.float64) for arm, x in outcomes.items()}
        away = {arm: np.asarray(x.kept["away"], np.float64).mean() for arm, x in outcomes.items()}
        parts = {f"beyond {arm}": Superiority(share[BRAIN], share[arm], self.margin)
                 for arm in OTHERS}  # fmt: skip
        least = np.min([share[arm] for arm in (BRAIN, *OTHERS)], 0)
        chance = np.full_like(least, 100 * BEYOND)
        opposed = {"the other prediction, grids always": Superiority(least, chance, 10.0)}
        opposed |= {f"{arm}: beyond chance": Superiority(share[arm], chance, 10.0)
                    for arm in outcomes}  # fmt: skip
        noise = share[UNTRAINED].mean()
        gates = [Gate("Untrained units are not counted: at most 5 %.", bool(noise <= 5),
                      f"{noise:.1f} %")]  # fmt: skip
        if self.updates:
            trained = {arm: a for arm, a in away.items() if arm != UNTRAINED}
            worst = max(trained, key=lambda arm: trained[arm])
            gates.append(Gate("All trained networks integrate paths: places decoded within 10 cm.",
                              bool(trained[worst] < NEAR),
                              f"the worst, {worst}, {100 * trained[worst]:.0f} cm"))  # fmt: skip
        return Evidence(weakest(*parts.values()), gates=tuple(gates), secondary=parts | opposed)

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import rate_maps

        charts, titles = [], []
        for arm, outcome in outcomes.items():  # of the first seed, the highest scores
            kept = {name: np.asarray(x)[0] for name, x in outcome.kept.items()}
            charts += list(kept["maps"])
            titles += [f"{arm}: {score:.2f}" for score in kept["scores"]]
        return rate_maps(np.stack(charts), titles=titles, columns=SHOWN, unit="a.u.")


def lattice(side: int, box: float) -> Float[Array, "place 2"]:
    """Places evenly spread over a square, row by row."""
    middle = (jnp.arange(0.5, side) / side - 0.5) * box
    return jnp.stack(jnp.meshgrid(middle, middle), -1).reshape(-1, 2)


def around(away: Array, box: float) -> Array:
    """The shortest way on a torus."""
    return (away + box / 2) % box - box / 2


def static_code(task: PathIntegration, places: Array, centres: Array) -> Array:
    """(place, cell): coordinates, or softmaxes of cells on a lattice in a box without walls."""
    if task.readout == "cartesian":
        return places
    away = around(places[:, None] - centres[None], task.box)
    broad = -jnp.sum(away**2, -1) / (2 * task.widths[None] ** 2)
    near, far = jax.nn.softmax(broad, -1), jax.nn.softmax(broad / task.surround, -1)
    return near if task.readout == "gaussian" else near - far


def patterns(
    code: Float[Array, "place cell"], start: Float[Array, "place unit"], arm: str, rounds: int
) -> Float[Array, "place unit"]:
    """Rates of units: rectified power iteration, principal components, or random sums."""
    if arm in (SIGNED, SIGNED_GAUSSIAN):
        return jnp.linalg.svd(code, full_matrices=False)[0][:, : start.shape[1]]

    def better(rates: Array, _: Any) -> tuple[Array, None]:
        rates = jax.nn.relu(code @ (code.T @ rates))
        return rates / (jnp.linalg.norm(rates, axis=0, keepdims=True) + 1e-12), None

    rounds = 1 if arm == UNTRAINED else rounds
    return jax.lax.scan(better, start, None, length=rounds)[0]


def states_of(brain: Elman, stimuli: Float[Array, "time in"]) -> Float[Array, "time cell"]:
    """The activity of all cells while stimuli are shown."""

    def step(state: Array, now: Array) -> tuple[Array, Array]:
        state = brain.step(state, now)[0]
        return state, state

    return jax.lax.scan(step, brain.init(), stimuli)[1]
