"""Falling into an attractor completes what is hidden, if not better than looking it up.

Tang et al. (2018), PNAS 115:8835, on objects seen in part; Hopfield (1982), PNAS 79:2554; with
sharper attractors Krotov & Hopfield (2016), NeurIPS 29, and Ramsauer et al. (2021), ICLR.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..builders import layered
from ..contracts import Sample, Split
from ..evidence import Superiority
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import examine, learn
from ..network import Network, Population, Projection, record
from ..neurons import Rate
from ..response import respond
from ..rules import Backprop, store
from ..tasks import Digits
from ..wirings import Dense

LOADS = (0.02, 0.05, 0.14, 0.3)  # stored patterns per cell; 0.14 is what Hebb's rule could hold
SPLITS: tuple[Split, ...] = ("tune", "test")
VISIBLE = (0.1, 0.3, 0.5)  # share of the pixels

Activity = Float[Array, " cell"]
Features = Float[Array, "picture cell"]
Recall = Callable[[Activity], Float[Array, "time cell"]]


class AttractorCompletion(AbstractClaim):
    """Hidden cells of a network that knows whole digits are read while parts of digits are hidden.

    Features are +1 or -1; some of whole digits are stored. Every arm turns features into others,
    and a linear classifier of its own, trained on whole digits that went the same way, reads them.
    Arms on features of a pretrained ImageNet network are not part of this version.
    """

    statement: ClassVar[str] = (
        "Hopfield attractors that store features of whole digits raise recognition of digits in "
        "part hidden, over reading the features and over looking up the nearest stored pattern."
    )
    source: ClassVar[str] = "Tang et al. (2018), PNAS 115:8835"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        "pseudo-inverse": Arm("brain", "Hopfield network, patterns stored by the pseudo-inverse"),
        "storkey": Arm("brain", "Hopfield network, patterns stored by Storkey's local rule"),
        "modern": Arm("brain", "dense associative memory: softmax of the overlaps, beta tuned"),
        "nearest": Arm("control", "the stored pattern that overlaps most, looked up in one step"),
        "features": Arm("control", "the features as they are, graded, straight to the classifier"),
        "shuffled": Arm("sham", "as pseudo-inverse, the cells of every pattern shuffled first"),
    }
    margin: ClassVar[float] = 0.02
    unit: ClassVar[str] = "accuracy"
    refuted_if: ClassVar[str] = (
        "on average over all loads (2 to 30 % of the number of cells) and 10 to 50 % of the pixels "
        "visible the Hopfield network is less than 2 points better than the better of features and "
        "nearest pattern; that at all loads nearest is as good counts most"
    )
    expected: ClassVar[str] = (
        "Probably refuted: then the dynamics do no more than nearest neighbour, less reliably the "
        "more is stored. Bad outcome for both: graded features lose less than signs do."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Signs of features lose information. Cells have no bias, so that signs do not depend on "
        "how much ink is left.",
        "Features of digits are correlated, which Hebb's rule cannot store; capacities in the "
        "literature are for random patterns.",
        "All cells change at once, so that a network may end in a cycle of two states.",
        "A classifier that was never shown parts of digits: as in Tang et al., nobody is trained "
        "on hidden pixels.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, cells=100, lessons=20, steps=3),
        "quick": Budget(10),
        "full": Budget(20, steps=20),
    }
    tour: ClassVar[bool] = True

    cells: int = 500  # hidden cells, and cells of the memory
    lessons: int = 300  # updates, of 32 digits each, in which the features are learned
    steps: int = 8  # of recall

    def space(self, arm: str) -> dict[str, Range]:
        ridge = {"ridge": Range(1.0, 1e7)}
        return ridge | {"beta": Range(1.0, 100.0)} if arm == "modern" else ridge

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_cells, at_store, at_shuffle, at_exam = jax.random.split(key, 4)
        eye, kept, costs = self.eye(key=at_cells)
        see = lambda pictures: felt(eye, jnp.stack([each.stimuli[:, 0] for each in pictures]))  # noqa: E731
        whole = Digits().exam("train", key=at_exam)
        features, labels = see([whole])[0], labels_of(whole)
        counts = [round(load * self.cells) for load in LOADS]
        patterns = signs(features[balanced(labels, max(counts), key=at_store)])
        if arm == "shuffled":
            patterns = jax.random.permutation(at_shuffle, patterns, axis=1, independent=True)
        begin = (lambda x: x) if arm == "features" else signs
        exams = {s: [Digits(visible=v).exam(s, key=at_exam) for v in VISIBLE] for s in SPLITS}
        begun = {s: begin(see(each)) for s, each in exams.items()}
        right = {s: jnp.argmax(labels_of(each[0]), axis=1) for s, each in exams.items()}

        def at_load(count: Int[Array, ""]) -> dict[str, Array]:
            stored = jnp.arange(len(patterns)) < count
            recall = self.recall(arm, patterns, stored, settings.get("beta", jnp.float32(0)))
            course = jax.vmap(recall)(jnp.concatenate([begin(features), patterns]))
            reader = ridge(course[: len(features), -1], labels, settings["ridge"])
            same = jnp.all(course[len(features) :, 1] == patterns, axis=1)
            fixed = jnp.sum(same & stored) / jnp.sum(stored)

            def accuracy(split: Split) -> Float[Array, "visibility time"]:
                said = lambda x: jnp.argmax(with_one(recall(x)) @ reader, axis=1)  # noqa: E731
                marks = lambda xs: jax.vmap(said)(xs) == right[split][:, None]  # noqa: E731
                return jax.lax.map(lambda xs: jnp.mean(marks(xs), 0), begun[split])

            return {**{s: accuracy(s) for s in SPLITS}, "fixed": fixed}

        found = jax.lax.map(at_load, jnp.array(counts))
        ends = {split: found[split][..., -1] for split in SPLITS}
        kept |= {"accuracy": ends["test"], "fixed": found["fixed"]}
        curves = {"accuracy": jnp.mean(found["test"], axis=(0, 1))}
        return Outcome(jnp.mean(ends["test"]), jnp.mean(ends["tune"]), curves, costs, kept)

    def eye(self, *, key: PRNGKeyArray) -> tuple[Network, dict[str, Array], dict[str, Array]]:
        """A network that learned whole digits, how well it knows them, and what that took."""
        at_weight, at_life, at_exam = jax.random.split(key, 3)
        brain = layered([64, self.cells, 10], neuron=lambda size: Rate("tanh"), key=at_weight)
        learned = learn(
            brain, Backprop(), Digits(), optax.adam(3e-3), steps=self.lessons, key=at_life
        )
        known = examine(learned.brain, Digits(), "test", key=at_exam)
        return learned.brain, {"known": known}, learned.costs

    def recall(
        self,
        arm: str,
        patterns: Features,
        stored: Bool[Array, " picture"],
        beta: Float[Array, ""],
    ) -> Recall:
        """What becomes of features in time, the first state included."""
        overlap = lambda x: jnp.where(stored, patterns @ x / self.cells, -jnp.inf)  # noqa: E731
        if arm == "features":
            step = lambda x: x  # noqa: E731
        elif arm == "nearest":
            step = lambda x: patterns[jnp.argmax(overlap(x))]  # noqa: E731
        elif arm == "modern":
            step = lambda x: jax.nn.softmax(beta * overlap(x)) @ patterns  # noqa: E731
        else:
            by = "storkey" if arm == "storkey" else "pseudo-inverse"
            network = memory(store(jnp.where(stored[:, None], patterns, 0.0), by))
            silence = jnp.zeros((self.steps + 1, self.cells))
            return lambda x: respond(network, silence.at[0].set(x))
        wait = lambda x, _: (step(x), x)  # noqa: E731
        return lambda x: jax.lax.scan(wait, x, None, length=self.steps + 1)[1]

    def evidence(self, outcomes: Outcomes) -> Evidence:
        score = {arm: np.asarray(outcome.score) for arm, outcome in outcomes.items()}
        kept = outcomes["pseudo-inverse"].kept
        known, fixed = float(np.mean(kept["known"])), float(np.min(kept["fixed"]))
        rival = max(("nearest", "features"), key=lambda arm: score[arm].mean())
        by_load = {
            arm: np.asarray(outcomes[arm].kept["accuracy"]).mean(2)
            for arm in ("pseudo-inverse", "nearest")
        }
        over = lambda a, b: Superiority(score[a], score[b], self.margin)  # noqa: E731
        loads = {
            f"pseudo-inverse over nearest, {load:.0%} load": Superiority(*both, margin=self.margin)
            for load, *both in zip(LOADS, *(each.T for each in by_load.values()), strict=True)
        }
        pairs = [("pseudo-inverse", rival) for rival in ("nearest", "features", "shuffled")]
        pairs += [("storkey", "nearest"), ("modern", "nearest")]
        return Evidence(
            over("pseudo-inverse", rival),
            gates=(
                Gate("The eye knows whole digits.", known > 0.9, f"{known:.1%} right"),
                Gate("All stored patterns are attractors.", fixed == 1, f"at least {fixed:.1%}"),
            ),
            secondary={f"{a} over {b}": over(a, b) for a, b in pairs} | loads,
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        seen: dict[str, jax.Array | np.ndarray] = {
            arm: np.asarray(outcome.kept["accuracy"]).mean(1) for arm, outcome in outcomes.items()
        }
        x = 100 * np.array(VISIBLE)
        return curves(x, seen, x_title="pixels shown (%)", y_title="accuracy, mean over loads")


def felt(
    eye: Network, pictures: Float[Array, "exam picture pixel"]
) -> Float[Array, "exam picture cell"]:
    """Activity of the hidden cells, which have no memory: pictures follow each other."""
    played = record(eye, pictures.reshape(-1, pictures.shape[-1]), "hidden1").responses
    return played.reshape(*pictures.shape[:2], -1)


def labels_of(exam: Sample) -> Float[Array, "picture digit"]:
    """Which digit each picture shows, as one-hot rows."""
    assert exam.target is not None
    return exam.target[:, 0]


def memory(weight: Float[Array, "cell cell"]) -> Network:
    """Cells of +1 or -1 that all talk to all others, a step later."""
    cells = len(weight)
    others = Dense(cells, cells, ~jnp.eye(cells, dtype=bool))
    return Network(
        {"memory": Population(cells, Rate("sign"))},
        [Projection("memory", "memory", others, weight)],
        senses=["memory"],
        voices=["memory"],
    )


def signs(features: Float[Array, "*any"]) -> Float[Array, "*any"]:
    """What of graded features a memory of +1 and -1 can hold."""
    return jnp.where(features < 0, -1.0, 1.0)


def balanced(
    labels: Float[Array, "picture digit"], count: int, *, key: PRNGKeyArray
) -> Int[Array, " chosen"]:
    """Pictures drawn in turn from every digit: any first part of the list has all alike."""
    chance = jax.random.uniform(key, (len(labels),))
    digit = jnp.argmax(labels, axis=1)
    before = (chance[None] < chance[:, None]) & (digit[None] == digit[:, None])
    return jnp.argsort(jnp.sum(before, axis=1) * 10 + digit)[:count]


def with_one(features: Features) -> Float[Array, "picture cell_and_one"]:
    """Features with a 1 at the end, for the intercept."""
    return jnp.append(features, jnp.ones((len(features), 1)), axis=1)


def ridge(
    features: Features, labels: Float[Array, "picture digit"], penalty: Float[Array, ""]
) -> Float[Array, "cell_and_one digit"]:
    """A linear classifier: ridge regression on the labels."""
    x = with_one(features)
    return jnp.linalg.solve(x.T @ x + penalty * jnp.eye(x.shape[1]), x.T @ labels)
