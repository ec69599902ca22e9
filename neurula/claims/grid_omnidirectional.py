"""Whether cells on a grid gain by passing potential sideways and backwards, not only forwards.

Spoerer, McClure & Kriegeskorte (2017), Front. Psychol. 8:1551 (against as many parameters); curves:
Linsley, Kim, Veerabadran, Windolf & Serre (2018), NeurIPS 31:152.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample
from ..evidence import Superiority
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..matched import cells_for
from ..response import respond
from ..rules import Backprop
from ..sheets import Link, Sheets
from ..tasks import CurveTracing, Digits
from ..tasks.curve_tracing import ASKED
from ..wirings import Grid

ALL, LATERAL, BACKWARD, SHUFFLED = "all", "+ lateral", "+ backward", "shuffled"
DEEP, WIDE, NARROW = "forward, deep", "forward, wide", "forward, narrow"
LINKS: dict[str, tuple[Link, ...]] = {
    LATERAL: ("forward", "lateral"),
    BACKWARD: ("forward", "backward"),
    WIDE: ("forward",),
    DEEP: ("lateral",),  # of one sheet to itself, with other weights at every step: a new sheet
    NARROW: ("lateral",),
}
BOTH: tuple[Link, ...] = ("forward", "lateral", "backward")
TRACING, DIGITS = 0, 1  # tasks
TASKS = ("curves", "digits")
EXAM = 7  # the key by which pictures of exams are drawn


class GridOmnidirectional(AbstractClaim):
    """Two sheets of cells see a picture for a while; the others have as much to work with."""

    statement: ClassVar[str] = (
        "A grid of cells with links forwards, backwards and sideways tells whether two points are "
        "on one curve better, by 2 points of accuracy, than a grid with links forwards only that "
        "takes as many operations."
    )
    source: ClassVar[str] = "Spoerer, McClure & Kriegeskorte (2017), Front. Psychol. 8:1551"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        ALL: Arm("brain", "two sheets of 3 channels, all links, 11 steps: 415 parameters"),
        DEEP: Arm(
            "control",
            "eleven sheets of 6 channels, each heard by the next, with a leak past each: equal "
            "operations, and 3,799 parameters",
        ),
        WIDE: Arm("control", "two sheets of 6 channels, one sweep: 505 parameters"),
        NARROW: Arm("control", "eleven sheets of 2 channels: 475 parameters"),
        LATERAL: Arm("probe", "no backward links: 334 parameters, 15 steps: equal operations"),
        BACKWARD: Arm("probe", "no lateral links, 4 channels: 409 parameters, 12 steps"),
        SHUFFLED: Arm(
            "sham", "all, but lateral and backward links come from random cells: as many a cell"
        ),
    }
    margin: ClassVar[float] = 2.0
    unit: ClassVar[str] = "points of accuracy in tracing curves"
    refuted_if: ClassVar[str] = (
        "all links gain less than 2 points over the deep forward grid of equal operations"
    )
    expected: ClassVar[str] = (
        "Far better than a forward grid of equal parameters, which cannot see from one end of a "
        "curve to the other. Bad outcome: at equal operations a deep forward grid is as good or "
        "better, so that links in all directions save weights, not work (as in Spoerer et al.)."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Extra steps are extra depth: hence the deep forward grid, of as many operations and nine "
        "times the parameters; of equal parameters one wide and one deep one stand beside.",
        "Which task rules was fixed beforehand: following a curve is where links sideways should "
        "matter. Occluded and noisy digits stand beside.",
        "Widths are whole numbers: controls have a few parameters more than all links, lateral "
        "links a fifth fewer. These sizes are for curves; with digits every cell of the last sheet "
        "has its own weights to the answer.",
        "Pictures are 9 x 9 with arms of up to 4 pixels, not 16 x 16 as on the card (that is the "
        "full budget), and size, channels and updates were chosen on tuning seeds, so that the "
        "deep control gets 80 to 90 % and not all of the curves right; it led there already.",
        "Every pixel with ink is taught whether it is on the marked curve; judged is one of them. "
        "Shapes of arms are drawn without regard to the answer, hence no pixel gives it away.",
        "In the deep grid every sheet sees the picture, as at every step of the recurrent one.",
        "What takes equal operations need not learn as fast: on tuning seeds more updates helped. "
        "The full budget has five times as many.",
        "Learning rates are tuned by the mean of both tasks, for every arm alike, on one seed: too "
        "high a rate for shuffled links, which in 3 of 10 seeds learn nothing about digits.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, side=7, arm=1, channels=1, updates=2, batch=2, exam_size=20),
        "quick": Budget(10),
        "full": Budget(20, side=16, arm=7, channels=4, updates=3000),
    }

    side: int = 9  # pixels, and cells, along a side of the pictures with curves
    arm: int = 4  # pixels of each of four arms, at most
    channels: int = 3  # of a cell in each of two sheets with all links
    updates: int = 600  # with curves; half as many with digits
    batch: int = 8  # pictures in an update
    exam_size: int = 500  # pictures with curves, of which a test has so many
    occlusion: float = 0.25  # share of a digit that is hidden
    noise: float = 0.2  # standard deviation, on pixels from 0 to 1

    def space(self, arm: str) -> dict[str, Range]:
        return {"rate": Range(2e-3, 5e-2)}

    @property
    def steps(self) -> int:
        """Of the grid with all links: from one end of a curve to the other, and one up."""
        return 2 * self.arm + 3

    def tasks(self) -> tuple[CurveTracing, Digits]:
        """What is learned, each by a net of its own."""
        curves = CurveTracing(self.side, self.arm, exam_size=self.exam_size)
        return curves, Digits(occlusion=self.occlusion, noise=self.noise)

    def shape(self, arm: str) -> tuple[int, int]:
        """Channels and steps of an arm; those of controls are matched for curves."""
        key, channels = jax.random.key(0), self.channels
        if arm in (WIDE, NARROW):
            make = lambda wide: self.net(arm, TRACING, (wide, self.steps), key=key)  # noqa: E731
            size = 9 * (3 + 4 * channels) * channels + 3 * channels + 1
            return cells_for(make, size), 2 if arm == WIDE else self.steps
        if arm == DEEP:
            return 2 * channels, self.steps
        # Links from sheet to sheet: of four, lateral ones leave out one, backward ones two.
        many = {LATERAL: 3, BACKWARD: 2}.get(arm, 4)
        wide = int(channels * (4 / many) ** 0.5)
        return wide, round(self.steps * 4 * channels**2 / (many * wide**2))

    def net(self, arm: str, task: int, shape: tuple[int, int], *, key: PRNGKeyArray) -> Sheets:
        """What an arm learns a task with, for a shape (channels, steps)."""
        side = self.side if task == TRACING else 8
        forward = arm in (DEEP, NARROW)
        others = jax.random.permutation(jax.random.fold_in(key, 1), side**2)
        return Sheets(
            Grid(side, side, shared=True),
            shape[0],
            steps=shape[1],
            seen=3 if task == TRACING else 1,
            told=1 if task == TRACING else 10,
            sheets=1 if forward else 2,
            links=LINKS.get(arm, BOTH),
            tied=not forward,
            whole=task == DIGITS,
            order=others if arm == SHUFFLED else None,
            key=key,
        )

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        shape, found, tuning, costs, kept = self.shape(arm), [], [], {}, {}
        for number, task in enumerate(self.tasks()):
            at_brain, at_life = jax.random.split(jax.random.fold_in(key, number))
            updates = self.updates if number == TRACING else (self.updates + 1) // 2
            rate = optax.cosine_decay_schedule(settings["rate"], updates)
            learned = learn(
                self.net(arm, number, shape, key=at_brain),
                Backprop(),
                task,
                optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate)),
                steps=updates,
                batch=self.batch,
                key=at_life,
            )
            tune, test, exam = sit(learned.brain, task)
            found, tuning = [*found, test], [*tuning, tune]
            if number == TRACING:
                costs, kept = learned.costs, wave(learned.brain, exam)
        kept["accuracy"] = jnp.stack(found)
        return Outcome(found[TRACING], (tuning[0] + tuning[1]) / 2, costs=costs, kept=kept)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        points = {a: 100 * np.asarray(o.kept["accuracy"], np.float64) for a, o in outcomes.items()}
        curves, digits = ({a: p[:, t] for a, p in points.items()} for t in (TRACING, DIGITS))
        lead = lambda scores, arm: Superiority(scores[ALL], scores[arm], self.margin)  # noqa: E731
        able, control = curves[ALL].mean(), curves[DEEP].mean()
        bite = (curves[ALL] - curves[SHUFFLED]).mean()
        return Evidence(
            lead(curves, DEEP),
            gates=(
                Gate("all links learn to trace: 60 %", bool(able >= 60), f"{able:.1f} %"),
                Gate(
                    "the deep forward grid learns, and has room above: 65 to 95 %",
                    bool(65 <= control <= 95),
                    f"{control:.1f} %",
                ),
                Gate("shuffling links costs 5 points", bool(bite >= 5), f"{bite:.1f} points"),
            ),
            secondary={
                **{
                    f"{task}: all beyond {arm}": lead(scores, arm)
                    for task, scores in zip(TASKS, (curves, digits), strict=True)
                    for arm in self.arms
                    if arm != ALL
                },
                f"both tasks: all beyond {DEEP}": Superiority(points[ALL], points[DEEP], 2.0),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import images, seeds, stacked

        rows = {
            f"{task}: {arm}": 100 * np.asarray(outcome.kept["accuracy"])[:, number]
            for number, task in enumerate(TASKS)
            for arm, outcome in outcomes.items()
        }
        films, titles, moments = [], [], 6
        for arm in (ALL, DEEP, SHUFFLED):
            kept = {name: np.asarray(value)[0] for name, value in outcomes[arm].kept.items()}
            square = (-1, self.side, self.side)
            ink, start, asked = kept["picture"].reshape(square)
            steps = np.linspace(1, len(kept["wave"]), moments).round().astype(int)
            likely = np.where(ink > 0, kept["wave"].reshape(square)[steps - 1], np.nan)
            films += [np.where(ink > 0, 0.4 * ink + 0.6 * start + 0.3 * asked, np.nan), *likely]
            titles += [arm, *(f"after step {step}" for step in steps)]
        sheet = images(np.stack(films), titles=titles, columns=moments + 1, unit="joined, 0 to 1")
        return stacked(seeds(rows, x_title="accuracy, % of test pictures"), sheet)


def sit(brain: Sheets, task: AbstractTask) -> tuple[Float[Array, ""], Float[Array, ""], Sample]:
    """Accuracy with tuning and with test pictures, the same for all seeds, and the test."""
    with jax.ensure_compile_time_eval():  # once for all arms and seeds
        key = jax.random.key(EXAM)
        tune, test = task.exam("tune", key=key), task.exam("test", key=key)
    exams = jax.tree.map(lambda *both: jnp.concatenate(both), tune, test)
    right = jax.vmap(lambda s: task.score(respond(brain, s.stimuli), s))(exams)
    few = len(tune.stimuli)
    return jnp.mean(right[:few]), jnp.mean(right[few:]), test


def wave(brain: Sheets, exam: Sample) -> dict[str, Array]:
    """How likely cells think, after every step, that they are on the longest marked curve."""
    with jax.ensure_compile_time_eval():
        curves = jnp.asarray(exam.target)[:, -1]
        asked = exam.stimuli[:, -1].reshape(len(curves), 3, -1)[:, ASKED]
        length = jnp.sum(curves, 1) * jnp.sum(asked * curves, 1)  # 0 where not joined
        chosen = jnp.argmax(length)
    picture = exam.stimuli[chosen, -1]
    said = jax.vmap(brain.read)(brain.sweep(picture))
    return {"picture": picture, "wave": jax.nn.sigmoid(said)}
