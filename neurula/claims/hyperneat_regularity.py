"""Whether painting weights over the places of cells pays the more, the more regular a problem is.

Problems: Clune, Stanley, Pennock & Ofria (2011), IEEE Trans. Evol. Comput. 15:346 (target weights,
bit mirroring, HybrID). Method: Stanley, D'Ambrosio & Gauci (2009), Artif. Life 15:185.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..evidence import Slope, Superiority, weakest
from ..evolution import Evolved, evolve
from ..evolvers import CMAES, NeatSearch
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..genomes import HyperNeat, Weights, cppn, sandwich
from ..heredity import AbstractGenome
from ..network import Network
from ..neurons import Rate

PROBLEMS = ("target weights", "bit mirroring")
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)  # regularity
PAINTED = ("hyperneat", "polynomial", "shuffled", "hybrid")
LARGEST = 3.0  # weights are drawn, and painted, from -3 to 3
Settings = dict[str, Float[Array, ""]]


class Problem(eqx.Module):
    """One problem at one regularity, as a fitness: 1 is perfect, 0 what an empty network gets.

    Target weights: 1 - mean |w - target| / mean |target|, at least -1. A regular target has one
    value everywhere; a share of the weights is drawn anew. Bit mirroring: twice the share of right
    output bits, less 1; a regular problem asks every output for the input at its own place; a
    share of the outputs swap places.
    """

    kind: Int[Array, ""]  # place in PROBLEMS
    target: Float[Array, "post pre"]
    source: Int[Array, " post"]  # which input an output has to copy
    patterns: Float[Array, "pattern pre"]  # of -1 and 1

    def __call__(self, network: Network, *, key: PRNGKeyArray) -> Float[Array, ""]:
        del key
        weight = network.projections[0].weight
        off = jnp.mean(jnp.abs(weight - self.target)) / jnp.mean(jnp.abs(self.target))
        said = jnp.sign(self.patterns @ weight.T)
        right = jnp.mean(said * self.patterns[:, self.source])
        return jnp.where(self.kind == 0, jnp.maximum(1 - off, -1.0), right)


class HyperneatRegularity(AbstractClaim):
    """Two sheets of cells, all connections from one to the other; weights are to be found."""

    statement: ClassVar[str] = (
        "A pattern over the places of cells (HyperNEAT) leads a direct encoding of the weights by "
        "the more, the more regular the problem, and is behind it on irregular problems; without "
        "the true places the lead on a problem of geometry is gone."
    )
    source: ClassVar[str] = (
        "Clune et al. (2011), IEEE Trans. Evol. Comput. 15:346; Stanley et al. (2009)"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "interaction (encoding x regularity)"
    arms: ClassVar[dict[str, Arm]] = {
        "hyperneat": Arm("brain", "weights painted by a pattern that NEAT evolves"),
        "ft-neat": Arm("control", "one gene for every weight, the same species and crossover"),
        "cma-es": Arm("control", "one gene for every weight, covariance matrix adaptation"),
        "hybrid": Arm("control", "half of the lives painted, then the direct code from there on"),
        "polynomial": Arm("control", "a pattern of sums and squares alone: no waves, no bells"),
        "shuffled": Arm("sham", "the same pattern over places dealt out at random to the cells"),
    }
    margin: ClassVar[float] = 0.1
    unit: ClassVar[str] = "fitness (0 empty, 1 perfect), gained from regularity 0 to 100 %"
    refuted_if: ClassVar[str] = (
        "the lead over FT-NEAT, mean over both problems, grows by less than 0.1 from 0 to 100 % "
        "regularity, or FT-NEAT is ahead by less than 0.1 at 0 %, or in bit mirroring the lead "
        "over shuffled places grows by less than 0.1. The primary test is that of the part with "
        "the weakest ruling: all have to hold"
    )
    expected: ClassVar[str] = (
        "Supported against FT-NEAT; the published lead is large only near 100 %. Bad outcome: "
        "CMA-ES, as direct, solves what FT-NEAT does not, so that the lead is one over a weak "
        "search; or the pattern wins because its functions are those of the problem."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "The functions of a pattern may hold the answer: hence the polynomial one.",
        "A regular target is one value everywhere, which needs no geometry: only bit mirroring can "
        "tell true places from shuffled ones.",
        "Irregularity of bit mirroring is a share of outputs that swap places, not Clune's "
        "constraints on rows and columns; sheets are 3 x 3, not 7 x 7.",
        "The slope is over five levels; published leads are not linear but rise near the end.",
        "The card asks for a crossing between 50 and 100 %; here three parts have a margin of 0.1 "
        "each. Tuning chose nearly the smallest steps on offer: smaller ones might do better.",
        "All arms live as many lives; patterns have a capacity of 12 cells and 48 connections.",
        "Seen in the quick run: the lead over FT-NEAT grows by 0.48 and begins near 80 %, but "
        "shuffled places do as well in bit mirroring: in 2,400 lives no pattern found its way over "
        "3 x 3 places, though direct codes did, and no gate asks that it can. NEAT's sums have "
        "since changed their order: the code of today differs from that run in the third digit.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, side=2, population=8, generations=4),
        "quick": Budget(10),
        "full": Budget(20, side=5, population=100, generations=100),
    }

    side: int = 3  # cells along an edge of a sheet
    population: int = 40  # lives in a generation
    generations: int = 60  # even
    patterns: int = 64  # stimuli of bit mirroring, for fitness; as many for the score

    def space(self, arm: str) -> dict[str, Range]:
        if arm == "cma-es":
            return {"deviation": Range(0.1, 3.0)}
        step = {"step": Range(0.1, 3.0)} if arm in PAINTED else {}
        return step | ({"mutation": Range(0.03, 1.0)} if arm in ("ft-neat", "hybrid") else {})

    def problems(self, *, key: PRNGKeyArray) -> tuple[Problem, Problem]:
        """Both problems at all levels, (problem, level), for fitness and with other stimuli.

        What is irregular at one level stays so at all lower ones.
        """
        cells = self.side**2
        at_value, at_odd, at_place, at_turn, at_fit, at_score = jax.random.split(key, 6)
        value = jax.random.uniform(at_value, (), minval=1.0, maxval=LARGEST)
        odd = jax.random.uniform(at_odd, (cells, cells), minval=-LARGEST, maxval=LARGEST)
        rank = jax.random.permutation(at_place, cells**2).reshape(cells, cells)
        turn = jax.random.permutation(at_turn, cells)

        def at(kind: Int[Array, ""], level: Float[Array, ""], key: PRNGKeyArray) -> Problem:
            regular = rank < jnp.round(level * cells**2).astype(jnp.int32)
            target = jnp.where(regular, value, odd)
            moved = cells - jnp.round(level * cells).astype(jnp.int32)  # outputs that swap
            next_one = jnp.where(jnp.arange(cells) + 1 < moved, jnp.arange(cells) + 1, 0)
            ring = jnp.where(jnp.arange(cells) < moved, turn[next_one], turn)
            source = jnp.zeros(cells, jnp.int32).at[turn].set(ring)
            bits = jax.random.rademacher(key, (self.patterns, cells), jnp.float32)
            return Problem(kind, target, source, bits)

        kinds, levels = jnp.arange(len(PROBLEMS)), jnp.array(LEVELS)
        both = lambda key: jax.vmap(  # noqa: E731
            lambda kind: jax.vmap(lambda level: at(kind, level, key))(levels)
        )(kinds)
        return both(at_fit), both(at_score)

    def genome(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> AbstractGenome:
        """The code of an arm's weights."""
        sheets = sandwich([(self.side, self.side)] * 2, output=Rate("identity"))
        if arm in ("ft-neat", "cma-es"):
            return direct(sheets, settings)
        if arm == "shuffled":
            keys = jax.random.split(key)
            where = lambda net: [p.positions.places for p in net.populations.values()]  # noqa: E731
            dealt = [jax.random.permutation(k, x) for k, x in zip(keys, where(sheets), strict=True)]
            sheets = eqx.tree_at(where, sheets, dealt)
        plain: Any = {"nonlinearities": ("identity", "square"), "output": "identity"}
        pattern = cppn(4, **plain) if arm == "polynomial" else cppn(4)
        painted = HyperNeat(sheets, pattern, largest=LARGEST)
        return eqx.tree_at(lambda g: g.pattern.step, painted, settings["step"])

    def evolved(
        self, arm: str, settings: Settings, problem: Problem, *, key: PRNGKeyArray
    ) -> tuple[AbstractGenome, Evolved, Float[Array, " generation"]]:
        """The code that was evolved last, what came of it, and the best of each generation."""
        at_genome, at_first, at_second = jax.random.split(key, 3)
        species = NeatSearch(self.population, goal=8, threshold=1.0, adjust=0.1)
        evolver = species
        if arm == "cma-es":
            evolver = eqx.tree_at(
                lambda e: e.deviation, CMAES(self.population), settings["deviation"]
            )
        genome = self.genome(arm, settings, key=at_genome)
        half = self.generations // 2 if arm == "hybrid" else self.generations
        found = evolve(genome, evolver, problem, generations=half, key=at_first)
        if arm != "hybrid":
            return genome, found, found.curves["best"]
        painted = genome.develop(found.genes, key=at_genome).projections[0].weight
        empty = sandwich([(self.side, self.side)] * 2, output=Rate("identity"))
        second = direct(eqx.tree_at(lambda n: n.projections[0].weight, empty, painted), settings)
        start = species.init(second, key=at_second)
        near = settings["mutation"] * start.genes.at[0].set(0.0)  # the champion, and mutants
        start = eqx.tree_at(lambda s: s.genes, start, near)
        later = evolve(second, species, problem, generations=half, state=start, key=at_second)
        return second, later, jnp.concatenate([found.curves["best"], later.curves["best"]])

    def run(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> Outcome:
        at_problem, at_life = jax.random.split(key)
        fitness, exam = self.problems(key=at_problem)

        def one(tuned: Settings, key: Array, problem: Problem, exam: Problem) -> tuple:
            genome, found, best = self.evolved(arm, tuned, problem, key=key)
            return exam(genome.develop(found.genes, key=key), key=key), jax.lax.cummax(best)

        each = jax.vmap(jax.vmap(one, (None, None, 0, 0)), (None, None, 0, 0))
        each = jax.custom_batching.sequential_vmap(each)  # all seeds at once overflow the cache
        score, best = each(settings, at_life, fitness, exam)
        return Outcome(
            score=jnp.mean(score),
            tuning=jnp.mean(score),
            curves={f"{name}, regular": best[i, -1] for i, name in enumerate(PROBLEMS)},
            costs={
                "parameters": jnp.asarray(float(self.side**4)),
                "samples": jnp.asarray(float(self.population * self.generations)),
            },
            kept={"fitness": score, "first": best[:, :, 0]},
        )

    def evidence(self, outcomes: Outcomes) -> Evidence:
        levels, by_problem = np.array(LEVELS), {a: fitness(o) for a, o in outcomes.items()}
        both = {arm: values.mean(1) for arm, values in by_problem.items()}
        mirror = {arm: values[:, 1] for arm, values in by_problem.items()}
        slope = lambda one, other: Slope(levels, one, self.margin, other)  # noqa: E731
        grows = slope(both["hyperneat"], both["ft-neat"])
        brain, control = (both[arm].T for arm in ("hyperneat", "ft-neat"))  # level by level
        behind = Superiority(control[0], brain[0], self.margin)
        places = slope(mirror["hyperneat"], mirror["shuffled"])
        learned = float((both["ft-neat"] - outcomes["ft-neat"].kept["first"].mean(1)).mean())
        able = float(by_problem["hyperneat"][:, 0, -1].mean())
        others = [arm for arm in both if arm not in ("hyperneat", "ft-neat")]
        return Evidence(
            weakest(grows, behind, places),
            gates=(
                Gate("FT-NEAT gains 0.1 over generations", learned >= 0.1, f"{learned:.2f}"),
                Gate("HyperNEAT finds one weight for all: 0.7", able >= 0.7, f"{able:.2f}"),
            ),
            secondary={
                "the lead over FT-NEAT grows": grows,
                "FT-NEAT is ahead at 0 %": behind,
                "HyperNEAT is ahead at 50 %": Superiority(brain[2], control[2], self.margin),
                "HyperNEAT is ahead at 100 %": Superiority(brain[4], control[4], self.margin),
                "the lead over shuffled places grows, bit mirroring": places,
                **{f"the lead over {a} grows": slope(both["hyperneat"], both[a]) for a in others},
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves, stacked

        levels, found = 100 * np.array(LEVELS), {arm: fitness(o) for arm, o in outcomes.items()}
        pictures = []
        for i, name in enumerate(PROBLEMS):
            lines = {arm: values[:, i] for arm, values in found.items()}
            titles: dict[str, Any] = {"x_title": "regularity, %", "y_title": f"fitness, {name}"}
            pictures.append(curves(levels, lines, **titles))
        return stacked(*pictures)


def direct(sheets: Network, settings: Settings) -> Weights:
    """One gene for every weight, as a difference from what it is in `sheets`."""
    genome = Weights(sheets, around=True)
    if "mutation" not in settings:
        return genome
    return eqx.tree_at(lambda g: g.mutation, genome, settings["mutation"])


def fitness(outcome: Outcome) -> Float[np.ndarray, "seed problem level"]:
    """Of the champions, with fresh stimuli."""
    return np.asarray(outcome.kept["fitness"], np.float64)
