"""Whether cells that see motion appear in a network only because it has to guess what comes next.

Taught the next frame: Singer et al. (2018), eLife 7:e31557. Cells that see motion: Albright (1984),
J. Neurophysiol. 52:1106. A sentence of several parts: Berger & Hsu (1996), Stat. Sci. 11:283
(intersection-union test).
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..builders import layered, looped
from ..evidence import AgainstNull, Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..measures import (
    direction_index,
    directions,
    grating,
    opponent_energy,
    orientation_index,
    preferred_direction,
    rectified,
    shuffled_direction_index,
)
from ..network import Network
from ..neurons import Rate
from ..rules import Backprop
from ..shares import share
from ..tasks import MovingPatches

BRAIN, STATIC, SHUFFLED, UNTRAINED, TOLD = ARMS = (
    "next frame",
    "current frame",
    "shuffled frames",
    "untrained",
    "told direction",
)
SELECTIVE = 0.5  # DI above which a cell is called direction selective
SILENT = 0.1  # a cell whose best response is below this part of the network's mean best one
DIRECTIONS, PHASES = 12, 12  # of gratings
FREQUENCIES = (0.1, 0.15, 0.2)  # cycles per pixel
TEMPOS = (1 / 8, 1 / 4)  # cycles per frame
SETTLE, WATCH = 16, 16  # frames of a grating: thrown away; responses are means over the rest
RATE = 2.0  # 1 / frame, of the model of motion energy: fastest at about 1 / 6 cycles per frame
LATE = 4  # frames after which motion could have been seen
Units = Float[Array, " unit"]
Trials = Float[Array, "direction phase unit"]


class DirectionSelectivity(AbstractClaim):
    """One layer of recurrent cells looks at patches of photographs that drift.

    All arms start as the same network and see the same frames. Afterwards drifting gratings are
    shown; of a cell's response, its activity beyond that at a blank picture counts.
    """

    statement: ClassVar[str] = (
        "Cells of a small recurrent network that learns to predict the next frame of moving "
        "natural patches become direction selective far more often than by chance, untrained, "
        "with the same frames in shuffled order, or with the current frame to give back."
    )
    source: ClassVar[str] = (
        "Neurons in the visual area MT respond to the direction of motion; nearest: Singer et al. "
        "(2018), eLife 7:e31557; Albright (1984), J. Neurophysiol. 52:1106"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "computation"
    kind: ClassVar[str] = "emergence"
    arms: ClassVar[dict[str, Arm]] = {
        BRAIN: Arm("brain", "taught to predict the next frame"),
        STATIC: Arm("control", "taught to give back the current frame: the same films"),
        SHUFFLED: Arm("sham", "taught the next frame; the frames of a film in random order"),
        UNTRAINED: Arm("control", "as all others begin"),
        TOLD: Arm("probe", "taught to tell the direction, one of eight: the circular way"),
    }
    margin: ClassVar[float] = 20.0
    unit: ClassVar[str] = "points of the share of cells with a direction index above 0.5"
    refuted_if: ClassVar[str] = (
        "prediction yields less than 20 points more direction selective cells than any one of "
        "these: the same responses with preferred and opposite direction shuffled, the untrained "
        "network, shuffled frames, the current frame. The weakest of the four comparisons rules"
    )
    expected: ClassVar[str] = (
        "More than without training. Bad outcome: random recurrent networks are directional "
        "already, or films alone make cells so, and prediction adds less than 20 points."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Taught to tell the direction, cells that do are no wonder: that arm only describes.",
        "Random filters of space and time are directional, too: hence the untrained network.",
        "Activity is taken beyond that at a blank picture, and rectified, before the index.",
        "A cell that hardly responds can have any index: cells whose best response is below a "
        "tenth of the network's mean count as not selective.",
        "The strongest response is called preferred, so chance alone gives indices above 0: the "
        "shuffled null has that, too. Shuffling all directions would make every cell with an "
        "orientation seem directional, so only a direction and its opposite are exchanged.",
        "Two photographs, 8 x 8 pixels, one layer: what more of each would do is not tested.",
    )
    data: ClassVar[tuple[str, ...]] = ("photographs",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, cells=6, updates=4, batch=2, exam=4, shuffles=10),
        "quick": Budget(10),
        "full": Budget(20, updates=10_000),
    }

    cells: int = 64
    updates: int = 3000
    batch: int = 32  # films in an update
    frames: int = 8  # of a film
    exam: int = 500  # films by which a network is judged
    shuffles: int = 1000  # of the labels, for the null of a network

    def space(self, arm: str) -> dict[str, Range]:
        return {} if arm == UNTRAINED else {"rate": Range(5e-4, 5e-2)}

    def task(self, arm: str) -> MovingPatches:
        """What an arm is asked; all see the same frames."""
        asks = {STATIC: "current frame", TOLD: "direction"}.get(arm, "next frame")
        settings = {"frames": self.frames, "exam_size": self.exam}
        return MovingPatches(asks=asks, shuffled=arm == SHUFFLED, **settings)

    def network(self, arm: str, *, key: PRNGKeyArray) -> Network:
        """Pixels, rectifying cells that all talk to each other a frame later, answers."""
        at_forward, at_loop = jax.random.split(key)
        _, pixels, answers = self.task(arm).shape
        cells = lambda size: Rate("relu", jnp.zeros(size))  # noqa: E731
        forward = layered([pixels, self.cells, answers], neuron=cells, key=at_forward)
        return looped(forward, [("hidden1", "hidden1")], key=at_loop)

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        at_brain, at_life, at_exam, at_null = jax.random.split(key, 4)
        task, brain = self.task(arm), self.network(arm, key=at_brain)
        costs, tuning, kept = {}, None, {}
        if arm != UNTRAINED:
            slower = optax.cosine_decay_schedule(settings["rate"], self.updates)
            steps = {"steps": self.updates, "batch": self.batch}
            learned = learn(brain, Backprop(), task, optax.adam(slower), **steps, key=at_life)
            brain, costs = learned.brain, learned.costs
            tune, test = (task.exam(split, key=at_exam) for split in ("tune", "test"))
            both = jax.tree.map(lambda *x: jnp.concatenate(x), tune, test)
            said, _ = jax.vmap(lambda x: play(brain, x))(both.stimuli)
            tuning = jnp.mean(jax.vmap(task.score)(said, both)[: self.exam])
            said, target = said[self.exam :], jnp.asarray(test.target)
            if arm == TOLD:
                kept["right"] = share(said.argmax(-1) == target.argmax(-1), 0)
            else:
                missed, there = (jnp.sum(x**2, (0, 2)) for x in (said - target, target))
                kept["explained"] = 1 - missed / there
        trials, kept["frequency"] = tuned(brain, self.task(arm).size)
        curve = jnp.mean(trials, axis=1)
        best = jnp.max(curve, axis=0)
        loud = best > SILENT * jnp.mean(best)
        selective = lambda index: share((index > SELECTIVE) & loud)  # noqa: E731
        kept |= {"tuning": curve, "loud": loud, "index": direction_index(curve)}
        kept |= {"preferred": preferred_direction(curve), "orientation": orientation_index(curve)}
        straight = task if arm != SHUFFLED else self.task(BRAIN)
        films = straight.exam("test", key=at_exam).stimuli  # the same for all arms
        kept["energy"] = like_energy(brain, films, kept["preferred"], kept["frequency"])
        if arm == BRAIN:
            ways = opposites(trials)
            mixed = shuffled_direction_index(*ways, draws=self.shuffles, key=at_null)
            kept["null"] = jax.vmap(selective)(mixed)
        return Outcome(selective(kept["index"]), tuning, costs=costs, kept=kept)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        kept = {
            arm: {name: np.asarray(x, np.float64) for name, x in outcome.kept.items()}
            for arm, outcome in outcomes.items()
        }
        points = {arm: 100 * np.asarray(x.score, np.float64) for arm, x in outcomes.items()}
        mean = {  # over cells that respond
            what: {arm: np.mean(x[what], 1, where=x["loud"] > 0) for arm, x in kept.items()}
            for what in ("index", "energy", "orientation")
        }

        def beyond(other: str, arm: str = BRAIN) -> Superiority:
            return Superiority(points[arm], points[other], self.margin)

        null = 100 * kept[BRAIN]["null"]
        parts = {
            "beyond labels shuffled": AgainstNull(points[BRAIN], null, self.margin),
            **{f"beyond {other}": beyond(other) for other in (UNTRAINED, SHUFFLED, STATIC)},
        }
        explained = {arm: 100 * kept[arm]["explained"].mean(0) for arm in (BRAIN, STATIC, SHUFFLED)}
        gain = explained[BRAIN][LATE:].mean() - explained[BRAIN][0]
        least = min(explained, key=lambda arm: explained[arm].mean())
        loud = {arm: 100 * x["loud"].mean() for arm, x in kept.items()}
        quiet = min(loud, key=loud.__getitem__)
        uses = (
            "Prediction uses time: 5 points more of the next frame explained than from one frame."
        )
        beside = {}
        for what, says in (("index", "mean DI"), ("energy", "correlation with motion energy")):
            for other in (UNTRAINED, SHUFFLED, STATIC):
                test = Superiority(mean[what][BRAIN], mean[what][other], 0.1)
                beside[f"{says}: beyond {other}"] = test
        return Evidence(
            weakest(*parts.values()),
            gates=(
                Gate(uses, bool(gain >= 5), f"{gain:.1f} points"),
                Gate(
                    "All that were taught frames explain 5 % or more of them.",
                    bool(explained[least].mean() >= 5),
                    f"at worst {explained[least].mean():.1f} %, {least}",
                ),
                Gate(
                    "At least half of the cells respond to gratings.",
                    bool(loud[quiet] >= 50),
                    f"at worst {loud[quiet]:.0f} %, {quiet}",
                ),
            ),
            secondary={**parts, f"{TOLD}: beyond {UNTRAINED}": beyond(UNTRAINED, TOLD), **beside},
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import polar

        rows = {}
        for arm, outcome in outcomes.items():  # cells of the first seed, in order of their index
            loud, index = (np.asarray(outcome.kept[what])[0] for what in ("loud", "index"))
            cells = np.flatnonzero(loud)[np.argsort(index[loud])]
            shown = (
                cells[np.linspace(0, len(cells) - 1, 7).round().astype(int)]
                if len(cells)
                else cells
            )
            share = 100 * np.mean(np.asarray(outcome.score))
            tuning = np.asarray(outcome.kept["tuning"])[0][:, shown].T
            titles = [f"DI {index[cell]:.2f}" for cell in shown]
            rows[f"{arm}: {share:.0f} % above {SELECTIVE:g}"] = dict(
                zip(titles, tuning, strict=True)
            )
        return polar(rows)


def play(
    brain: Network, stimuli: Float[Array, "time in"]
) -> tuple[Float[Array, "time out"], Float[Array, "time unit"]]:
    """Answers, and the activity of the hidden cells."""

    def step(state: Any, now: Float[Array, " in"]) -> tuple[Any, tuple[Array, Array]]:
        state, answer, signals = brain.observe(state, now)
        return state, (answer, signals.activity["hidden1"])

    return jax.lax.scan(step, brain.init(), stimuli)[1]


def tuned(brain: Network, size: int) -> tuple[Trials, Units]:
    """Responses to gratings of the frequency and tempo that a cell likes best; that frequency.

    Best is what has the strongest response in any direction, averaged over phases.
    """
    frames = SETTLE + WATCH
    blank = play(brain, jnp.zeros((frames, size**2)))[1][-1]
    phases = 2 * jnp.pi * jnp.arange(PHASES) / PHASES
    pairs = jnp.array([(f, t) for f in FREQUENCIES for t in TEMPOS])

    def trials(pair: Float[Array, "2"]) -> Trials:
        def one(way: Float[Array, ""], phase: Float[Array, ""]) -> Units:
            about = {"direction": way, "frequency": pair[0], "tempo": pair[1], "phase": phase}
            film = grating(size, frames, **about).reshape(frames, -1)
            return rectified(play(brain, film)[1][SETTLE:], blank)

        return jax.vmap(jax.vmap(one, (None, 0)), (0, None))(directions(DIRECTIONS), phases)

    every = jax.lax.map(trials, pairs)  # (pair, direction, phase, unit)
    best = jnp.argmax(jnp.max(jnp.mean(every, axis=2), axis=1), axis=0)
    liked = jnp.take_along_axis(every, best[None, None, None], axis=0)[0]
    return liked, pairs[best, 0]


def opposites(trials: Trials) -> tuple[Float[Array, "phase unit"], Float[Array, "phase unit"]]:
    """Responses in the preferred direction, and in the opposite one."""
    at = jnp.argmax(jnp.mean(trials, axis=1), axis=0)
    ways = at, (at + DIRECTIONS // 2) % DIRECTIONS
    there, back = (jnp.take_along_axis(trials, way[None, None], axis=0)[0] for way in ways)
    return there, back


def like_energy(
    brain: Network, films: Float[Array, "film frame pixel"], preferred: Units, frequency: Units
) -> Units:
    """Correlation of each cell's activity with opponent motion energy in its own direction."""
    size = round(films.shape[2] ** 0.5)
    activity = jax.vmap(lambda x: play(brain, x)[1])(films)[:, LATE:]
    pictures = films.reshape(*films.shape[:2], size, size)

    def one(way: Float[Array, ""], frequency: Float[Array, ""]) -> Float[Array, "film frame"]:
        about = {"direction": way, "frequency": frequency, "rate": RATE}
        return jax.vmap(lambda film: opponent_energy(film, **about))(pictures)[:, LATE:]

    energy = jnp.moveaxis(jax.vmap(one)(preferred, frequency), 0, -1)
    a, b = (x - jnp.mean(x, (0, 1), keepdims=True) for x in (activity, energy))
    product, *squares = (jnp.sum(x, (0, 1)) for x in (a * b, a * a, b * b))
    power = jnp.sqrt(squares[0] * squares[1])
    return jnp.where(power > 0, product / jnp.where(power > 0, power, 1.0), 0.0)
