"""Whether working on what is kept costs cells with gates less than cells without.

Baddeley (2003), Nat. Rev. Neurosci. 4:829 (maintaining and manipulating); O'Reilly & Frank (2006),
Neural Comput. 18:283 (gates and the 12-AX task).
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Integer, PRNGKeyArray

from ..contracts import AbstractBlock, AbstractTask
from ..evidence import Superiority, logit, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..matched import cells_for
from ..memories import GRU, LSTM, Elman, LeakyStore, SelfAttention
from ..response import respond
from ..rules import Backprop
from ..tasks import Lists, OneOf, Recall, Spaced, TwelveAX

GATED, UNGATED, ATTENTION = ("LSTM", "GRU"), ("Elman", "leaky"), "attention"
TASKS = ("repeat", "reverse", "update", "2-back", "12-AX")
REPEAT, WORKED_ON, OTHERS = 0, (1, 2), (3, 4)  # places in TASKS
Settings = dict[str, Float[Array, ""]]


class WmMaintainManipulate(AbstractClaim):
    """A network of its own learns every task; the tasks of a seed are one program."""

    statement: ClassVar[str] = (
        "Having to reverse a remembered list, or to replace one item of it, instead of repeating "
        "it costs cells with gates less than cells without gates, with equal parameters, examples "
        "and updates."
    )
    source: ClassVar[str] = (
        "Working memory maintains and manipulates information within an active store; nearest: "
        "O'Reilly & Frank (2006), Neural Comput. 18:283"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "interaction (arm x task)"
    arms: ClassVar[dict[str, Arm]] = {
        "LSTM": Arm("brain", "three gates; forget gates start with a bias of 1"),
        "GRU": Arm("brain", "two gates; update gates start with a bias of 1"),
        "Elman": Arm("control", "tanh cells, recurrent weights start as a rotation"),
        "leaky": Arm("sham", "loops, and a time constant for every cell, which nothing gates"),
        ATTENTION: Arm("control", "no state: attends to all steps, with a code of their time"),
    }
    margin: ClassVar[float] = 0.5
    unit: ClassVar[str] = "log odds of a right answer that manipulating costs less"
    refuted_if: ClassVar[str] = (
        "what manipulating costs in log odds is not at least 0.5 less with gates (LSTM and GRU) "
        "than without, in Elman's network or in the leaky one"
    )
    expected: ClassVar[str] = (
        "Reversing is no harder than repeating for any of them: the last items are the freshest; "
        "replacing an item is, and gates help there. Bad outcome: turning a list round in its "
        "weights is what an Elman network can do best, or attention does all of it with less data."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Where repeating is perfect or at chance there is no room for a cost: hence the gate.",
        "2-back and 12-AX have other sequences and 12-AX another chance level, so that their log "
        "odds do not compare with those of repeating: they stand beside.",
        "Delays vary and are not announced: with one fixed delay a network without gates can be a "
        "delay line (seen on tuning seeds before the design was fixed).",
        "Weights are learned, then fixed; each list begins from rest: lists are kept in activity.",
        "Equal parameters mean half as many cells with gates as without; attention's heads want "
        "multiples of 4 cells.",
        "Few updates: what an arm could learn in many more is not tested.",
    )
    data: ClassVar[tuple[str, ...]] = ()
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, items=2, delays=(1, 2), parameters=60, updates=2, batch=2, exam=10),
        "quick": Budget(8),
        "full": Budget(20, items=8, delays=(10, 20, 40), parameters=10_000, updates=10_000),
    }

    items: int = 5  # of a list
    delays: tuple[int, ...] = (5, 10, 15)  # steps
    parameters: int = 1300
    updates: int = 1200
    batch: int = 16  # examples in an update
    exam: int = 300  # examples by which a network is judged

    def space(self, arm: str) -> dict[str, Range]:
        return {"rate": Range(1e-3, 0.1)}

    def task(self, which: Integer[Array, ""] | int) -> OneOf:
        """The task at a place of TASKS."""
        lists = [
            Lists(order, self.items, self.delays, exam_size=self.exam)
            for order in ("forward", "backward", "updated")
        ]
        others: list[AbstractTask] = [
            Spaced(Recall(length=6, exam_size=self.exam), pause=3),
            TwelveAX(24, self.exam),
        ]
        return OneOf((*lists, *others), which)

    def brain(self, arm: str, *, key: PRNGKeyArray) -> AbstractBlock:
        """What an arm starts with: the fewest cells that have so many parameters."""
        time, enter, leave = self.task(0).shape

        def make(cells: int) -> AbstractBlock:
            if arm == ATTENTION:
                return SelfAttention(enter, cells, leave, capacity=time, key=key)
            if arm == "leaky":
                return LeakyStore(enter, cells, leave, loops=True, key=key)
            if arm == "Elman":
                return Elman(enter, cells, leave, start="orthogonal", key=key)
            return (LSTM if arm == "LSTM" else GRU)(enter, cells, leave, keep=1.0, key=key)

        return make(cells_for(make, self.parameters, multiple=4 if arm == ATTENTION else 1))

    def run(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> Outcome:
        """One network for every task, all with the same first weights."""
        lives = jax.vmap(lambda which: self.life(arm, settings["rate"], which, key=key))
        right, costs = lives(jnp.arange(len(TASKS)))
        lists = right[jnp.array([REPEAT, *WORKED_ON])]
        return Outcome(
            jnp.mean(lists[:, 1]),
            tuning=jnp.mean(lists[:, 0]),
            costs={name: each[0] for name, each in costs.items()},
            kept={"accuracy": right[:, 1]},
        )

    def life(
        self, arm: str, rate: Float[Array, ""], which: Integer[Array, ""], *, key: PRNGKeyArray
    ) -> tuple[Float[Array, " split"], dict[str, Float[Array, ""]]]:
        """Shares of right answers to tuning and to test examples of one task, and costs."""
        at_brain, at_life, at_exam = jax.random.split(key, 3)
        task, slower = self.task(which), optax.cosine_decay_schedule(rate, self.updates)
        learned = learn(
            self.brain(arm, key=at_brain),
            Backprop(),
            task,
            optax.chain(optax.clip_by_global_norm(1.0), optax.adam(slower)),
            steps=self.updates,
            batch=self.batch,
            key=at_life,
        )
        exams = [task.exam(split, key=at_exam) for split in ("tune", "test")]
        both = jax.tree.map(lambda *x: jnp.concatenate(x), *exams)
        answers = jax.vmap(lambda x: respond(learned.brain, x))(both.stimuli)
        right = jax.vmap(task.score)(answers, both).reshape(2, -1)
        return jnp.mean(right, axis=1), learned.costs

    def evidence(self, outcomes: Outcomes) -> Evidence:
        right = {arm: np.asarray(each.kept["accuracy"]) for arm, each in outcomes.items()}
        odds = {arm: logit(np.clip(x, 0, 1), examples=self.exam) for arm, x in right.items()}

        def gain(arms: tuple[str, ...], tasks: tuple[int, ...]) -> np.ndarray:
            """Log odds at some tasks, less those at repeating, by seed: minus the cost."""
            costs = [odds[arm][:, tasks].mean(1) - odds[arm][:, REPEAT] for arm in arms]
            return np.mean(costs, axis=0)

        def less(other: str, tasks: tuple[int, ...] = WORKED_ON) -> Superiority:
            return Superiority(gain(GATED, tasks), gain((other,), tasks), self.margin)

        def better(which: int, arm: str, other: str) -> Superiority:
            return Superiority(odds[arm][:, which], odds[other][:, which], self.margin)

        halves = {f"cost, gates beyond {arm}": less(arm) for arm in UNGATED}
        repeat = {arm: 100 * right[arm][:, REPEAT].mean() for arm in (*GATED, *UNGATED)}
        room = all(50 <= share <= 99.5 for share in repeat.values())
        apart = max(repeat.values()) - min(repeat.values())
        found = ", ".join(f"{arm} {share:.1f} %" for arm, share in repeat.items())
        each = {
            f"cost of {TASKS[i]}, gates beyond {arm}": less(arm, (i,))
            for arm in UNGATED
            for i in WORKED_ON
        }
        beside = {
            f"{TASKS[i]}, {arm} beyond {other}": better(i, arm, other)
            for i in OTHERS
            for arm, other in (("LSTM", "Elman"), ("GRU", "leaky"))
        }
        attends = {
            f"{TASKS[i]}, attention beyond LSTM": better(i, ATTENTION, "LSTM") for i in (0, 1, 2)
        }
        return Evidence(
            weakest(*sorted(halves.values(), key=lambda half: half.effects.mean())),
            gates=(
                Gate(
                    "Repeating leaves room: every network with or without gates gets 50 to 99.5 %.",
                    bool(room),
                    found,
                ),
                Gate(
                    "Repeating is about equally hard: at most 25 points apart.",
                    bool(apart <= 25),
                    f"{apart:.1f} points",
                ),
            ),
            secondary=halves | each | beside | attends,
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        places = np.arange(len(TASKS), dtype=np.float64)
        lines = {arm: 100 * np.asarray(each.kept["accuracy"]) for arm, each in outcomes.items()}
        picture = curves(
            places, lines, x_title="task", y_title="right answers, % (chance: 25, of 12-AX 50)"
        )
        return picture.update_xaxes(tickvals=places, ticktext=TASKS)
