"""Whether networks of other makes that learn the same task come to see the same likenesses.

Li, Yosinski, Clune, Lipson & Hopcroft (2015), arXiv 1511.07543; Kornblith, Norouzi, Lee & Hinton
(2019), ICML 97:3519. That single networks differ: Mehrer, Spoerer, Kriegeskorte & Kietzmann (2020),
Nat. Commun. 11:5725.
"""

import functools
from typing import Any, ClassVar, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .. import rules
from ..builders import layered
from ..contracts import AbstractRule
from ..convolutional import Convolutional
from ..evidence import Resampled, Superiority, mean_over_pairs, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..measures.cka import cka_table
from ..measures.patterns import without_means
from ..network import Network
from ..neurons import Rate
from ..tasks import Digits, Examples, Squared
from ..tasks.examples import Labels, teacher_labels
from ..wirings import Dense, patches

SIDE, CLASSES = 8, 10
SAME, OTHER, RANDOM, UNTRAINED = "same task", "other labels", "random labels", "untrained"
BOTH_OTHER = "both other labels"
LEARNED, OTHER_LEARNED, OVERLAP = 90.0, 50.0, 50.0  # %, see `gates`
SHEETS = [patches((SIDE, SIDE), (SIDE, SIDE), radius=1.5)] * 2 + [Dense(CLASSES, SIDE**2)]


class Make(NamedTuple):
    """A kind of network: its hidden layers, its cells, and how it learns with Adam."""

    hidden: tuple[int, ...]
    cells: Literal["tanh", "relu"] = "tanh"
    rule: AbstractRule = rules.Backprop()
    rate: float = 3e-3
    wirings: Any = None


MAKES: dict[str, Make] = {
    "narrow": Make((24,), "relu"),
    "wide": Make((192,), rate=2e-3),
    "deep": Make((48, 48, 48, 48), "relu"),
    "local": Make((SIDE**2, SIDE**2), wirings=SHEETS),
    "convolution": Make((64,)),  # see `Convolutional`
    "feedback alignment": Make((64, 64), rule=rules.FeedbackAlignment()),
    "target propagation": Make((64, 64), rule=rules.TargetPropagation()),
    "predictive coding": Make((64,), rule=rules.PredictiveCoding(10)),
}


class RepresentationalConvergence(AbstractClaim):
    """Eight makes of networks learn to name digits; last hidden layers are compared, two by two.

    Each arm has two sets of networks, and CKA is that of two makes, one of each set. The same keys
    start the sets of all arms.
    """

    statement: ClassVar[str] = (
        "Networks of different makes that learn the same task have representations more alike "
        "than networks that learn different labels of the same pictures, and more alike than "
        "before they learned: unbiased CKA is higher by 0.1 at least."
    )
    source: ClassVar[str] = (
        "Different hacks converge on similar solutions; Li et al. (2015), arXiv 1511.07543; "
        "Kornblith et al. (2019), ICML 97:3519"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority, over networks and makes"
    arms: ClassVar[dict[str, Arm]] = {
        SAME: Arm("brain", "both learned digits, from other first weights and examples"),
        OTHER: Arm("control", "one learned digits, the other classes by a new random network"),
        RANDOM: Arm("sham", "one learned digits, the other a random label for every picture"),
        BOTH_OTHER: Arm("probe", "both learned those same other labels"),
        UNTRAINED: Arm("control", "neither learned: what pictures and first weights give"),
    }
    margin: ClassVar[float] = 0.1
    unit: ClassVar[str] = "unbiased linear CKA of last hidden layers"
    refuted_if: ClassVar[str] = (
        "CKA with the same task lies less than 0.1 above that with other labels, or less than 0.1 "
        "above that of untrained networks. The weaker of the two rules"
    )
    expected: ClassVar[str] = (
        "Well above other labels, since all have to tell the same classes apart. Bad outcome: "
        "untrained networks are as much alike, for random layers keep what is alike in pictures."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "The last hidden layer is one step from the labels, so that some likeness is that of the "
        "labels: likeness within a digit, class means taken out, stands beside. And CKA is ruled "
        "by the few directions of most variance.",
        "Other labels tell of digits, too: that makes the difference smaller (see the gate).",
        "Eight makes of our choice are drawn anew with the networks; but all are small, and taught "
        "with targets and Adam. Rules without targets do not let labels reach hidden cells.",
        "Rates, chosen by accuracy on tuning seeds, are the makes' own. Other labels are harder.",
        "Digits are clusters in the pictures before anybody learns them; networks that share other "
        "labels, which cut across, may be no more alike: see both other labels.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, updates=4, stages=2, batch=4, shown=20, makes=3),
        "quick": Budget(10),
        "full": Budget(20, updates=2000, shown=400),
    }
    batched: ClassVar[bool] = False  # kernels are NumPy; programs are shared by arms and seeds

    makes: int = 8  # so many of the eight
    updates: int = 1000
    batch: int = 32  # examples in an update
    stages: int = 20  # at which networks are compared, evenly spaced, the last at the end
    shown: int = 200  # test pictures on which networks are compared

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # no arm competes; the makes' rates are the same in all arms

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_labels, *at_sets = jax.random.split(key, 3)
        first = OTHER if arm == BOTH_OTHER else SAME
        names = [labels(each, key=at_labels) for each in (first, arm)]
        rate = jnp.float32(arm != UNTRAINED)  # 0: they go through the same and learn nothing
        both, makes = jax.tree.map(lambda *x: jnp.stack(x), *names), [*MAKES][: self.makes]
        lives = [lived(self, make, both, rate, *at_sets) for make in makes]
        digits, others = (np.asarray(x["test"]) for x in (pictures().labels, names[1]))
        known = np.eye(CLASSES)[others].T @ np.eye(CLASSES)[digits]
        told = known.max(1).sum() / len(digits)  # right guesses of the digit by the other name
        said = [np.asarray(each["said"], np.float64) for each in lives]  # set stage picture cell
        stages, inner = range(said[0].shape[1]), digits[: self.shown]
        alike = np.stack([cka_table(*([x[k, t] for x in said] for k in (0, 1))) for t in stages])
        within = cka_table(*([without_means(x[k, -1], inner) for x in said] for k in (0, 1)))
        test, train = (np.stack([each[split] for each in lives]) for split in ("test", "train"))
        mean = alike[:, ~np.eye(len(makes), dtype=bool)].mean(1)
        curves = {"CKA": mean, "accuracy": test[:, 0].mean(0)}
        costs = {"updates": rate * self.updates, "samples": rate * self.updates * self.batch}
        kept = {"alike": alike[-1], "within": within, "told": told}
        kept |= {"digits": test[:, 0, -1], "partner": test[:, 1, -1], "train": train[:, 1, -1]}
        arrays = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), [curves, costs, kept])
        return Outcome(jnp.asarray(mean[-1], jnp.float32), None, *arrays)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        def lead(control: str, what: str = "alike", brain: str = SAME) -> Resampled:
            tables = (np.asarray(outcomes[arm].kept[what], np.float64) for arm in (brain, control))
            lead = next(tables) - next(tables)  # (seed, make, make)
            return Resampled(mean_over_pairs(lead), lead.shape[1], len(lead), self.margin)

        parts = {f"{SAME} - {control}": lead(control) for control in (OTHER, UNTRAINED)}
        beside = {
            f"{SAME} - {RANDOM}": lead(RANDOM),
            f"{OTHER} - {UNTRAINED}": lead(UNTRAINED, brain=OTHER),
            f"within a digit: {SAME} - {OTHER}": lead(OTHER, "within"),
            f"{BOTH_OTHER} - {OTHER}": lead(OTHER, brain=BOTH_OTHER),
        }
        alike, right = (np.asarray(x, np.float64) for x in outcomes[SAME].curves.values())
        right = right - right.mean(1, keepdims=True)
        slopes = 0.1 * np.sum(alike * right, 1) / np.maximum(np.sum(right**2, 1), 1e-12)
        says = "CKA grows with accuracy while digits are learned (per 10 points)"
        beside[says] = Superiority(slopes, np.zeros_like(slopes), 0.0)
        return Evidence(weakest(*parts.values()), gates(outcomes), parts | beside)

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {arm: np.asarray(outcomes[arm].curves["CKA"]) for arm in self.arms}
        when = self.updates // self.stages * np.arange(1, 1 + lines[SAME].shape[1])
        return curves(when, lines, x_title="updates", y_title="CKA of networks of two makes")


@functools.cache
def pictures() -> Examples:
    """All digits of every split, always in the same order."""
    return Examples.of(Digits())


def labels(arm: str, *, key: PRNGKeyArray) -> Labels:
    """What the second set of networks learns to call every picture."""
    if arm in (OTHER, BOTH_OTHER):
        return teacher_labels(pictures(), key=key)
    if arm == RANDOM:
        draw = lambda x: jax.random.randint(jax.random.fold_in(key, len(x)), x.shape, 0, CLASSES)  # noqa: E731
        return {split: draw(each) for split, each in pictures().labels.items()}
    return pictures().labels


def network(name: str, *, key: PRNGKeyArray) -> Network | Convolutional:
    """A network of this make that has not learned."""
    make = MAKES[name]
    if name == "convolution":
        return Convolutional(SIDE, 5, make.hidden[0], CLASSES, key=key)
    cells = lambda size: Rate(make.cells, jnp.zeros(size))  # noqa: E731
    return layered([SIDE**2, *make.hidden, CLASSES], neuron=cells, wirings=make.wirings, key=key)


def looked(brain: Any, picture: Float[Array, " pixel"]) -> tuple[Array, Array]:
    """The activity of the last hidden layer, and the output."""
    if isinstance(brain, Convolutional):
        return brain.found(picture), brain.step(None, picture)[1]
    _, outputs, signals = brain.observe(brain.init(), picture)
    return signals.activity[f"hidden{len(brain.populations) - 2}"], outputs


@eqx.filter_jit
def lived(
    claim: RepresentationalConvergence, name: str, names: Any, rate: Array, *keys: PRNGKeyArray
) -> dict[str, Array]:
    """Teach networks of a make, one for each set of `names`: labels (set, picture) by split.

    What they say to test pictures, and how much they get right: (set, stage, ...). `rate` is in
    units of the make's own.
    """
    make, seen = MAKES[name], pictures().by_split
    shown = jnp.concatenate([seen[split].stimuli[:, 0] for split in ("test", "train")])

    def life(names: Labels, key: PRNGKeyArray) -> dict[str, Array]:
        at_network, at_life = jax.random.split(jax.random.fold_in(key, [*MAKES].index(name)))
        answers, ends = jnp.concatenate([names["test"], names["train"]]), len(names["test"])

        def probe(brain: Any) -> dict[str, Array]:
            hidden, outputs = jax.vmap(lambda x: looked(brain, x))(shown)
            right = (jnp.argmax(outputs, -1) == answers).astype(jnp.float32)
            found = {"test": jnp.mean(right[:ends]), "train": jnp.mean(right[ends:])}
            return found | {"said": hidden[: claim.shown]}

        task, adam = Squared(pictures().renamed(names)), optax.adam(rate * make.rate)
        how: dict[str, Any] = {"steps": claim.updates, "batch": claim.batch, "probe": probe}
        how |= {"probes": claim.stages, "key": at_life}
        return dict(learn(network(name, key=at_network), make.rule, task, adam, **how).curves)

    return jax.vmap(life)(names, jnp.stack(keys))


def gates(outcomes: Outcomes) -> tuple[Gate, ...]:
    """Whether every make learned, and whether the other labels were another task."""
    right = lambda arm, what: 100 * np.mean(np.asarray(outcomes[arm].kept[what]), 0)  # noqa: E731
    told, found = float(right(OTHER, "told")), []
    learned = ((SAME, "digits", LEARNED), (OTHER, "partner", OTHER_LEARNED))
    for (arm, what, least), name in zip(learned, ("digits", OTHER), strict=True):
        worst = int(right(arm, what).argmin())
        share = float(right(arm, what)[worst])
        says = f"every make learns {name}: {least:g} %"
        found.append(Gate(says, share >= least, f"{share:.1f} % ({[*MAKES][worst]})"))
    says = f"these are another task: they tell the digit in at most {OVERLAP:g} % of pictures"
    return *found, Gate(says, told <= OVERLAP, f"{told:.1f} %")
