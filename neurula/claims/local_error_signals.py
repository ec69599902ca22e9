"""Synapses need no separate signal for derivatives: differences of activity in time will do.

Scellier & Bengio (2017), Front. Comput. Neurosci. 11:24; Whittington & Bogacz (2017), Neural
Comput. 29:1229. Why they come near to backprop: Millidge, Song, Salvatori, Lukasiewicz & Bogacz
(2022), arXiv 2206.02629. What does not follow for brains: Rosenbaum (2022), PLoS ONE 17:e0266102.
"""

import functools
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .. import rules
from ..builders import layered
from ..contracts import AbstractRule, AbstractTask, Error, Sample
from ..costs import flops
from ..evidence import Identity, Parity, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import examine, learn
from ..measures import alignment
from ..network import Network
from ..symmetric import two_way
from ..tasks import Digits, Squared

CENTRED, CODING, BACKPROP = "EP, centred", "PC, 50 steps", "backprop"
REVERSED, ONE_SIDED, STRONG = "EP, reversed", "EP, nudge 0.1", "EP, nudge 1"
SHORT, FIXED, ENTROPY = "PC, 10 steps", "PC, fixed", "backprop, cross-entropy"
NUDGES = (1.0, 0.1, 0.01)  # strength of the teacher, for predictive coding 1 / precision
MEASURED = {CENTRED: NUDGES, CODING: NUDGES, REVERSED: NUDGES[-1:]}  # against the gradient
SHAPES = ("one hidden layer", "two hidden layers")
FREE, NUDGED = 30, 10  # steps of settling
TAU = 2.0  # steps, of cells that settle
LEARNED = 95.0  # % right, else the control says nothing
STILL = 1e-5  # activity that has settled changes less in a step
BITE = 3.0  # points of accuracy that the order of phases must be worth


class LocalErrorSignals(AbstractClaim):
    """Two networks learn digits by each rule, from squared errors; directions are compared.

    Backprop's gradient is that of what a network says once it has settled: for equilibrium
    propagation (EP) through all steps of settling. E-prop is judged where networks spike.
    """

    statement: ClassVar[str] = (
        "Neurons need not send derivatives as a second kind of signal: in equilibrium propagation "
        "and predictive coding differences of activity point along backprop's gradient, if the "
        "teacher is weak and activity settles, and teach as well, within 1 point of accuracy."
    )
    source: ClassVar[str] = "Scellier & Bengio (2017), Front. Comput. Neurosci. 11:24"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "parity and mechanism"
    arms: ClassVar[dict[str, Arm]] = {
        CENTRED: Arm("brain", "equilibrium propagation; nudged by +0.1 and by -0.1"),
        CODING: Arm("brain", "predictive coding; activity descends for 50 steps of 0.1"),
        BACKPROP: Arm("control", "the same layers without feedback, and their gradient"),
        ENTROPY: Arm("control", "the same from cross-entropy, the usual error"),
        REVERSED: Arm("sham", "EP, nudge 0.1, but the nudged phase is taken for the free one"),
        STRONG: Arm("probe", "a free phase, and one nudged by 1"),
        ONE_SIDED: Arm("probe", "a free phase, and one nudged by 0.1"),
        SHORT: Arm("probe", "activity descends for 10 steps of 0.1"),
        FIXED: Arm("probe", "predictions are held still: backprop by construction"),
    }
    margin: ClassVar[float] = 1.0
    unit: ClassVar[str] = "points of test accuracy, or hundredths that a cosine lacks"
    refuted_if: ClassVar[str] = (
        "EP (centred) or predictive coding (50 steps) loses more than 1 point of accuracy, mean of "
        "two networks, or with a teacher of 0.01 a cosine with the gradient is below 0.99 for any "
        "seed, network or layer, before or after learning. The primary test is that of the part "
        "with the weakest ruling: all have to hold"
    )
    expected: ClassVar[str] = (
        "Supported, at 5 to 50 times the operations of backprop. Bad outcome: with strong weights "
        "networks with feedback settle slowly, or somewhere else once they are nudged."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Weights back mirror those ahead, in both rules: the objection to derivatives falls, that "
        "to weight transport stands. So must all synapses know which phase it is.",
        "With a strong teacher neither is the gradient. Predictive coding is where errors are "
        "small against its precision, not merely where inference has converged.",
        "Predictive coding with fixed predictions is backprop by construction: it shows nothing.",
        "Adam forgets how long directions are, and with one hidden layer digits hardly tell "
        "whether it learns: accuracy says less than the cosines.",
        "Errors are squared, as in the source: with cross-entropy the loop through the outputs "
        "grows until networks hardly settle. Backprop from cross-entropy stands beside.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, width=8, updates=8, exact=20, seen=4),
        "quick": Budget(10),
        "full": Budget(20, updates=2000),
    }

    width: int = 64  # cells of each of two hidden layers; a single one has twice as many
    updates: int = 600  # with Adam, whose rate falls to 0 along a cosine
    batch: int = 32  # examples in an update
    exact: int = 1000  # steps of settling where directions are compared
    seen: int = 8  # examples for which directions are compared; none is learned

    def space(self, arm: str) -> dict[str, Range]:
        return {"rate": Range(1e-3, 0.1), "gain": Range(0.1, 3.0)}

    def settled(self, arm: str, nudge: float) -> AbstractRule:
        """An arm's rule with another teacher, and as many steps as it takes."""
        if arm == CODING:
            return rules.PredictiveCoding(self.exact, precision=1 / nudge)
        steps = self.exact, self.exact
        rule = rules.EquilibriumPropagation(nudge, *steps, centred=arm == CENTRED)
        return rules.Reversed(rule) if arm == REVERSED else rule

    def network(
        self, arm: str, shape: str, gain: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Network:
        """Layers that have not learned, for equilibrium propagation with mirrored feedback."""
        _, pixels, classes = Digits().shape
        hidden = [2 * self.width] if shape == SHAPES[0] else [self.width] * 2
        ahead = layered([pixels, *hidden, classes], gain=gain, key=key)
        return two_way(ahead, tau=TAU) if arm.startswith("EP") else ahead

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_network, at_life, at_exam = jax.random.split(key, 3)
        rule, task = rule_of(arm), Digits() if arm == ENTROPY else Squared()
        stare = Digits(look=FREE if arm.startswith("EP") else 1)
        test = functools.partial(examine, task=stare, key=at_exam)
        optimiser = optax.adam(optax.cosine_decay_schedule(settings["rate"], self.updates))
        how = {"steps": self.updates, "batch": self.batch, "probes": 8, "key": at_life}
        probe = lambda net: {"": test(net, split="tune")}  # noqa: E731
        curves, kept, costs = {}, {}, {}
        for shape in SHAPES:
            start = self.network(arm, shape, settings["gain"], key=at_network)
            learned = learn(start, rule, task, optimiser, probe=probe, **how)
            curves[f"tune accuracy, {shape}"] = learned.curves[""]
            kept[shape] = test(learned.brain, split="test")
            seen = first(task, "train", self.batch)
            once = flops(lambda net=start, seen=seen: change(rule, net, seen, task.error)[0])
            spent = learned.costs | {"FLOPs to learn": jnp.float32(once * self.updates)}
            costs = {cost: costs.get(cost, 0.0) + spent[cost] for cost in spent}
            if arm in MEASURED:
                found = self.angles(arm, [start, learned.brain])
                kept[f"angles, {shape}"], kept[f"moves, {shape}"] = found
        score = jnp.mean(jnp.stack([kept[shape] for shape in SHAPES]))
        tuning = jnp.mean(jnp.stack([curve[-1] for curve in curves.values()]))
        return Outcome(score, tuning, curves, costs, kept)

    def angles(
        self, arm: str, brains: list[Network]
    ) -> tuple[Float[Array, "brain nudge layer"], Float[Array, " brain"]]:
        """Degrees between directions and the gradient; how much settled activity still moves."""
        back = rules.RecurrentBackprop(self.exact) if arm.startswith("EP") else rules.Backprop()
        task, seen = Squared(), first(Squared(), "tune", self.seen)
        with jax.enable_x64(True):  # differences that a weak teacher makes are small
            seen, *brains = double([seen, *brains])
            arrays = [eqx.filter(brain, eqx.is_array) for brain in brains]

            def compare(arrays: Any) -> tuple[Array, Array]:
                brain, found, notes = eqx.combine(arrays, brains[0]), [], None
                gradient, _ = change(back, brain, seen, task.error)
                for nudge in MEASURED[arm]:
                    ours, notes = change(self.settled(arm, nudge), brain, seen, task.error)
                    found.append(jnp.stack([*alignment(ours, gradient).values()]))
                return jnp.stack(found).astype(jnp.float32), notes.residual.astype(jnp.float32)

            return jax.lax.map(compare, jax.tree.map(lambda *both: jnp.stack(both), *arrays))

    def evidence(self, outcomes: Outcomes) -> Evidence:
        def points(arm: str, *shapes: str) -> Float[np.ndarray, " seed"]:
            kept = [np.asarray(outcomes[arm].kept[shape]) for shape in shapes or SHAPES]
            return 100 * np.mean(kept, axis=0)

        def parity(arm: str, *shapes: str) -> Parity:
            return Parity(points(arm, *shapes), points(BACKPROP, *shapes), self.margin)

        lacks = {arm: lack(outcomes[arm]) for arm in (CENTRED, CODING, REVERSED)}
        parts = {
            "accuracy: EP, centred = backprop": parity(CENTRED),
            "accuracy: PC, 50 steps = backprop": parity(CODING),
            "directions = the gradient (hundredths of a cosine)": Identity(
                np.maximum(lacks[CENTRED], lacks[CODING]), lacks[REVERSED], self.margin
            ),
        }
        least = float(min(points(BACKPROP, shape).mean() for shape in SHAPES))
        moves = max(np.max(outcomes[arm].kept[f"moves, {s}"]) for arm in MEASURED for s in SHAPES)
        bite = float(np.mean(points(CENTRED) - points(REVERSED)))
        gates = (
            (f"backprop learns: {LEARNED:g} %", least >= LEARNED, f"{least:.1f} %"),
            (f"activity settles: moves by {STILL:g}", bool(moves <= STILL), f"{moves:.1g}"),
            (f"{REVERSED} loses {BITE:g} points at least", bite >= BITE, f"{bite:.1f} points"),
        )
        alone = {f"{a} = backprop, {s}": parity(a, s) for a in (CENTRED, CODING) for s in SHAPES}
        probes = (STRONG, ONE_SIDED, SHORT, FIXED, ENTROPY)
        others = {f"{a} = backprop": parity(a) for a in probes}
        gates = tuple(Gate(*gate) for gate in gates)
        return Evidence(weakest(*parts.values()), gates, parts | alone | others)

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        angles = {arm: degrees(outcomes[arm]).max((1, 3)) for arm in (CENTRED, CODING)}
        titles = {"x_title": "strength of the teacher", "y_title": "degrees off the gradient"}
        return curves(np.array(NUDGES), angles, log_x=True, log_y=True, **titles)


def rule_of(arm: str) -> AbstractRule:
    """What an arm learns by."""
    nudge = functools.partial(rules.EquilibriumPropagation, free_steps=FREE, nudged_steps=NUDGED)
    learns: dict[str, AbstractRule] = {
        CENTRED: nudge(0.1),
        CODING: rules.PredictiveCoding(50),
        BACKPROP: rules.Backprop(),
        ENTROPY: rules.Backprop(),
        REVERSED: rules.Reversed(nudge(0.1, centred=False)),
        STRONG: nudge(1.0, centred=False),
        ONE_SIDED: nudge(0.1, centred=False),
        SHORT: rules.PredictiveCoding(10),
        FIXED: rules.PredictiveCoding(2, rate=1.0, fixed=True),  # one step per hidden layer
    }
    return learns[arm]


def first(task: AbstractTask, split: Any, count: int) -> Sample:
    """The first examples of a split."""
    return jax.tree.map(lambda x: x[:count], task.exam(split, key=jax.random.key(0)))


def change(rule: AbstractRule, brain: Network, seen: Sample, error: Error) -> tuple[Any, Any]:
    """The mean direction of a rule without memory, and its mean notes."""
    key = jax.random.key(0)  # nothing is drawn
    return rules.direction(rule, rule.init(brain, key=key), brain, seen, error, key=key)


def double(tree: Any) -> Any:
    """With float64 numbers."""
    to = lambda x: x.astype(jnp.float64) if eqx.is_inexact_array(x) else x  # noqa: E731
    return jax.tree.map(to, tree)


def degrees(outcome: Outcome) -> Float[np.ndarray, "seed brain nudge layer"]:
    """Angles to the gradient, in the layers of both networks."""
    return np.concatenate([np.asarray(outcome.kept[f"angles, {s}"]) for s in SHAPES], -1)


def lack(outcome: Outcome) -> Float[np.ndarray, " seed"]:
    """Hundredths by which the worst cosine under the weakest teacher falls short of 1."""
    return 100 * (1 - np.cos(np.deg2rad(degrees(outcome)[:, :, -1]))).max((1, 2))
