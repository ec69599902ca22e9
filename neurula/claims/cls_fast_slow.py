"""Whether a network that rehearses a few kept examples beats one memory, and those few alone.

McClelland, McNaughton & O'Reilly (1995), Psychol. Rev. 102:419; rehearsal: Robins (1995), Conn.
Sci. 7:123. Class-incremental learning: van de Ven, Tuytelaars & Tolias (2022), Nat. Mach. Intell.
4:1185. What a store alone can do: Prabhu, Torr & Dokania (2020), ECCV.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..builders import layered
from ..contracts import AbstractTask, Split
from ..evidence import Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..memories import AbstractRehearsal, ClassGaussians, FastStore
from ..network import Network
from ..response import respond
from ..rules import Backprop
from ..tasks import Digits, Interleaved, SomeClasses

BOTH, WIDE, NEAREST = "fast and slow", "slow alone, wide", "fast alone"
SHAM, SLOW, DREAMS = "shuffled", "slow alone", "dreams"
RETAUGHT, JOINT = "fast alone, retaught", "all at once"
PIXELS, CLASSES, AT_ONCE = 64, 10, 2
LESSONS = CLASSES // AT_ONCE
REHEARSE = (BOTH, SHAM, DREAMS)
LEARNED, FORGETS = 90.0, 50.0  # % right, of all at once and of the slow network alone
BITE = 5.0  # points that right labels in the store must be worth
Answer = Callable[[Float[Array, " pixel"]], Float[Array, " class"]]


class ClsFastSlow(AbstractClaim):
    """Digits come in five lessons of two classes, in an order drawn for every seed.

    Slow: a network with one hidden layer. Fast: ten examples of each class, drawn from all that
    came. In a lesson old classes are rehearsed as often as they are many: with two of eight new,
    three of four examples are old. Nothing tells which lesson a digit is from: one answer of ten.
    """

    statement: ClassVar[str] = (
        "A slow network that rehearses ten kept examples of each class while it learns new ones "
        "knows more of all classes in the end than one network with as much memory, and than "
        "those examples know by themselves, by 5 points or more."
    )
    source: ClassVar[str] = "McClelland, McNaughton & O'Reilly (1995), Psychol. Rev. 102:419"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "superiority"
    arms: ClassVar[dict[str, Arm]] = {
        BOTH: Arm("brain", "The network learns new classes and rehearses the store; it answers"),
        WIDE: Arm(
            "control", "A network without a store; its parameters are those of both, pixels and all"
        ),
        NEAREST: Arm(
            "control", "No network: the nearest kept examples vote, by inverse squared distance"
        ),
        SHAM: Arm("sham", "As fast and slow; each rehearsed digit gets the label of another one"),
        SLOW: Arm("probe", "The network without a store"),
        DREAMS: Arm(
            "probe",
            "No example is kept: Gaussians of each class, of as many numbers, are rehearsed",
        ),
        RETAUGHT: Arm(
            "probe",
            "After each lesson a fresh network is taught what is in the store, and nothing else, "
            "with as many updates as all lessons have",
        ),
        JOINT: Arm("probe", "All classes from the start: the ceiling"),
    }
    margin: ClassVar[float] = 5.0
    unit: ClassVar[str] = "points of accuracy on test digits of all classes, after the last lesson"
    refuted_if: ClassVar[str] = (
        "fast and slow together lead the wide network, or the nearest kept examples, by less than "
        "5 points. Both leads have to hold: the primary test is that with the weaker ruling"
    )
    expected: ClassVar[str] = (
        "20 % for the network alone, 85 to 90 % for the store alone, 88 to 93 % for both. Bad "
        "outcome: on digits of 8 x 8 pixels a few examples are so good by themselves that the "
        "slow network adds less than 5 points."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Where it is told which classes are asked about, forgetting is far smaller: here a single "
        "answer of ten. The store is what most studies leave out as a control.",
        "The store chooses nothing: every example is kept equally likely. Better choice would help "
        "both what rehearses and what looks up.",
        "The best use of a store may be to forget the rest: see fast alone, retaught.",
        "Equal memory counts numbers, of whatever precision; brains do not store pixels.",
        "Lessons are separate and repeat nothing. Where classes come back, the slow network needs "
        "no store.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, width=8, updates=4, batch=4),
        "quick": Budget(20),
        "full": Budget(20, updates=2000),
    }

    width: int = 128  # hidden cells of the slow network
    places: int = 10  # examples of each class that fit into the store
    updates: int = 300  # in a lesson, with Adam, whose rate falls to 0 in each along a cosine
    batch: int = 32  # examples in an update

    def space(self, arm: str) -> dict[str, Range]:
        if arm == NEAREST:
            return {"neighbours": Range(1.0, self.places + 1.0, log=False)}  # rounded down
        return {"rate": Range(1e-4, 3e-2)}

    @property
    def wider(self) -> int:
        """Hidden cells of a network with at least as many parameters as network and store."""
        per_cell = PIXELS + 1 + CLASSES
        return self.width + -(-CLASSES * self.places * PIXELS // per_cell)

    def network(self, arm: str, *, key: PRNGKeyArray) -> Network:
        """A slow network that has learned nothing."""
        hidden = self.wider if arm == WIDE else self.width
        return layered([PIXELS, hidden, CLASSES], key=key)

    def memory(self, arm: str) -> AbstractRehearsal:
        """What is rehearsed. A Gaussian is a mean, a spread and directions: as many numbers."""
        if arm == DREAMS:
            return ClassGaussians(CLASSES, self.places - 2)
        return FastStore(CLASSES, self.places)

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_order, at_brain, at_life, at_store = jax.random.split(key, 4)
        order = jax.random.permutation(at_order, CLASSES).reshape(LESSONS, AT_ONCE)
        data, memory = Digits().exam("train", key=key), self.memory(arm)
        labels = jnp.argmax(jnp.asarray(data.target)[:, 0], -1)
        start, rest = eqx.partition(self.network(arm, key=at_brain), eqx.is_array)
        first = jax.tree.map(lambda x: x[0], data)

        def lesson(carry: Any, number: Int[Array, ""]) -> tuple[Any, dict[str, Array]]:
            slow, kept = carry
            at_lesson, at_places = (jax.random.fold_in(k, number) for k in (at_life, at_store))
            taught = jnp.zeros(CLASSES, bool).at[order[number]].set(True)
            after = memory.see(kept, data, labels, order[number], key=at_places)
            brain = eqx.combine(start if arm == RETAUGHT else slow, rest)
            task = self.task(arm, taught, number, after if arm == RETAUGHT else kept)
            if arm != NEAREST:
                steps = self.times(arm)
                adam = optax.adam(optax.cosine_decay_schedule(settings["rate"], steps))
                how: dict[str, Any] = {"steps": steps, "batch": self.batch, "key": at_lesson}
                brain = learn(brain, Backprop(), task, adam, **how).brain
            answer: Answer = lambda x: respond(brain, x[None])[0]  # noqa: E731
            if arm == NEAREST:
                answer = lambda x: self.vote(after, x, settings["neighbours"])  # noqa: E731
            met = jnp.zeros(CLASSES, bool).at[order].set(jnp.arange(LESSONS)[:, None] <= number)
            return (eqx.filter(brain, eqx.is_array), after), sit(answer, met)

        _, seen = jax.lax.scan(lesson, (start, memory.init(first)), jnp.arange(LESSONS))
        cells = (self.wider if arm == WIDE else self.width) * (arm != NEAREST)
        stored = CLASSES * self.places * PIXELS * (arm in (*REHEARSE, NEAREST, RETAUGHT))
        costs = {"parameters": cells * (PIXELS + 1 + CLASSES) + (CLASSES if cells else 0)}
        costs |= {"numbers kept": stored, "updates": LESSONS * self.times(arm) * (cells > 0)}
        return Outcome(
            score=seen["test"][-1],
            tuning=seen["tune"][-1],
            costs={name: jnp.asarray(cost, jnp.float32) for name, cost in costs.items()},
            kept={"classes met": seen["met"]},
        )

    def times(self, arm: str) -> int:
        """Updates in a lesson."""
        return self.updates * (LESSONS if arm == RETAUGHT else 1)

    def task(
        self, arm: str, taught: Bool[Array, " class"], number: Int[Array, ""], kept: Any
    ) -> AbstractTask:
        """What the network learns in a lesson."""
        if arm == JOINT:
            return Digits()
        fresh = SomeClasses(Digits(), taught)
        if arm not in (*REHEARSE, RETAUGHT):
            return fresh
        share = jnp.ones(()) if arm == RETAUGHT else number / (number + 1)
        return Interleaved(fresh, self.memory(arm), kept, share, shuffled=arm == SHAM)

    def vote(
        self, kept: Any, stimulus: Float[Array, " pixel"], neighbours: Float[Array, ""]
    ) -> Float[Array, " class"]:
        """How much the nearest kept examples speak for each class."""
        apart = jnp.sum((kept.examples.stimuli[:, :, 0] - stimulus[None, None]) ** 2, -1)
        there = FastStore(CLASSES, self.places).there(kept)
        apart = jnp.where(there, apart, jnp.inf)
        last = jnp.sort(apart.ravel())[jnp.floor(neighbours).astype(jnp.int32) - 1]
        return jnp.sum(jnp.where(apart <= last, 1 / (apart + 1e-6), 0.0), 1)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        points = {arm: 100 * np.asarray(o.score, np.float64) for arm, o in outcomes.items()}

        def lead(control: str, brain: str = BOTH) -> Superiority:
            return Superiority(points[brain], points[control], self.margin)

        means = {arm: score.mean() for arm, score in points.items()}
        bite = lead(SHAM).effects.mean()
        gates = (
            (f"digits can be learned: {JOINT}, {LEARNED:g} %", means[JOINT] >= LEARNED, JOINT),
            (f"there is forgetting: {SLOW}, below {FORGETS:g} %", means[SLOW] < FORGETS, SLOW),
        )
        worth = f"labels in the store are worth {BITE:g} points"
        return Evidence(
            weakest(lead(NEAREST), lead(WIDE)),
            gates=(
                *(Gate(says, bool(held), f"{means[arm]:.1f} %") for says, held, arm in gates),
                Gate(worth, bool(bite >= BITE), f"{bite:.1f} points"),
            ),
            secondary={
                **{f"beyond {control}": lead(control) for control in points if control != BOTH},
                f"{DREAMS} beyond {NEAREST}": lead(NEAREST, DREAMS),
                f"{RETAUGHT} beyond {NEAREST}": lead(NEAREST, RETAUGHT),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {arm: 100 * np.asarray(o.kept["classes met"]) for arm, o in outcomes.items()}
        met = AT_ONCE * np.arange(1, LESSONS + 1)
        return curves(met, lines, x_title="classes met", y_title="accuracy on them, % of digits")


def sit(answer: Answer, met: Bool[Array, " class"]) -> dict[str, Float[Array, ""]]:
    """Accuracy on all tuning and test digits, and on test digits of classes met so far."""
    splits: tuple[Split, ...] = ("tune", "test")
    found = {}
    for split in splits:
        exam = Digits().exam(split, key=jax.random.key(0))  # nothing is drawn
        labels = jnp.argmax(jnp.asarray(exam.target)[:, 0], -1)
        said = jnp.argmax(jax.vmap(answer)(exam.stimuli[:, 0]), -1)
        right, asked = (x.astype(jnp.float32) for x in (said == labels, met[labels]))
        found |= {split: jnp.mean(right), "met": jnp.sum(right * asked) / jnp.sum(asked)}
    return found
