"""Networks that learn the same in other ways: alike in what they do, less in how, least in what of.

Marr (1982), Vision (three levels). Errors in common: Geirhos, Meding & Wichmann (2020), NeurIPS 33;
representations: Kornblith et al. (2019), ICML 97:3519; cells: Li et al. (2016), ICLR. A sentence of
two parts: Berger & Hsu (1996), Stat. Sci. 11:283 (intersection-union test).
"""

import itertools
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock
from ..evidence import Order, Resampled, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Outcome, Outcomes, Range
from ..live import learn
from ..shares import share
from ..tasks import Digits
from .between_ends import LEVELS, MEASURES, Scale
from .implementations import (
    BACKPROP,
    BINARY,
    CODING,
    DIRECT,
    FIXED,
    FREE,
    SETTLING,
    SPIKING,
    Aimless,
    first_weights,
    implementation,
    listen,
    shown_to,
    taught_by,
)

AIMLESS = "backprop, aimless"
WAYS = (BACKPROP, FIXED, CODING, SETTLING, SPIKING, BINARY, FREE, DIRECT)
GAINS = {
    FIXED: 0.3,
    DIRECT: 0.3,
    SETTLING: 0.5,
    SPIKING: 10.0,
    BINARY: 0.4,
}  # of first weights; others 1
RATES = {SPIKING: 0.02, BINARY: 0.008}  # of Adam; others 0.01
SEEN = 300  # pictures for which cells are compared


class MarrGradient(AbstractClaim):
    """Eight implementations of two layers of cells learn to read noisy digits.

    Likeness of two networks of different implementations and different seeds, on a scale that is 0
    for untrained pairs and 1 for pairs of one implementation: errors in common (Cohen's kappa of
    right and wrong answers), CKA of the cells that are read out, and for the implementation the
    mean of two: tuning of these cells, matched one to one, and weights from the pixels, likewise.
    """

    statement: ClassVar[str] = (
        "Networks that learn the same task with other cells, rules and wirings are more alike in "
        "their behaviour than in their representations, and in these more than in their cells and "
        "weights, each between the likeness of untrained and of equally built networks."
    )
    source: ClassVar[str] = (
        "Goal almost the same, representation comparable, implementation quite different; levels "
        "of Marr (1982), Vision"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "computation"
    kind: ClassVar[str] = "ordering, over implementations and seeds"
    arms: ClassVar[dict[str, Arm]] = {
        BACKPROP: Arm("control", "ReLU cells in layers, taught by backprop: the mainstream"),
        FIXED: Arm("brain", "tanh cells, errors sent back through fixed random weights"),
        CODING: Arm("brain", "tanh cells, predictive coding"),
        SETTLING: Arm("brain", "tanh cells that settle, equilibrium propagation"),
        SPIKING: Arm("brain", "integrate-and-fire cells for 20 ms, surrogate gradients"),
        BINARY: Arm("brain", "cells that are on or off, surrogate gradients"),
        FREE: Arm("brain", "tanh cells in a random graph with loops, 4 hops, backprop in time"),
        DIRECT: Arm("brain", "tanh cells, the output's error sent to each through random weights"),
        AIMLESS: Arm("sham", "as backprop, but taught answers that are drawn at random"),
    }
    margin: ClassVar[float] = 0.1
    unit: ClassVar[str] = "of the way from untrained pairs (0) to pairs of one implementation (1)"
    refuted_if: ClassVar[str] = (
        "behaviour is less than 0.1 more alike than representations, or these less than 0.1 more "
        "than implementations. The weaker of both parts rules; implementations and seeds are drawn "
        "anew together"
    )
    expected: ClassVar[str] = (
        "Representations as alike as behaviour: a readout leaves little freedom in the layer below "
        "it, and errors differ even at equal accuracy. Bad outcome: noise makes the errors, "
        "so that every network errs on the same pictures."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Scales are comparable only by their ends. Untrained networks are alike in CKA, too, as "
        "they see the same pictures: with a zero in place of that end see beside.",
        "Pairs of the same seed begin with the same weights and are left out.",
        "Equal accuracy inflates agreement, so kappa; accuracies are equal only about: see gates.",
        "Noise is the same for all networks: what it hides is wrong for all.",
        "Weights are matched and judged on the same numbers, which chance pushes up: in both ends, "
        "too. Cells are matched by one half of the pictures and judged by the other.",
        "Cells with a threshold are silent before they learn: at that end they share nothing.",
        "Settings were chosen on tuning seeds by accuracy. No arm is judged by how well it learns.",
        "Evolution was meant to be one of the eight. Pairs of mutants reached 60 % on tuning "
        "seeds, too far from equal accuracy, and direct feedback took its place before any ruling.",
        "Networks only: of brains no errors, cells and weights for the same task are at hand, so "
        "that the talk's own sentence, brain against network, is not tested.",
        "Marr's levels are a scheme, and these three measures are one reading of it.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, width=8, updates=2, batch=4),
        "quick": Budget(8),
        "full": Budget(20, updates=4000),
    }

    width: int = 32  # cells of each of two layers
    updates: int = 1200  # with Adam, whose rate falls to 0 along a cosine
    batch: int = 32  # examples in an update
    noise: float = 0.4  # standard deviation, on pixels from 0 to 1

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # no arm is judged by how well it learns: see `RATES`

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_brain, at_life = jax.random.split(key)
        way = BACKPROP if arm == AIMLESS else arm
        task = shown_to(way, self.noise)
        start = implementation(way, self.width, GAINS.get(way, 1.0), key=at_brain)
        adam = optax.adam(optax.cosine_decay_schedule(RATES.get(way, 0.01), self.updates))
        learned = learn(
            start,
            taught_by(way),
            Aimless(task) if arm == AIMLESS else task,
            optax.chain(optax.clip_by_global_norm(1.0), adam),
            steps=self.updates,
            batch=self.batch,
            key=at_life,
        )
        before, after = (self.look_at(brain, way) for brain in (start, learned.brain))
        kept = after | {f"untrained {name}": each for name, each in before.items()}
        return Outcome(share(after["right"] > 0), costs=learned.costs, kept=kept)

    def look_at(self, brain: AbstractBlock, way: str) -> dict[str, Array]:
        """Which test pictures, the same for all, are named right; cells and weights."""
        exam = Digits(noise=self.noise).exam("test", key=jax.random.key(0))
        hear = lambda picture: listen(brain, picture, way, self.width)  # noqa: E731
        answers, cells = jax.vmap(hear)(exam.stimuli[:, 0])
        assert exam.target is not None
        right = answers.argmax(-1) == exam.target[:, 0].argmax(-1)
        found = {"right": right, "cells": cells[:SEEN], "weights": first_weights(brain, self.width)}
        return jax.tree.map(lambda x: x.astype(jnp.float32), found)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        scale = Scale(outcomes, WAYS, AIMLESS)

        def step(upper: str, lower: str, zero: bool = False) -> Resampled:
            def effect(who: np.ndarray, what: np.ndarray) -> Float[np.ndarray, " resample"]:
                pairs = what[:, :, None] * what[:, None, :]
                high, low = (scale.level(level, who, pairs, zero) for level in (upper, lower))
                return high - low

            return Resampled(effect, len(WAYS), scale.seeds, self.margin)

        names = list(LEVELS)
        parts = {f"{a} - {b}": step(a, b) for a, b in itertools.pairwise(names)}
        by_way = np.stack([scale.each_way(level) for level in LEVELS], axis=1)
        beside: dict[str, Any] = {
            f"{a} - {b}, zero in place of untrained pairs": step(a, b, zero=True)
            for a, b in itertools.pairwise(names)
        }
        beside["tau of the order, by implementation"] = Order(
            np.array([3.0, 2.0, 1.0]), by_way, self.margin
        )
        return Evidence(weakest(*parts.values()), scale.gates(outcomes), parts | beside)

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import seeds

        scale = Scale(outcomes, WAYS, AIMLESS)
        rows = {name: scale.each_seed(name) for name in MEASURES}
        return seeds(rows, x_title="0: untrained pairs, 1: pairs of one implementation")
