"""Learning does not need the same weights backwards: random ones teach hidden layers, too.

Lillicrap, Cownden, Tweed & Akerman (2016), Nat. Commun. 7:13276. That it fails with depth and local
connections: Bartunov, Santoro, Richards, Marris, Hinton & Lillicrap (2018), NeurIPS 31.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .. import rules
from ..builders import layered
from ..contracts import AbstractRule, Error, Sample
from ..evidence import Parity, Slope, Superiority
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import examine, learn
from ..measures import alignment
from ..network import Network
from ..tasks import Digits
from ..wirings import Dense, patches

FIXED, BACKPROP, OUTPUT_ONLY = "feedback alignment", "backprop", "output only"
DIRECT, SIGNS, MIRROR, REDRAWN = "direct feedback", "sign symmetry", "weight mirror", "redrawn"
RULES: dict[str, tuple[AbstractRule, Arm]] = {
    FIXED: (
        rules.FeedbackAlignment(),
        Arm("brain", "errors go back through fixed random weights"),
    ),
    BACKPROP: (
        rules.Backprop(),
        Arm("control", "errors go back through the forward weights"),
    ),
    OUTPUT_ONLY: (
        rules.OutputOnly(),
        Arm("control", "hidden layers stay random"),
    ),
    REDRAWN: (
        rules.FeedbackAlignment(redraw=True),
        Arm("sham", "errors go back through random weights that are new in every update"),
    ),
    DIRECT: (
        rules.DirectFeedbackAlignment(),
        Arm("probe", "the output's error goes to each hidden layer through fixed random weights"),
    ),
    SIGNS: (
        rules.SignSymmetry(),
        Arm("probe", "errors go back through the signs of the forward weights"),
    ),
    MIRROR: (
        rules.WeightMirror(),
        Arm("probe", "errors go back through weights that learn the forward ones from noise"),
    ),
}
LOCAL = "3 local layers"
DEPTHS = {"1 layer": 1, "3 layers": 3, "6 layers": 6}
SHAPES = {
    "1 layer": "one hidden layer of twice `width`",
    "3 layers": "three hidden layers of `width`",
    "6 layers": "six hidden layers of half `width`",
    LOCAL: "three hidden layers of `width`, of cells that see a patch each",
}
ROWS = 8  # of a sheet of cells, as of the picture
BITE = 3.0  # points of accuracy that what a control lacks must be worth, else parity says nothing


class FeedbackAlignment(AbstractClaim):
    """Seven rules teach tanh networks of four shapes to read digits, by gradient-like descent.

    Per seed all rules start from the same weights, up to their tuned gain, and see the same
    examples in the same order.
    """

    statement: ClassVar[str] = (
        "Learning does not need the same weights backwards: errors sent through fixed random "
        "weights teach three hidden layers as well as backprop, within 1 point of accuracy."
    )
    source: ClassVar[str] = "Lillicrap et al. (2016), Nat. Commun. 7:13276"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "parity"
    arms: ClassVar[dict[str, Arm]] = {
        f"{rule}, {shape}": Arm(about.role, f"{about.says}; {SHAPES[shape]}")
        for shape in SHAPES
        for rule, (_, about) in RULES.items()
    }
    margin: ClassVar[float] = 1.0
    unit: ClassVar[str] = "points of test accuracy"
    refuted_if: ClassVar[str] = (
        "with three hidden layers the accuracy of feedback alignment is more than 1 point below "
        "that of backprop"
    )
    expected: ClassVar[str] = (
        "A gap of about half a point with one hidden layer and with three, which grows to some "
        "points with six or with local connections. Bad outcome: the gap with three layers is "
        "too near to 1 point to rule, or above."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "With one hidden layer digits hardly tell a rule from not learning the hidden layer at "
        "all: see output only.",
        "Small first weights and batch normalisation help feedback alignment; here the size of "
        "the first weights is tuned for every arm, and nothing is normalised.",
        "Tuning backprop less is the usual cheat: every arm has the same trials in the same space.",
        "The optimiser may matter: --optimiser adam --tune.",
        "Digits are easy. On ImageNet rules without weight transport fell far behind (Bartunov "
        "et al. 2018).",
        "The errors themselves, their sign and their timing, come as in backprop: only the need "
        "for the same weights is removed.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, width=16, steps=20, probes=2),
        "quick": Budget(10),
        "full": Budget(20),
    }
    tour: ClassVar[bool] = True

    width: int = 64  # cells of each of three hidden layers, a multiple of 8
    reach: float = 1.0  # of a local cell, to each side, in cells of the layer below
    steps: int = 2000  # updates
    batch: int = 32  # examples in an update
    optimiser: Literal["sgd", "adam"] = "sgd"  # follows all rules' directions; tune it anew
    momentum: float = 0.9  # of either
    probes: int = 20  # points of the learning curves, evenly spaced, and one before learning

    def __check_init__(self):
        if self.width < ROWS or self.width % ROWS:
            raise ValueError(
                f"Expected a width that is a multiple of {ROWS}, got {self.width}. Cells of local "
                f"layers sit on sheets of {ROWS} rows. Try --width {max(self.width // 8, 1) * 8}."
            )

    def space(self, arm: str) -> dict[str, Range]:
        rate = Range(3e-3, 1.0) if self.optimiser == "sgd" else Range(3e-4, 0.1)
        return {"rate": rate, "gain": Range(0.05, 5.0)}

    def network(self, shape: str, gain: Float[Array, ""], *, key: PRNGKeyArray) -> Network:
        """A network that has not learned. `gain` scales its first weights."""
        task = Digits()
        _, pixels, classes = task.shape
        sheet = (ROWS, self.width // ROWS)
        sizes = {"1 layer": [2 * self.width], "6 layers": [self.width // 2] * 6}
        hidden, wirings = sizes.get(shape, [self.width] * 3), None
        if shape == LOCAL:
            first = patches(sheet, (ROWS, pixels // ROWS), radius=self.reach)
            above = patches(sheet, sheet, radius=self.reach)
            wirings = [first, above, above, Dense(classes, self.width)]
        return layered([pixels, *hidden, classes], wirings=wirings, gain=gain, key=key)

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        name, shape = arm.split(", ")
        at_network, at_life, at_exam = jax.random.split(key, 3)
        task, (rule, _) = Digits(), RULES[name]
        start = self.network(shape, settings["gain"], key=at_network)
        state = rule.init(start, key=jax.random.split(at_life)[0])  # as `learn` draws it

        rate = settings["rate"]
        sgd = self.optimiser == "sgd"
        optimiser = optax.sgd(rate, self.momentum) if sgd else optax.adam(rate, self.momentum)

        def probe(brain: Network) -> dict[str, Float[Array, ""]]:
            seen = {"tune accuracy": examine(brain, task, "tune", key=at_exam)}
            if name == FIXED:
                exam = task.exam("tune", key=at_exam)
                seen["angle to backprop"] = angle(rule, state, brain, exam, task.error)
            return seen

        how: dict[str, Any] = {"batch": self.batch, "probes": self.probes, "key": at_life}
        learned = learn(start, rule, task, optimiser, steps=self.steps, probe=probe, **how)
        return Outcome(
            score=examine(learned.brain, task, "test", key=at_exam),
            tuning=learned.curves["tune accuracy"][-1],
            curves={
                f"{what}, {shape}": jnp.append(before, learned.curves[what])
                for what, before in probe(start).items()
            },
            costs=learned.costs,
        )

    def evidence(self, outcomes: Outcomes) -> Evidence:
        def points(rule: str, shape: str = "3 layers") -> Float[np.ndarray, " seed"]:
            return 100 * np.asarray(outcomes[f"{rule}, {shape}"].score, np.float64)

        def parity(rule: str, shape: str = "3 layers") -> Parity:
            return Parity(points(rule, shape), points(BACKPROP, shape), self.margin)

        def gap(shape: str) -> Float[np.ndarray, " seed"]:
            return points(BACKPROP, shape) - points(FIXED, shape)

        def gate(says: str, rule: str) -> Gate:
            lost = float(np.mean(points(BACKPROP) - points(rule)))
            says = f"{says}: {rule} loses at least {BITE:g} points with 3 layers"
            return Gate(says, lost >= BITE, f"{lost:.1f} points")

        depths, gaps = np.array([*DEPTHS.values()], float), np.stack([*map(gap, DEPTHS)], axis=1)
        angles = outcomes[f"{FIXED}, 3 layers"].curves["angle to backprop, 3 layers"]
        first, last = np.asarray(angles, np.float64)[:, [0, -1]].T
        others = [(rule, "3 layers") for rule in (DIRECT, SIGNS, MIRROR)]
        others += [(FIXED, shape) for shape in SHAPES if shape != "3 layers"]
        others += [(OUTPUT_ONLY, "1 layer")]
        return Evidence(
            parity(FIXED),
            gates=(
                gate("hidden layers matter", OUTPUT_ONLY),
                gate("feedback must last", REDRAWN),
            ),
            secondary={
                "the gap grows with depth (points per layer)": Slope(depths, gaps, 0.0),
                "the gap grows with local connections": Superiority(
                    gap(LOCAL), gap("3 layers"), 0.0
                ),
                "the angle to backprop falls (degrees)": Superiority(first, last, 0.0),
                "it ends below 90 degrees": Superiority(np.full_like(last, 90.0), last, 0.0),
                **{f"{rule} = backprop, {shape}": parity(rule, shape) for rule, shape in others},
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        errors = {
            rule: 100 * np.stack([1 - outcomes[f"{rule}, {shape}"].score for shape in DEPTHS], 1)
            for rule in RULES
        }
        depths = np.array([*DEPTHS.values()])
        picture = curves(
            depths, errors, x_title="hidden layers", y_title="test error, %", log_y=True
        )
        picture.update_xaxes(tickvals=depths)
        return picture.update_yaxes(tickvals=[1, 2, 5, 10, 20, 50, 100])


def angle(
    rule: AbstractRule, state: Any, brain: Network, seen: Sample, error: Error
) -> Float[Array, ""]:
    """Degrees between the directions of a rule and of backprop: the mean of the hidden layers."""
    key, teacher = jax.random.key(0), rules.Backprop()  # nothing here is left to chance
    mine, _ = rules.direction(rule, state, brain, seen, error, key=key)
    best, _ = rules.direction(teacher, None, brain, seen, error, key=key)
    return jnp.mean(jnp.stack([*alignment(mine, best).values()][:-1]))
