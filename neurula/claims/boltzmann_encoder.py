"""Cells that flip coins find a code from what every connection sees, awake and in dreams.

Ackley, Hinton & Sejnowski (1985), Cogn. Sci. 9:147; contrastive divergence: Hinton (2002), Neural
Comput. 14:1771.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..builders import layered
from ..contracts import AbstractRule, Error, Sample
from ..evidence import Share
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..measures import energy
from ..network import Network, record
from ..neurons import Rate
from ..response import respond
from ..rules import AbstractGradientRule, Backprop, Boltzmann
from ..rules.boltzmann import MOST_CELLS, every_state, gibbs, probabilities, visible
from ..rules.gradient import freeze
from ..symmetric import boltzmann
from ..tasks import Encoder
from ..wirings import Dense

ANNEALED, EXACT, DIVERGENCE = "annealed", "exact", "contrastive divergence"
AWAKE, BACKPROP = "no free phase", "backprop"
BOUND, FEW = 0.8, 0.1  # shares of runs: to be exceeded, and allowed without the mechanism
WHOLE = 0.95  # share of patterns that have to be completed


class BoltzmannEncoder(AbstractClaim):
    """Two groups of visible cells always show the same pattern: in each, one and the same cell.

    Nothing joins the groups but hidden cells, too few to have one for each pattern: they
    need a code. Runs that solve the task give all patterns codes of their own (the most probable
    hidden states) and complete at least 95 %, shown to the first group only (the most probable
    states again: what annealing finds if it is slow enough).
    """

    statement: ClassVar[str] = (
        "A symmetric net of stochastic cells that changes every weight by how often both its ends "
        "are on together when patterns are shown, minus how often when it runs free, ends with a "
        "code for the 4-2-4 encoder in at least nine runs of ten; without the free phase it fails."
    )
    source: ClassVar[str] = "Ackley, Hinton & Sejnowski (1985), Cogn. Sci. 9:147"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "mechanism"
    arms: ClassVar[dict[str, Arm]] = {
        ANNEALED: Arm(
            "brain", "states by annealing, noisy clamping, weight steps of one size, as in 1985"
        ),
        EXACT: Arm("probe", "the same net, by sums over all states; beyond 14 cells long sampling"),
        DIVERGENCE: Arm("probe", "no connections among visible cells, one-step reconstructions"),
        AWAKE: Arm("sham", "as annealed, but nothing is taken off for the free phase"),
        BACKPROP: Arm("control", "autoencoder from the first group over as many hidden cells"),
    }
    margin: ClassVar[float] = 0.1
    unit: ClassVar[str] = "share of runs above 0.8"
    refuted_if: ClassVar[str] = (
        "fewer than nine annealed runs of ten end with codes of their own for all patterns and "
        "completion of at least 95 % (supported: nine or more, and the interval above 0.8)"
    )
    expected: ClassVar[str] = (
        "Supported: the first paper solved it in all of 250 runs, after 110 cycles in the middle "
        "and 1,810 at most. Bad outcome: some runs still share a code at the end, or lose one "
        "again, because steps of one size never settle."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Weights that are the same both ways are assumed, as weight transport is in backprop.",
        "Noisy clamping keeps weights small; a net that has learned the noise reproduces it, so "
        "that it is the most probable completion that counts.",
        "Annealing in exams as short as in learning would get stuck and fail good codes.",
        "A run is judged at its end; in 1985 it ended once it had succeeded.",
        "Two runs came before this one: 29 of 50 solved it with patterns drawn by chance instead "
        "of each equally often, 24 of 50 with a rate chosen on 4 seeds, too slow to finish. Both "
        "were seen before this one (rate chosen on 16 seeds) was fixed: seeds here are others.",
        "Hidden cells are not joined to each other.",
        "Contrastive divergence trains another, smaller net: it is described, not compared.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, updates=4, probes=2),
        "quick": Budget(50),
        "full": Budget(250, updates=8000),
    }

    visible: int = 4  # cells of each visible group, and patterns: 8 for 8-3-8
    hidden: int = 2  # hidden cells: 3 for 8-3-8
    updates: int = 2000  # updates; the slowest run of 1985 took 1,810
    batch: int = 2  # times that every pattern is shown in an update, as in 1985
    sweeps: int = 10  # sweeps over all cells while a phase cools from twice the temperature
    samples: int = 10  # sweeps that count, at the end of a phase
    lost: float = 0.15  # chance that noisy clamping turns a cell off
    added: float = 0.05  # chance that noisy clamping turns a cell on
    probes: int = 20  # exams, evenly spaced

    def __check_init__(self):
        if self.visible + self.hidden > MOST_CELLS:
            raise ValueError(
                f"Expected at most {MOST_CELLS} cells that are not shown in an exam, got "
                f"{self.visible} visible and {self.hidden} hidden ones. Exams look at all their "
                "states, twice as many with each cell. Try --visible 8 --hidden 3."
            )

    def space(self, arm: str) -> dict[str, Range]:
        low = {ANNEALED: 0.01, AWAKE: 0.01, BACKPROP: 0.003}.get(arm, 0.1)
        return {"rate": Range(low, 100 * low)}

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_network, at_life = jax.random.split(jax.random.fold_in(key, 2026))
        rate, copies = settings["rate"], 1 if arm == BACKPROP else 2
        noise = (self.lost, self.added) if arm in (ANNEALED, AWAKE) else (0.0, 0.0)
        optimiser = optax.sign_sgd(rate) if arm in (ANNEALED, AWAKE) else optax.sgd(rate)
        learned = learn(
            self.network(arm, key=at_network),
            self.rule(arm),
            Encoder(self.visible, copies, *noise, cycle=True),
            optax.adam(rate) if arm == BACKPROP else optimiser,
            steps=self.updates,
            batch=self.batch,
            probe=lambda net: self.exam(arm, net),
            probes=self.probes,
            key=at_life,
        )
        solved, completed = (learned.curves[what] for what in ("solved", "completed"))
        tuning = (solved[-1] + completed[-1]) / 2
        return Outcome(solved[-1], tuning, learned.curves, learned.costs)

    def network(self, arm: str, *, key: PRNGKeyArray) -> Network:
        """A net that has not learned."""
        cells = self.visible
        if arm == BACKPROP:
            make = lambda size: Rate("sigmoid", jnp.zeros(size))  # noqa: E731
            net = layered([cells, self.hidden, cells], neuron=make, key=key)
            return eqx.tree_at(lambda n: n.populations["output"].neuron, net, make(cells))
        group = np.arange(2 * cells) // cells
        mates = (group[:, None] == group[None, :]) & ~np.eye(2 * cells, dtype=bool)
        among = None if arm == DIVERGENCE else Dense(2 * cells, 2 * cells, jnp.asarray(mates))
        return boltzmann(2 * cells, self.hidden, among=among, key=key)

    def rule(self, arm: str) -> AbstractRule:
        """What an arm learns by."""
        annealed = Boltzmann("annealed", self.sweeps, self.samples, hot=2.0)
        if arm == EXACT and 2 * self.visible + self.hidden > MOST_CELLS:
            return Boltzmann("annealed", 4 * self.sweeps, 10 * self.samples, hot=2.0)
        return {
            ANNEALED: annealed,
            EXACT: Boltzmann("exact"),
            DIVERGENCE: Boltzmann("contrastive divergence", sweeps=1, samples=1, hot=1.0),
            AWAKE: Awake(annealed),
            BACKPROP: Backprop(),
        }[arm]

    def exam(self, arm: str, net: Network) -> dict[str, Float[Array, ""]]:
        """Whether the task is solved, and shares of patterns completed and of codes not shared."""
        cells = self.visible
        if arm == BACKPROP:
            codes, said = rounded(net, cells)
        else:
            codes = most_probable(net, cells, groups=2)[:, 2 * cells :]
            said = most_probable(net, cells, groups=1)[:, cells : 2 * cells]
        right = jnp.all(said == jnp.eye(cells), axis=1)
        same = jnp.all(codes[:, None] == codes[None], axis=2)
        own, completed = jnp.mean(jnp.sum(same, axis=1) == 1), jnp.mean(right)
        solved = (own == 1.0) & (completed >= WHOLE)
        return {"solved": solved.astype(jnp.float32), "completed": completed, "own code": own}

    def evidence(self, outcomes: Outcomes) -> Evidence:
        def share(arm: str, exams: slice = slice(-1, None)) -> Share:
            solved = np.asarray(outcomes[arm].curves["solved"])[:, exams].max(axis=1) > 0.5
            return Share(int(solved.sum()), solved.size, BOUND, self.margin)

        failing = float(np.mean(outcomes[AWAKE].score))
        learns = float(np.mean(outcomes[BACKPROP].curves["completed"][:, -1]))
        sham_fails = "without the free phase at most one run in ten solves the task"
        can_be = "it can be learned: backprop completes 95 % of all patterns"
        return Evidence(
            share(ANNEALED),
            gates=(
                Gate(sham_fails, failing <= FEW, f"{100 * failing:.0f} %"),
                Gate(can_be, learns >= WHOLE, f"{100 * learns:.1f} %"),
            ),
            secondary={
                "annealed, in any exam on the way": share(ANNEALED, slice(None)),
                **{arm: share(arm) for arm in (EXACT, DIVERGENCE, BACKPROP)},
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        updates = np.arange(1, self.probes + 1) * (self.updates // self.probes)
        runs = {arm: np.asarray(outcome.curves["solved"]) for arm, outcome in outcomes.items()}
        shares = {arm: 100 * solved.mean(0, keepdims=True) for arm, solved in runs.items()}
        return curves(updates, shares, x_title="updates", y_title="runs that solve the task, %")


class Awake(AbstractGradientRule[None]):
    """Boltzmann learning without the free phase: whatever is on together grows together."""

    rule: Boltzmann
    needs: ClassVar[frozenset[str]] = frozenset()

    def init(self, brain: Network, *, key: PRNGKeyArray) -> None:
        self.rule.init(brain, key=key)

    def surrogate(
        self, state: None, brain: Network, sample: Sample, error: Error, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], None]:
        cooling = self.rule.hot ** jnp.linspace(1.0, 0.0, self.rule.sweeps)
        warmth = jnp.concatenate([cooling, jnp.ones(self.rule.samples)])
        shown, still = sample.stimuli.shape[1], freeze(brain)
        split = lambda s: {"visible": s[:shown], "hidden": s[shown:]}  # noqa: E731

        def one(stimulus: Array, key: PRNGKeyArray) -> Float[Array, ""]:
            held, seen = visible(brain, stimulus)
            states = gibbs(still, seen, warmth, jnp.asarray(~held), key=key)[self.rule.sweeps :]
            return jnp.mean(jax.vmap(lambda s: energy(brain, split(s)))(states))

        keys = jax.random.split(key, len(sample.stimuli))
        return jnp.mean(jax.vmap(one)(sample.stimuli, keys)), None

    def remember(self, state: None, notes: None) -> None:
        del notes


def most_probable(net: Network, cells: int, groups: int) -> Float[Array, "pattern cell"]:
    """The most probable states of all cells while one or both groups are shown a pattern."""

    def state(pattern: Float[Array, " cell"]) -> Float[Array, " all"]:
        held, seen = visible(net, jnp.tile(pattern, 2))
        states = every_state(~held | (np.arange(len(held)) >= groups * cells), seen)
        return states[jnp.argmax(probabilities(net, states))]

    return jax.vmap(state)(jnp.eye(cells))


def rounded(net: Network, cells: int) -> tuple[Array, Array]:
    """Which hidden cells of an autoencoder are more on than off, and which outputs, by pattern."""
    hidden = lambda p: record(net, p[None], "hidden1").responses[0]  # noqa: E731
    output = lambda p: respond(net, p[None])[0]  # noqa: E731
    code, said = (jnp.round(jax.vmap(look)(jnp.eye(cells))) for look in (hidden, output))
    return code, said
