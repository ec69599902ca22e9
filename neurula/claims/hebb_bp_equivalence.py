"""Hebbian learning is backprop where a second phase unlearns and feedback is weak, at a price.

Xie & Seung (2003), Neural Comput. 15:441; O'Reilly (1996), Neural Comput. 8:895.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .. import rules
from ..builders import layered
from ..contracts import AbstractRule, Error, Sample
from ..evidence import Identity, Parity, Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import examine, learn
from ..measures.alignment import angle
from ..network import Network
from ..rules import AbstractContrastiveRule, ContrastiveHebb
from ..rules.contrastive import Meeting
from ..rules.relaxation import split_outputs
from ..symmetric import inputs_only, two_way
from ..tasks import Digits
from ..wirings import Transposed

WEAK, MEDIUM, STRONG = "CHL, gain 0.01", "CHL, gain 0.1", "CHL, gain 1"
GENEREC, HEBB, REVERSED, BACKPROP = "GeneRec", "plain Hebb", "anti-Hebb", "backprop"
SHALLOW = ", one hidden layer"
GAINS = {MEDIUM: 0.1, STRONG: 1.0, GENEREC: 1.0}  # of the feedback; else 0.01
# How cells settle, by gain: tau in steps, and steps without and with a teacher.
PACE = {0.01: (0.25, 9, 5), 0.1: (0.5, 12, 8), 1.0: (2.0, 24, 16)}
ENOUGH = 95.0  # % right: what the price is asked for
COSINE = 0.01  # that a cosine may lack
DEARER = 5.0  # times the multiply-adds
BITE = 3.0  # points of accuracy that a phase to unlearn must be worth


class HebbBpEquivalence(AbstractClaim):
    """Networks with mirrored feedback learn digits by comparing two settled states, or without.

    The teacher holds the outputs where a step down the error would take them. Multiply-adds are
    those that are needed: what pixels send is summed once a phase, all else at every step.
    """

    statement: ClassVar[str] = (
        "Contrastive Hebbian learning with weak feedback is equivalent to backprop, in direction "
        "(cosine of at least 0.99) and accuracy (within 1 point), and far less efficient: it needs "
        "at least 5 times the multiply-adds to read 95 % of digits."
    )
    source: ClassVar[str] = "Xie & Seung (2003), Neural Comput. 15:441"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "mechanism, parity and cost"
    arms: ClassVar[dict[str, Arm]] = {
        WEAK: Arm("brain", "Hebb with a teacher, anti-Hebb without; feedback of gain 0.01"),
        BACKPROP: Arm("control", "the same layers without feedback, and their gradient"),
        REVERSED: Arm("sham", "anti-Hebb with a teacher, Hebb without; gain 0.01"),
        HEBB: Arm("sham", "Hebb while a teacher holds the outputs, nothing else; gain 0.01"),
        MEDIUM: Arm("probe", "contrastive Hebb, feedback of gain 0.1"),
        STRONG: Arm("probe", "contrastive Hebb, feedback of gain 1"),
        GENEREC: Arm("probe", "activity before the teacher times the change it makes; gain 1"),
        WEAK + SHALLOW: Arm("probe", "contrastive Hebb, gain 0.01, 128 hidden cells"),
        BACKPROP + SHALLOW: Arm("probe", "backprop, 128 hidden cells"),
    }
    margin: ClassVar[float] = 1.0
    unit: ClassVar[str] = "points of accuracy, hundredths of a cosine, or fivefold costs"
    refuted_if: ClassVar[str] = (
        "with a gain of 0.01 a cosine with the gradient is below 0.99 for any seed or layer, "
        "before or after learning, or accuracy is more than 1 point lower, or 95 % take less than "
        "5 times the multiply-adds. The primary test is that of the part with the weakest ruling: "
        "all have to hold"
    )
    expected: ClassVar[str] = (
        "Equivalent, and dearer by the number of steps that settling takes. Bad outcome: weak "
        "feedback settles in so few steps that the price is below 5."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Differences between phases vanish as the gain to the power of the depth: directions are "
        "compared in float64, learning is in float32.",
        "The price is that of the fewest steps that keep the cosine, in cells that step together. "
        "Layers that take turns would need fewer, continuous time many more.",
        "The price depends on shape: with one hidden layer most weights come from pixels.",
        "Mirrored weights are assumed, and that every synapse knows the phase and how far it is "
        "from the output: its rate is multiplied by as many times 1 / gain.",
        "Equivalent is contrastive Hebb, not plain Hebb.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, width=8, updates=8, probes=2, exact=20, seen=4),
        "quick": Budget(10),
        "full": Budget(20, updates=2000, probes=100),
    }

    width: int = 64  # cells of each of two hidden layers
    updates: int = 400  # with Adam, whose rate falls to 0 along a cosine
    batch: int = 32  # examples in an update
    probes: int = 20  # of accuracy
    exact: int = 200  # steps of settling where directions are compared
    seen: int = 32  # examples for which directions are compared; none is learned

    def space(self, arm: str) -> dict[str, Range]:
        return {"rate": Range(1e-3, 0.1), "gain": Range(0.1, 3.0)}

    def networks(
        self, arm: str, gain: Float[Array, ""], *, key: PRNGKeyArray
    ) -> tuple[Network, Network]:
        """Layers that have not learned, and what the arm makes of them."""
        _, pixels, classes = Digits().shape
        hidden = [2 * self.width] if SHALLOW in arm else [self.width] * 2
        ahead = layered([pixels, *hidden, classes], gain=gain, key=key)
        back = GAINS.get(arm, 0.01)
        both = two_way(ahead, back, tau=PACE[back][0])
        return ahead, ahead if BACKPROP in arm else both

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_network, at_life, at_exam = jax.random.split(key, 3)
        _, free, taught = PACE[GAINS.get(arm, 0.01)]
        task, rule = Digits(), rule_of(arm, free, taught)
        stare = Digits(look=1 if BACKPROP in arm else free)
        ahead, start = self.networks(arm, settings["gain"], key=at_network)

        def probe(brain: Network) -> dict[str, Float[Array, ""]]:
            splits = ("tune", "test")
            return {f"{s} accuracy": examine(brain, stare, s, key=at_exam) for s in splits}

        how = {"steps": self.updates, "batch": self.batch, "probes": self.probes, "key": at_life}
        optimiser = optax.adam(optax.cosine_decay_schedule(settings["rate"], self.updates))
        learned = learn(start, rule, task, optimiser, probe=probe, **how)
        before = probe(start)
        curves = {what: jnp.append(before[what], seen) for what, seen in learned.curves.items()}
        needed = multiply_adds(start, *((2, 1) if BACKPROP in arm else (free + taught, 2)))
        costs = {"multiply-adds per example": jnp.float32(needed)} | learned.costs
        kept = {"updates": self.updates * reach(curves["test accuracy"], ENOUGH / 100)}
        if BACKPROP not in arm:
            exact = rule_of(arm, self.exact, self.exact)
            places = [self.angles(exact, ahead, brain) for brain in (start, learned.brain)]
            kept["angles"] = jnp.stack(places)
        # The mean over learning says how soon, too.
        tuning = jnp.mean(curves["tune accuracy"])
        return Outcome(curves["test accuracy"][-1], tuning, curves, costs, kept)

    def angles(self, rule: AbstractRule, ahead: Network, brain: Network) -> Float[Array, " layer"]:
        """Degrees between a rule's direction and the gradient of the same layers, in float64."""
        task, key = Digits(), jax.random.key(0)  # nothing is drawn
        seen = jax.tree.map(lambda x: x[: self.seen], task.exam("tune", key=key))
        with jax.enable_x64(True):
            seen, brain = double(seen), double(brain)
            layers = one_way(brain, double(ahead))
            told = {"samples": seen, "error": task.error, "key": key}
            gradient, _ = rules.direction(rules.Backprop(), None, layers, **told)
            found, _ = rules.direction(rule, rule.init(brain, key=key), brain, **told)
            ours = {p.name: p.weight for p in found.projections}
            off = [angle(ours[p.name], p.weight) for p in gradient.projections]
            return jnp.stack(off).astype(jnp.float32)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        def points(arm: str) -> Float[np.ndarray, " seed"]:
            return 100 * np.asarray(outcomes[arm].score, np.float64)

        def parity(arm: str, shape: str = "") -> Parity:
            return Parity(points(arm + shape), points(BACKPROP + shape), self.margin)

        def price(arm: str) -> Float[np.ndarray, " seed"]:
            each = np.asarray(outcomes[arm].costs["multiply-adds per example"], np.float64)
            spent = each * np.asarray(outcomes[arm].kept["updates"], np.float64)
            return np.log(spent) / np.log(DEARER)

        def dearer(arm: str, shape: str = "") -> Superiority:
            return Superiority(price(arm + shape), price(BACKPROP + shape), self.margin)

        lacks = {arm: lack(outcomes[arm]) for arm in (WEAK, REVERSED, HEBB)}
        parts = {
            "direction = the gradient (hundredths of a cosine)": Identity(
                lacks[WEAK], np.minimum(lacks[REVERSED], lacks[HEBB]), self.margin
            ),
            "accuracy = backprop": parity(WEAK),
            "price of 95 % (powers of 5 of backprop's)": dearer(WEAK),
        }
        bite = min(float(np.mean(points(WEAK) - points(sham))) for sham in (HEBB, REVERSED))
        late = max(np.max(outcomes[arm].kept["updates"]) for arm in (WEAK, BACKPROP))
        gates = (
            Gate(f"both reach {ENOUGH:g} %", bool(late < self.updates), f"in {late:.0f} updates"),
            Gate(f"shams lose {BITE:g} points at least", bite >= BITE, f"{bite:.1f} points"),
        )
        probes = {f"accuracy: {arm} = backprop": parity(arm) for arm in (MEDIUM, STRONG, GENEREC)}
        probes |= {f"price: {arm} / backprop": dearer(arm) for arm in (MEDIUM, STRONG, GENEREC)}
        probes |= {f"price{SHALLOW}": dearer(WEAK, SHALLOW)}
        return Evidence(weakest(*parts.values()), gates, parts | probes)

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        def errors(arm: str) -> Float[np.ndarray, "seed spent"]:
            wrong = 100 * (1 - np.asarray(outcomes[arm].curves["test accuracy"], np.float64))
            done = np.linspace(0, self.updates * self.batch, wrong.shape[1])
            at = done * float(np.mean(outcomes[arm].costs["multiply-adds per example"]))
            beyond = np.where((spent < at[1]) | (spent > at[-1]), np.nan, 0)
            return np.stack([np.interp(spent, at, seed) + beyond for seed in wrong])

        arms = (BACKPROP, WEAK, MEDIUM, STRONG, GENEREC, HEBB)
        most = max(float(np.mean(outcomes[a].costs["multiply-adds per example"])) for a in arms)
        spent = np.geomspace(1e6, most * self.updates * self.batch, 60)
        titles = {"x_title": "multiply-adds", "y_title": "test error, %"}
        return curves(spent, {a: errors(a) for a in arms}, **titles, log_x=True, log_y=True)


class TaughtHebb(AbstractContrastiveRule):
    """Hebb while a teacher holds the outputs at the target: silence stands for the other phase."""

    steps: int = 20

    def settle(self, brain: Network, sample: Sample, error: Error) -> tuple[rules.Settled, ...]:
        assert sample.target is not None
        held = {"clamp": split_outputs(brain, sample.target[-1])}
        taught = rules.settle(brain, sample.stimuli[-1], steps=self.steps, **held)
        return jax.tree.map(jnp.zeros_like, taught), taught

    def contrast(self, minus: Meeting, plus: Meeting) -> Float[Array, "..."]:
        return plus.pre * plus.post

    def scale(self, brain: Network, population: str) -> float:
        return 1.0

    def problem(self, brain: Network) -> str | None:
        return None


def rule_of(arm: str, free: int, taught: int) -> AbstractRule:
    """What an arm learns by, given its steps of settling."""
    contrastive = ContrastiveHebb(free, taught)
    others: dict[str, AbstractRule] = {
        BACKPROP: rules.Backprop(),
        BACKPROP + SHALLOW: rules.Backprop(),
        GENEREC: rules.GeneralisedRecirculation(free, taught),
        HEBB: TaughtHebb(free),
        REVERSED: rules.Reversed(contrastive),
    }
    return others.get(arm, contrastive)


def multiply_adds(network: Network, steps: int, products: int) -> int:
    """Needed for one example, in which weights change by so many products of activity.

    Backprop takes two steps, ahead and back, and one product.
    """
    pure, total = inputs_only(network), 0
    for p in network.projections:
        uses = 1 if p.source in pure else steps
        own = 0 if isinstance(p.wiring, Transposed) else products
        total += p.wiring.shape[0] * p.wiring.shape[1] * (uses + own)
    return total


def reach(scores: Float[Array, " probe"], goal: float) -> Float[Array, ""]:
    """When a curve first reaches a goal, as a share of its length; 1: never.

    Straight lines join the probes.
    """
    last = len(scores) - 1
    low, high = scores[:-1], scores[1:]
    when = jnp.arange(last) + (goal - low) / jnp.where(high > low, high - low, 1.0)
    return jnp.min(jnp.where((low < goal) & (high >= goal), when, last)) / last


def one_way(brain: Network, ahead: Network) -> Network:
    """The layers of a brain without its feedback; `ahead` shows their structure."""
    weights = {p.name: p.weight for p in brain.projections}
    ahead = ahead.edit(lambda p: eqx.tree_at(lambda p: p.weight, p, weights[p.name]))
    taught = [name for name in ahead.populations if name not in inputs_only(ahead)]
    biases = lambda net: [net.populations[name].neuron.bias for name in taught]  # noqa: E731
    return eqx.tree_at(biases, ahead, biases(brain))


def double(tree: Any) -> Any:
    """With float64 numbers."""
    to = lambda x: x.astype(jnp.float64) if eqx.is_inexact_array(x) else x  # noqa: E731
    return jax.tree.map(to, tree)


def lack(outcome: Outcome) -> Float[np.ndarray, " seed"]:
    """Hundredths by which the worst cosine with the gradient falls short of 1."""
    return 100 * (1 - np.cos(np.deg2rad(np.asarray(outcome.kept["angles"])))).max((1, 2))
