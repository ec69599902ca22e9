"""Does falling into an attractor complete what is hidden, better than looking up what is stored?

Tang et al. (2018), PNAS 115:8835, on objects of which parts are seen; Hopfield (1982), PNAS 79:2554;
with sharper attractors Krotov & Hopfield (2016), NeurIPS 29; Ramsauer et al. (2021), ICLR.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..builders import layered
from ..contracts import Sample
from ..evidence import Superiority
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..network import Network, Population, Projection, respond
from ..neurons import Rate
from ..rules import Backprop, store
from ..tasks import Digits
from ..wirings import Dense

LOADS = (0.02, 0.05, 0.14, 0.3)  # stored patterns per cell; 0.14 is what Hebb's rule could hold
VISIBLE = (0.1, 0.2, 0.3, 0.4, 0.5)  # share of the pixels

Features = Float[Array, "picture cell"]
Patterns = Float[Array, "pattern cell"]
Recall = Callable[[Float[Array, " cell"]], Float[Array, "time cell"]]


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
        ridge = {"ridge": Range(0.01, 10_000.0)}
        return ridge | {"beta": Range(1.0, 100.0)} if arm == "modern" else ridge

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_features, at_store, at_shuffle, at_exam = jax.random.split(key, 4)
        eye, costs = self.learn_features(key=at_features)
        whole = Digits().exam("train", key=at_exam)
        train, labels = eye(whole), whole.target[:, 0]
        patterns = signs(train[balanced(labels, round(self.cells * LOADS[-1]), key=at_store)])
        if arm == "shuffled":
            patterns = jax.random.permutation(at_shuffle, patterns, axis=1, independent=True)
        start = (lambda x: x) if arm == "features" else signs
        exams = {
            split: [Digits(visible=v).exam(split, key=at_exam) for v in (*VISIBLE, 1.0)]
            for split in ("tune", "test")
        }
        seen = {split: jnp.stack([start(eye(e)) for e in exams[split]]) for split in exams}

        def at_load(load: Float[Array, ""]) -> dict[str, Array]:
            stored = jnp.arange(len(patterns)) < jnp.round(load * self.cells)
            recall = self.recall(arm, patterns, stored, settings)
            ended = jax.vmap(lambda x: recall(x)[-1])(start(train))
            reader = ridge(ended, labels, settings["ridge"])

            def accuracy(split: str) -> Float[Array, "visibility time"]:
                right = jnp.argmax(exams[split][0].target[:, 0], -1)
                mark = lambda x: jnp.argmax(recall(x) @ reader[:-1] + reader[-1][None], -1)  # noqa: E731
                said = lambda xs: jax.vmap(mark)(xs) == right[:, None]  # noqa: E731
                return jax.lax.map(lambda xs: jnp.mean(said(xs), 0, dtype=jnp.float32), seen[split])

            fixed = jnp.all(jax.vmap(recall)(patterns)[:, 1] == patterns, axis=1)
            return {
                **{split: accuracy(split) for split in exams},
                "fixed": jnp.sum(fixed & stored) / jnp.sum(stored),
            }

        found = jax.lax.map(at_load, jnp.array(LOADS))
        parts = {split: found[split][:, :-1] for split in exams}
        return Outcome(
            score=jnp.mean(parts["test"][..., -1]),
            tuning=jnp.mean(parts["tune"][..., -1]),
            curves={"accuracy": jnp.mean(parts["test"], axis=(0, 1))},
            costs=costs,
            kept={
                "accuracy": parts["test"][..., -1],
                "whole": jnp.mean(found["test"][:, -1, -1]),
                "fixed": found["fixed"],
            },
        )
