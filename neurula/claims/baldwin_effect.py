"""Learning guides evolution without being inherited: the needle in a haystack of Hinton and Nowlan.

Hinton & Nowlan (1987), Complex Syst. 1:495; Harvey (1993), for alleles that stay plastic; Fontanari
& Santos (2017), J. Theor. Biol. 430:20; Kauffman & Levin (1987), J. Theor. Biol. 128:11, for NK.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Int8, PRNGKeyArray

from ..evidence import Superiority
from ..evidence.conjunction import weakest
from ..evolution import evolve
from ..evolvers import GeneticAlgorithm
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..heredity import AbstractGenome, Life

LEARNING, NONE, BLIND = "learning", "no learning", "no learning, as many genotypes"
FREE, RANDOM = "learning without cost", "learning, random fitness"
RUGGED = {name: f"{name}, NK" for name in (LEARNING, NONE, BLIND)}
FIXATION = 0.03  # share of alleles that must become right, after `since`, to matter
PLASTIC = 2  # the allele that learning sets; 0 is wrong, 1 is right


class Alleles(AbstractGenome[Int8[Array, " locus"]]):
    """A string of alleles 0, 1 or plastic that crosses at one point and does not mutate."""

    loci: int = eqx.field(static=True)
    plastic: float  # chance of a plastic allele in the beginning; 0 and 1 share the rest

    def sample(self, *, key: PRNGKeyArray) -> Int8[Array, " locus"]:
        luck = jax.random.uniform(key, (self.loci,))
        wrong = (1 - self.plastic) / 2
        set_ = jnp.where(luck < wrong, 0, 1)
        return jnp.where(luck < 2 * wrong, set_, PLASTIC).astype(jnp.int8)

    def develop(self, genes: Int8[Array, " locus"], *, key: PRNGKeyArray) -> Any:
        return genes

    def encode(self, developed: Any) -> Int8[Array, " locus"]:
        return developed

    def mutate(self, genes: Int8[Array, " locus"], *, key: PRNGKeyArray) -> Any:
        return genes

    def cross(self, fitter: Any, other: Any, *, key: PRNGKeyArray) -> Int8[Array, " locus"]:
        at_swap, at_cut = jax.random.split(key)
        swap, place = jax.random.bernoulli(at_swap), jnp.arange(self.loci)
        first, second = jnp.where(swap, other, fitter), jnp.where(swap, fitter, other)
        return jnp.where(place < jax.random.randint(at_cut, (), 1, self.loci), first, second)

    def distance(self, one: Any, other: Any) -> Float[Array, ""]:
        return jnp.mean((one != other).astype(jnp.float32))


def trials_until_found(alleles: Int8[Array, " locus"], *, key: PRNGKeyArray) -> Float[Array, ""]:
    """How many guesses at the plastic alleles fail before all are right: exact in distribution.

    Guesses are independent, each right with chance 2^-plastic: a geometric number. Infinite where
    an allele is wrong, 0 where all are right from birth.
    """
    plastic = jnp.sum((alleles == PLASTIC).astype(jnp.float32))
    fails = jnp.log(jax.random.uniform(key, minval=1e-30)) / jnp.log1p(-(2.0**-plastic))
    fails = jnp.where(plastic == 0, 0.0, jnp.floor(fails))
    return jnp.where(jnp.any(alleles == 0), jnp.inf, fails)


def nk(bits: Int[Array, " locus"], tables: Float[Array, "locus context"]) -> Float[Array, ""]:
    """Kauffman's landscape: a locus adds what its table says of itself and its neighbours."""
    loci, contexts = tables.shape
    places = jnp.arange(contexts.bit_length() - 1)
    seen = bits[(jnp.arange(loci)[:, None] + places[None, :]) % loci]
    return jnp.mean(tables[jnp.arange(loci), jnp.sum(seen << places[None, :], axis=1)])


class BaldwinEffect(AbstractClaim):
    """Evolution with the published settings: one point of crossover, no mutation.

    Selection is proportional to fitness, 1 + 19 n / trials with n guesses left after success.
    """

    statement: ClassVar[str] = (
        "With lifetime learning a population finds one good combination of 20 alleles, which as "
        "many evaluations without learning do not find, and what is learned then becomes innate."
    )
    source: ClassVar[str] = "Hinton & Nowlan (1987), Complex Syst. 1:495"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        LEARNING: Arm("brain", "half of the alleles are plastic: guessed anew in every trial"),
        NONE: Arm("control", "no plastic alleles, one trial: what Hinton & Nowlan compared with"),
        BLIND: Arm(
            "control",
            "no plastic alleles; every organism puts as many random genotypes to the test as "
            "learners have trials, and what works is inherited",
        ),
        FREE: Arm("control", "learning, but all who succeed are equally fit, soon or late"),
        RANDOM: Arm("sham", "learning, but fitness is drawn at random"),
        RUGGED[LEARNING]: Arm(
            "probe", "learning on rugged landscapes, the best guess so far counts"
        ),
        RUGGED[NONE]: Arm("probe", "no learning on the same landscapes"),
        RUGGED[BLIND]: Arm("probe", "no learning there, as many more organisms as guesses"),
    }
    margin: ClassVar[float] = 0.5
    unit: ClassVar[str] = (
        "share of runs in which most organisms succeed (share of alleles: fixation)"
    )
    refuted_if: ClassVar[str] = (
        "as many evaluations without learning succeed in nearly as many runs, or right alleles do "
        "not become more frequent after generation 20 than where learning costs nothing"
    )
    expected: ClassVar[str] = (
        "Learners succeed in all runs, non-learners with one trial each in a few, and plastic "
        "alleles turn slowly into right ones. Bad outcome, and likely: a million blind genotypes "
        "in every generation find one good among a million, too."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Guesses are not made: how many fail is drawn from the geometric distribution, whether one "
        "of many random genotypes works from its chance, both exact.",
        "As many evaluations can be spent in many ways. Here each non-learner tests random "
        "genotypes; a population a thousand times larger would be another way.",
        "That plastic alleles are selected shows that learning is selected for, which is not yet "
        "genetic assimilation (Fontanari & Santos 2017): see the rise after generation 20, which "
        "also counts the few runs that find the combination only then.",
        "One needle is where guidance matters most (see NK); without mutation some alleles stay "
        "plastic for good (Harvey 1993).",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, population=40, generations=24, trials=60, loci=6, guesses=4),
        "quick": Budget(40),
        "full": Budget(40, generations=500),
    }

    population: int = 1000  # organisms
    loci: int = 20
    trials: int = 1000  # guesses in a life
    generations: int = 50
    since: int = 20  # the generation after which right alleles are counted for fixation
    neighbours: int = 4  # K: loci that change what a locus of an NK landscape is worth
    guesses: int = 20  # in a life on an NK landscape
    steepness: float = 20.0  # fitness there is exp(steepness value)

    def space(self, arm: str) -> dict[str, Range]:
        return {}

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        to_evolve, to_tables = jax.random.split(key)
        rugged, learns = arm in RUGGED.values(), arm.startswith("learning")
        genome = Alleles(self.loci, 0.5 if learns else 0.0)
        count = self.population * (self.guesses if arm == RUGGED[BLIND] else 1)
        evolver = GeneticAlgorithm(count, "proportional", crossing=1.0, elite=0)
        tables = jax.random.uniform(to_tables, (self.loci, 2 ** (self.neighbours + 1)))

        def needle(alleles: Array, *, key: PRNGKeyArray) -> Life:
            to_guess, to_test, to_score = jax.random.split(key, 3)
            fails = trials_until_found(alleles, key=to_guess)
            if arm == BLIND:
                blind = -jnp.expm1(self.trials * jnp.log1p(-(2.0**-self.loci)))
                found = jax.random.bernoulli(to_test, blind)
                alleles = jnp.where(found, 1, alleles).astype(jnp.int8)
                fails = jnp.where(jnp.all(alleles == 1), 0.0, jnp.inf)
            found = fails < self.trials
            fitness = 20.0 - 19.0 * jnp.minimum(fails / self.trials, 1.0)
            if arm == FREE:
                fitness = jnp.where(found, 20.0, 1.0)
            elif arm == RANDOM:
                fitness = 1.0 + 19.0 * jax.random.uniform(to_score)
            return Life(fitness, alleles, behaviour=found.astype(jnp.float32)[None])

        def hills(alleles: Array, *, key: PRNGKeyArray) -> Life:
            tries = self.guesses if learns else 1
            guess = jax.random.bernoulli(key, 0.5, (tries, self.loci)).astype(jnp.int32)
            bits = jnp.where(alleles[None, :] == PLASTIC, guess, alleles[None, :].astype(jnp.int32))
            values = jax.vmap(lambda bits: nk(bits, tables))(bits)
            sofar = jax.lax.cummax(values)
            return Life(jnp.exp(self.steepness * jnp.mean(sofar)), alleles, behaviour=sofar[-1:])

        def watch(state: Any, genes: Array, lives: Life) -> dict[str, Array]:
            share = lambda allele: jnp.mean((genes == allele).astype(jnp.float32))  # noqa: E731
            told: Any = lives.behaviour
            reached = told[:, 0]
            best = jnp.max(reached) if rugged else jnp.mean(reached)
            return {"right": share(1), "plastic": share(PLASTIC), "reached": best}

        found = evolve(
            genome, evolver, hills if rugged else needle,
            generations=self.generations, lamarck=arm == BLIND, watch=watch, key=to_evolve,
        )  # fmt: skip
        each = (self.guesses if rugged else self.trials) if learns or arm == BLIND else 1
        last = found.watched["reached"][-1]
        deviation = (12 * self.loci) ** -0.5  # of the values of random genotypes
        return Outcome(
            score=(last - 0.5) / deviation if rugged else (last > 0.5).astype(jnp.float32),
            curves=found.watched,
            costs={"evaluations": jnp.asarray(float(count * each * self.generations))},
        )

    def evidence(self, outcomes: Outcomes) -> Evidence:
        score = {arm: np.asarray(outcomes[arm].score, np.float64) for arm in self.arms}

        def more(one: str, other: str, margin: float = 0.0) -> Superiority:
            return Superiority(score[one], score[other], margin)

        def rise(arm: str) -> Float[np.ndarray, " seed"]:
            right = np.asarray(outcomes[arm].curves["right"], np.float64)
            return right[:, -1] - right[:, min(self.since, self.generations - 1)]

        against = {other: more(LEARNING, other, self.margin) for other in (BLIND, NONE)}
        fixed = Superiority(rise(LEARNING), rise(FREE), FIXATION)
        lost, solved = score[RANDOM].mean(), score[LEARNING].mean()
        return Evidence(
            weakest(*against.values(), fixed),
            gates=(
                Gate("learners succeed in most runs", bool(solved > 0.5), f"{solved:.2f} of runs"),
                Gate("fitness must tell: the sham fails", bool(lost < 0.5), f"{lost:.2f} of runs"),
            ),
            secondary={
                "learners against as many genotypes": against[BLIND],
                "learners against non-learners": against[NONE],
                "fixation: rise of right alleles, more than without cost": fixed,
                "fixation: rise of right alleles": Superiority(
                    rise(LEARNING), np.zeros_like(rise(LEARNING)), FIXATION
                ),
                **{
                    f"{RUGGED[LEARNING]} - {RUGGED[other]} (deviations)": more(
                        RUGGED[LEARNING], RUGGED[other]
                    )
                    for other in (NONE, BLIND)
                },
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        shown = {LEARNING: LEARNING, FREE: "no cost", BLIND: "as many genotypes", NONE: NONE}
        told = {
            f"{name} alleles, {shown[arm]}": outcomes[arm].curves[name]
            for arm in (LEARNING, FREE)
            for name in ("right", "plastic")
        }
        for arm in (LEARNING, BLIND, NONE):
            told[f"succeed, {shown[arm]}"] = outcomes[arm].curves["reached"]
        return curves(np.arange(self.generations), told, x_title="generation", y_title="share")
