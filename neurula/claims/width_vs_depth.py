"""Whether layers are the only way to spend parameters, or wider ones serve as well.

Shape matters little at equal size: Kaplan et al. (2020), arXiv 2001.08361. Wide networks match deep
ones: Zagoruyko & Komodakis (2016), BMVC. Shortcuts: He, Zhang, Ren & Sun (2016), CVPR.
"""

import itertools
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..builders import layered
from ..contracts import AbstractTask
from ..evidence import Parity, Superiority
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..network import Network, Projection
from ..neurons import Rate
from ..response import respond
from ..rules import Backprop
from ..tasks import MNIST1D, Digits
from ..weights import fan_in
from ..wirings import Dense, OneToOne

DIGITS, SIGNALS = "digits", "MNIST-1D"
WIDE, DEEP = (1, 2), (4, 8)  # hidden layers
SMALL = 10  # times fewer parameters, in the sham
BITE = 3.0  # points of accuracy that parameters must be worth, else parity of shapes says nothing
Settings = dict[str, Float[Array, ""]]


class Shape(NamedTuple):
    """How an arm spends its parameters, and on which task."""

    task: str
    depth: int  # hidden layers
    skips: bool = False
    share: float = 1.0  # of the parameters

    @property
    def name(self) -> str:
        """The arm."""
        size = f"{self.depth} layer{'s' if self.depth > 1 else ''}" if self.share == 1 else "small"
        return f"{self.task}, {size}{' with skips' if self.skips else ''}"


def arms() -> dict[str, tuple[Shape, Arm]]:
    """All shapes on both tasks, by name."""
    found = {}
    for task in (DIGITS, SIGNALS):
        for depth, skips in itertools.product((*WIDE, *DEEP), (False, True)):
            says = "1 hidden layer" if depth == 1 else f"{depth} hidden layers of equal width"
            says += ", each with a skip past it" if skips else ", one after another"
            shape = Shape(task, depth, skips)
            found[shape.name] = shape, Arm("brain" if depth in WIDE else "control", says)
        small = Shape(task, 1, share=1 / SMALL)
        says = f"1 hidden layer with a {SMALL}th of the parameters: what size is worth"
        found[small.name] = small, Arm("sham", says)
    return found


class WidthVsDepth(AbstractClaim):
    """ReLU networks of eight shapes and one size learn two tasks by backprop and Adam.

    A skip leads past one hidden layer, from the layer below to the layer above: cell by cell
    between hidden layers, with weights that start at 1; from the input and to the output everyone
    to everyone. Its weights are learned and count as parameters; layers are narrower for it.
    """

    statement: ClassVar[str] = (
        "Depth is not the only way to scale: of networks with equal numbers of parameters the best "
        "with one or two hidden layers is within 1 point of accuracy of the best with four or "
        "eight, with skips or without, on digits and on MNIST-1D."
    )
    source: ClassVar[str] = (
        "Networks could grow wider and not only deeper; nearest: Kaplan et al. (2020), arXiv "
        "2001.08361, and Zagoruyko & Komodakis (2016), BMVC"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "parity"
    arms: ClassVar[dict[str, Arm]] = {name: arm for name, (_, arm) in arms().items()}
    margin: ClassVar[float] = 1.0
    unit: ClassVar[str] = "points of test accuracy"
    refuted_if: ClassVar[str] = (
        "the best deep network (four or eight layers) beats the best wide one (one or two) by more "
        "than 1 point. On each task both are chosen on tuning data, and the task on which the deep "
        "one then leads by most rules, by its lead on test data: the choice favours nobody"
    )
    expected: ClassVar[str] = (
        "Parity on digits. MNIST-1D, where shifted and sheared curves need more steps, is harder "
        "to call. Bad outcome: depth wins there by points, so that at this size shape does matter."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Deep networks that are not tuned fail to learn without skips and fake the result: every "
        "shape has its own rate and first weights, from the same number of trials.",
        "The best of four shapes looks better than it is on the data that chose it: hence tuning "
        "data choose and test data judge.",
        "Training is short: a shape that learns slowly but further is seen with --updates.",
        "Two small tasks without long sequences or composed rules, for which depth is argued "
        "(Telgarsky 2016), say nothing about those.",
        "Equal parameters, nearly equal operations; not equal time, as layers follow each other.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, parameters=1000, updates=4, batch=4, exam_size=20),
        "quick": Budget(10),
        "full": Budget(20, updates=4000),
    }

    parameters: int = 20_000  # of every network, as nearly as whole cells allow
    updates: int = 800
    batch: int = 32  # examples in an update
    exam_size: int = 4000  # examples of MNIST-1D by which it is judged, for tuning and for testing

    def space(self, arm: str) -> dict[str, Range]:
        return {"rate": Range(3e-4, 3e-2), "gain": Range(0.3, 3.0)}

    def task(self, shape: Shape) -> AbstractTask:
        """What a shape learns."""
        return Digits() if shape.task == DIGITS else MNIST1D(exam_size=self.exam_size)

    def network(self, shape: Shape, gain: Float[Array, ""], *, key: PRNGKeyArray) -> Network:
        """A network that has not learned. `gain` scales its first random weights."""
        _, inputs, outputs = self.task(shape).shape
        size = width(inputs, outputs, shape, self.parameters)
        at_layers, at_skips = jax.random.split(key)
        cells = lambda size: Rate("relu", jnp.zeros(size))  # noqa: E731
        sizes = [inputs, *[size] * shape.depth, outputs]
        plain = layered(sizes, neuron=cells, gain=gain, key=at_layers)
        if not shape.skips:
            return plain
        names, skips = ["input", *(f"hidden{i + 1}" for i in range(shape.depth)), "output"], []
        for i, k in enumerate(jax.random.split(at_skips, shape.depth)):
            if 0 < i < shape.depth - 1:
                wiring = OneToOne(size)
                weight = wiring.fill(1.0)
            else:
                wiring = Dense(sizes[i + 2], sizes[i])
                weight = fan_in(wiring, key=k, gain=gain)
            skips.append(Projection(names[i], names[i + 2], wiring, weight, delay=0))
        both = [*plain.projections, *skips]
        return Network(plain.populations, both, senses=plain.senses, voices=plain.voices)

    def run(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> Outcome:
        shape, _ = arms()[arm]
        at_network, at_life, at_exam = jax.random.split(key, 3)
        task = self.task(shape)
        learned = learn(
            self.network(shape, settings["gain"], key=at_network),
            Backprop(),
            task,
            optax.adam(optax.cosine_decay_schedule(settings["rate"], self.updates)),
            steps=self.updates,
            batch=self.batch,
            key=at_life,
        )
        exams = [task.exam(split, key=at_exam) for split in ("tune", "test")]
        both = jax.tree.map(lambda *parts: jnp.concatenate(parts), *exams)  # one program, not two
        marks = jax.vmap(lambda s: task.score(respond(learned.brain, s.stimuli), s))(both)
        tune, test = jnp.split(marks, [len(exams[0].stimuli)])
        return Outcome(score=jnp.mean(test), tuning=jnp.mean(tune), costs=learned.costs)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        def points(shape: Shape) -> Float[np.ndarray, " seed"]:
            return 100 * np.asarray(outcomes[shape.name].score, np.float64)

        chosen = {task: best(outcomes, task) for task in (DIGITS, SIGNALS)}
        tests = {t: Parity(points(w), points(d), self.margin) for t, (w, d) in chosen.items()}
        leads = {t: tuned(outcomes, d) - tuned(outcomes, w) for t, (w, d) in chosen.items()}
        hardest = max(leads, key=leads.__getitem__)
        small = points(Shape(hardest, 1, share=1 / SMALL)).mean()

        def gate(shape: Shape) -> Gate:
            gain = points(shape).mean() - small
            says = f"size matters: {shape.name} beats a {SMALL}th of it by {BITE:g} points"
            return Gate(says, bool(gain >= BITE), f"{gain:.1f} points")

        secondary: dict[str, Any] = {}
        for task, (w, d) in chosen.items():
            rules = " (rules: hardest on tuning data)" if task == hardest else ""
            secondary[f"{w.name} = {d.name}, best on tuning data{rules}"] = tests[task]
            for depth in DEEP:
                skipped, plain = (points(Shape(task, depth, s)) for s in (True, False))
                secondary[f"{task}: skips help {depth} layers"] = Superiority(skipped, plain, 0.0)
        return Evidence(tests[hardest], tuple(map(gate, chosen[hardest])), secondary)

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        depths = np.array([*WIDE, *DEEP])
        lines = {}
        for task, skips in itertools.product((DIGITS, SIGNALS), (False, True)):
            by_depth = [outcomes[Shape(task, int(d), skips).name].score for d in depths]
            name = f"{task}{', with skips' if skips else ''}"
            lines[name] = 100 * (1 - np.stack(by_depth, axis=1))
        picture = curves(
            depths, lines, x_title="hidden layers", y_title="test error, %", log_y=True
        )
        picture.update_xaxes(type="log", tickvals=depths)
        return picture.update_yaxes(tickvals=[1, 2, 5, 10, 20, 50, 100])


def count(inputs: int, outputs: int, shape: Shape, width: int) -> int:
    """Parameters of a network: weights, biases and, if it has them, skips."""
    depth = shape.depth
    total = (inputs + 1) * width + (depth - 1) * (width + 1) * width + outputs * (width + 1)
    if not shape.skips:
        return total
    if depth == 1:
        return total + inputs * outputs
    return total + (inputs + outputs + depth - 2) * width


def width(inputs: int, outputs: int, shape: Shape, parameters: int) -> int:
    """Cells in every hidden layer for the number of parameters nearest to what is wanted."""
    wanted = parameters * shape.share
    sizes = range(1, parameters)
    return min(sizes, key=lambda size: abs(count(inputs, outputs, shape, size) - wanted))


def tuned(outcomes: Outcomes, shape: Shape) -> float:
    """The mean accuracy of a shape on tuning data, in points."""
    return 100 * float(np.mean(np.asarray(outcomes[shape.name].tuning, np.float64)))


def best(outcomes: Outcomes, task: str) -> tuple[Shape, Shape]:
    """The wide and the deep shape that do best on tuning data."""

    def leader(depths: tuple[int, ...]) -> Shape:
        shapes = [Shape(task, depth, skips) for depth in depths for skips in (False, True)]
        return max(shapes, key=lambda shape: tuned(outcomes, shape))

    return leader(WIDE), leader(DEEP)
