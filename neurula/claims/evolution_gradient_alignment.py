"""Blind evolution goes down the gradient on average, as long as its steps are small.

Zhang, Clune & Stanley (2017), arXiv:1712.06564; Whitelam, Selin, Park & Tamblyn (2021), Nat.
Commun. 12:6317; Lehman, Chen, Clune & Stanley (2018), GECCO 450. Strength of selection: Burrows
(1972), Biometrics 28:1091.
"""

import functools
import math
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from ..builders import layered
from ..evidence import Identity, Slope, Superiority, weakest
from ..evolvers.ranks import centred_ranks
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Outcome, Outcomes, Range
from ..genomes import Weights
from ..live import learn
from ..network import trainable
from ..response import respond
from ..rules import Backprop
from ..tasks import Digits

HIDDEN = (1, 13, 133)  # cells, which make 85, 985 and 9,985 weights and biases
SIGMAS = (1e-3, 1e-2, 1e-1, 1.0)  # standard deviations of a mutation
MISFIT = 0.1  # of 1 - R2, between measured and predicted cosines
BITE = 0.1  # of the predicted alignment, lost with every decade of the size of mutations
# How many mutations of evolution are worth as much as one of an estimate of the gradient by all:
# with half of them selected, the mean of the better half of a normal distribution, sqrt(2 / pi),
# counts squared; children of pairs of parents are drawn once more.
WORTH = {
    "evolution strategy": 3 / math.pi,
    "truncation": 1 / math.pi,
    "one plus one": 1 / math.pi,
    "crossover": 2 / (3 * math.pi),
    "random selection": 1 / math.pi,  # what it would be if these were selected
}
BRAINS = tuple(WORTH)[:4]
Mutations = Float[Array, "mutant gene"]


class EvolutionGradientAlignment(AbstractClaim):
    """Mutants of networks that read digits, as they are born and when they have learned a little.

    All ways to select see the same mutations. A population of n is met 512 / n times.
    """

    statement: ClassVar[str] = (
        "The mean mutation that selection lets through points down the gradient, with a cosine "
        "that population n and dimension d predict as sqrt(c n / (c n + d)), c a constant of the "
        "way to select; with larger mutations this alignment is lost."
    )
    source: ClassVar[str] = "Whitelam et al. (2021), Nat. Commun. 12:6317"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "mechanism and interaction"
    arms: ClassVar[dict[str, Arm]] = {
        "evolution strategy": Arm("brain", "Mutations weighted by the centred rank of fitness"),
        "truncation": Arm("brain", "The mean of the fitter half"),
        "one plus one": Arm("brain", "The mean of those fitter than their parent"),
        "crossover": Arm("brain", "The mean of n children, each of two out of the fitter half"),
        "random selection": Arm("sham", "The mean of a half that is drawn at random"),
    }
    margin: ClassVar[float] = 0.1
    unit: ClassVar[str] = "of 1 - R2 of the prediction, or of the alignment lost by decade"
    refuted_if: ClassVar[str] = (
        "for any seed and way to select the prediction explains less than 90 % of the variance of "
        "cosines over n and d at mutations of 0.001, or the alignment, as a share of what is "
        "predicted, falls by less than 0.1 with every tenfold of mutations up to 1"
    )
    expected: ClassVar[str] = (
        "Supported: both sides are right where they speak of. Small mutations follow the gradient "
        "in a fog of dimensions, large ones probe. Bad outcome: curvature bends the prediction at "
        "mutations of 0.001 already, or rounding hides such small differences of fitness."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "c is derived, not fitted: 3 / pi for ranks, 1 / pi for halves, 2 / (3 pi) with crossover.",
        "Alignment on average says nothing about any one lineage, nor that evolution is efficient: "
        "with 10,000 weights and 512 mutants the cosine is 0.2 at best.",
        "Fitness is the loss on 50 digits that stay the same: no noise but that of mutations.",
        "The 100 updates by backprop of each of three networks are not among the evaluations.",
        "Populations go to 512, to 2,048 at the full budget.",
        "Populations that do not change genes by more than one step: diversity that builds up "
        "over generations, and crossover between distant parents, lie outside of the theory.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, mutants=32, pictures=5, updates=2),
        "quick": Budget(20),
        "full": Budget(20, mutants=2048),
    }
    batched: ClassVar[bool] = False  # mutants fill the memory of a seed

    mutants: int = 512  # the largest population, in powers of four from 8
    pictures: int = 50  # that fitness is measured on
    updates: int = 100  # by backprop, of networks that have learned a little

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # nothing is tuned: a theory predicts

    @property
    def populations(self) -> list[int]:
        """8, 32, 128, ... as far as mutants go."""
        return [8 * 4**i for i in range(10) if 8 * 4**i <= self.mutants]

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        found = [self.size(arm, hidden, jax.random.fold_in(key, hidden)) for hidden in HIDDEN]
        cosine, gain, genes = (jnp.stack(x) for x in zip(*found, strict=True))
        n = jnp.asarray(self.populations, jnp.float32)
        theory = predicted(WORTH[arm], n[None, :], genes[:, None])  # d x n
        small = cosine[:, :, 0]  # d x place x n, at the smallest mutations
        missed = jnp.sum((small - theory[:, None]) ** 2) / jnp.sum((small - jnp.mean(small)) ** 2)
        share = jnp.mean(cosine / theory[:, None, None], axis=(0, 1, 3))  # by size of mutations
        kept = {"cosine": cosine, "theory": theory, "share": share, "gain": gain}
        costs = {"evaluations": jnp.asarray(float(self.mutants * 2 * len(SIGMAS) * len(HIDDEN)))}
        return Outcome(1 - missed, kept=kept, costs=costs)

    def size(self, arm: str, hidden: int, key: PRNGKeyArray) -> tuple[Array, Array, Array]:
        """Cosines by place, size of mutations and n; the gain of the best mutant; dimensions."""
        at_birth, at_life, at_mutation, at_choice, at_pictures = jax.random.split(key, 5)
        newborn, task = layered([64, hidden, 10], key=at_birth), Digits()
        life: dict[str, Any] = {"steps": self.updates, "key": at_life}
        learned = learn(newborn, Backprop(), task, optax.sgd(0.1), **life).brain
        draw = lambda k: task.sample("train", key=k)  # noqa: E731
        seen = jax.vmap(draw)(jax.random.split(at_pictures, self.pictures))
        genome = Weights(newborn)
        numbers = lambda brain: ravel_pytree(trainable(brain))[0]  # noqa: E731
        mutations = jax.random.normal(at_mutation, (self.mutants, genome.size))

        def loss(genes: Float[Array, " gene"]) -> Float[Array, ""]:
            brain = genome.develop(genes, key=at_birth)
            one = lambda s: task.error(respond(brain, s.stimuli), s)  # noqa: E731
            return jnp.mean(jax.vmap(one)(seen))

        def place(start: Float[Array, " gene"], sigma: Float[Array, ""]) -> tuple[Array, Array]:
            parent, slope = jax.value_and_grad(loss)(start)
            mutant = lambda m: parent - loss(start + sigma * m)  # noqa: E731
            gains = jax.lax.map(mutant, mutations, batch_size=min(64, self.mutants))
            cosine = functools.partial(cosines, arm, mutations, gains, -slope, key=at_choice)
            return jnp.stack([cosine(n) for n in self.populations]), jnp.max(gains)

        starts = jnp.stack([numbers(newborn), numbers(learned)])
        pairs = [(start, sigma) for start in starts for sigma in jnp.asarray(SIGMAS)]
        start, sigma = (jnp.stack(x) for x in zip(*pairs, strict=True))
        cosine, gain = jax.lax.map(lambda pair: place(*pair), (start, sigma))
        shape = (2, len(SIGMAS))
        size = jnp.asarray(float(genome.size))
        return cosine.reshape(*shape, -1), gain.reshape(shape), size

    def evidence(self, outcomes: Outcomes) -> Evidence:
        misfit = {arm: 1 - np.asarray(o.score, np.float64) for arm, o in outcomes.items()}
        shares = np.stack([outcomes[arm].kept["share"] for arm in BRAINS]).astype(np.float64)
        share = shares.mean(0)
        worst = np.max([misfit[arm] for arm in BRAINS], axis=0)
        decades = np.log10(SIGMAS)
        gain = np.asarray(outcomes["truncation"].kept["gain"], np.float64)[:, :, :, -1].mean((1, 2))
        nothing = np.zeros_like(gain)
        return Evidence(
            weakest(
                Identity(worst, misfit["random selection"], MISFIT),
                Slope(decades, -share, BITE),
            ),
            secondary={
                "cosines are as predicted": Identity(worst, misfit["random selection"], MISFIT),
                "alignment lost by decade of mutations": Slope(decades, -share, BITE),
                "alignment left at mutations of 1, as a share": Superiority(
                    share[:, -1], nothing, 0.0
                ),
                "log10 of mutations that halve alignment": Superiority(halved(share), nothing, 0.0),
                "the best mutant at mutations of 1 gains (nats)": Superiority(gain, nothing, 0.0),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        share = {arm: np.asarray(o.kept["share"]) for arm, o in outcomes.items()}
        titles: dict[str, Any] = {
            "x_title": "standard deviation of mutations",
            "y_title": "cosine / predicted",
        }
        return curves(np.asarray(SIGMAS), share, log_x=True, **titles)


def predicted(worth: float, n: Float[Array, "..."], d: Float[Array, "..."]) -> Float[Array, "..."]:
    """The cosine that selection of n mutants in d dimensions reaches where fitness is linear."""
    return jnp.sqrt(worth * n / (worth * n + d))


def cosines(
    arm: str,
    mutations: Mutations,
    gains: Float[Array, " mutant"],
    downhill: Float[Array, " gene"],
    n: int,
    *,
    key: PRNGKeyArray,
) -> Float[Array, ""]:
    """The mean cosine between what is selected in populations of n and a direction."""
    groups = mutations.reshape(-1, n, mutations.shape[-1]), gains.reshape(-1, n)

    def one(group: tuple[Mutations, Array, Array]) -> Float[Array, ""]:
        step = selected(arm, *group)
        lengths = jnp.linalg.norm(step) * jnp.linalg.norm(downhill)
        return jnp.where(lengths > 0, step @ downhill / jnp.maximum(lengths, 1e-30), 0.0)

    keys = jax.random.split(key, groups[1].shape[0])
    return jnp.mean(jax.lax.map(one, (*groups, keys)))


def selected(
    arm: str, mutations: Mutations, gains: Float[Array, " mutant"], key: PRNGKeyArray
) -> Float[Array, " gene"]:
    """The mean of what goes on, from one population."""
    n = gains.shape[0]
    if arm == "evolution strategy":
        return centred_ranks(gains) @ mutations
    if arm == "one plus one":
        return (gains > 0).astype(jnp.float32) @ mutations
    if arm == "random selection":
        return jnp.mean(mutations[jax.random.permutation(key, n)[: n // 2]], axis=0)
    fitter = jnp.argsort(-gains)[: n // 2]
    if arm == "truncation":
        return jnp.mean(mutations[fitter], axis=0)
    to_pair, to_mix = jax.random.split(key)
    one, other = fitter[jax.random.randint(to_pair, (2, n), 0, n // 2)]
    mixed = jax.random.bernoulli(to_mix, 0.5, mutations.shape)
    return jnp.mean(jnp.where(mixed, mutations[one], mutations[other]), axis=0)


def halved(share: Float[np.ndarray, "seed sigma"]) -> Float[np.ndarray, " seed"]:
    """log10 of the mutations at which half of the alignment is left, between measured sizes."""
    found = []
    for row in share / share[:, :1]:
        low = int(np.argmax(row < 0.5)) if (row < 0.5).any() else len(row) - 1
        x, y = np.log10(SIGMAS)[low - 1 : low + 1], row[low - 1 : low + 1]
        found.append(np.interp(0.5, y[::-1], x[::-1]))
    return np.array(found)
