"""Whether a recurrent network that looks longer at a picture that does not change gets it.

Recurrence and pictures: Spoerer, McClure & Kriegeskorte (2017), Front. Psychol. 8:1551. Looking
until one is sure: Ratcliff (1978), Psychol. Rev. 85:59.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..builders import layered
from ..contracts import AbstractBlock, Split
from ..evidence import Superiority
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..looking import Repeated, Untied
from ..network import Network, Projection
from ..neurons import Leaky, Rate
from ..response import respond
from ..rules import Backprop
from ..shares import share
from ..tasks import Digits, Noisy
from ..weights import fan_in
from ..wirings import Dense

CONTROLS = ("feed-forward", "deep", "repeated", "accumulator")
LOOPS, LEAKS = ("recurrent", "deep"), ("recurrent", "deep", "accumulator")
STATIC, FRESH = 0, 1
KINDS, ENDS = ((STATIC, "static"), (FRESH, "fresh")), ("first", "last")
PIXELS, CLASSES = 64, 10
Settings = dict[str, Float[Array, ""]]


class StareLonger(AbstractClaim):
    """Two layers of cells between pixels and answer, taught to be right at every look."""

    statement: ClassVar[str] = (
        "A recurrent network of leaky accumulators that stares at one static, hard picture gains "
        "accuracy with looking time, more than feed-forward networks of equal parameters or "
        "operations gain, and to more than they reach."
    )
    source: ClassVar[str] = (
        "Networks could stare while neurons store up potential; nearest: Spoerer et al. (2017), "
        "Front. Psychol. 8:1551, and (2020), PLoS Comput. Biol. 16:e1008215"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "interaction (arm x looks)"
    arms: ClassVar[dict[str, Arm]] = {
        "recurrent": Arm("brain", "leaky cells, lateral weights in both layers, feedback between"),
        "feed-forward": Arm("control", "wider layers, equal parameters; one look: gains 0"),
        "deep": Arm(
            "control",
            "the recurrent one unrolled, a level with weights of its own for every look: equal "
            "operations, 12 times the parameters; its gain is that from first level to last",
        ),
        "repeated": Arm(
            "control",
            "feed-forward, asked at every look, answers averaged: equal parameters and operations",
        ),
        "accumulator": Arm("sham", "feed-forward, of leaky cells: averaging without recurrence"),
    }
    margin: ClassVar[float] = 2.0
    unit: ClassVar[str] = "points of accuracy, static noise, mean over three levels of difficulty"
    refuted_if: ClassVar[str] = (
        "the lead over the hardest control, in gain from look 1 to look 12 or in accuracy at look "
        "12, is below 2 points. Of these eight comparisons that with the smallest lead on tuning "
        "pictures rules, by its lead on test pictures: so a bad first look cannot pass for a gain, "
        "and the choice favours nobody"
    )
    expected: ClassVar[str] = (
        "A small gain over the first looks. Bad outcome: the deep network gains as much, so that "
        "time is nothing but depth, or a wider network reaches as much at once. With fresh noise "
        "the gain is large and equals that of averaging."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "With fresh noise every accumulator gets it: that is averaging, not understanding.",
        "A network taught at its last look alone has no answer before; so all are taught at each.",
        "A poor first look makes a large gain: hence the comparison of where the looks end.",
        "Hard pictures may never seem sure: that alone makes looks needed rise with difficulty, "
        "hence the comparison with the repeated network, which is sure at once or never.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, width=4, looks=3, updates=4, batch=4),
        "quick": Budget(10),
        "full": Budget(20, updates=4000),
    }
    tour: ClassVar[bool] = True

    width: int = 32  # cells in each layer of the recurrent network; the others match it
    looks: int = 12  # time steps for which a picture is shown, and levels of the deep network
    updates: int = 800  # of a network, in fours
    batch: int = 32  # pictures in an update
    noises: tuple[float, float, float] = (0.05, 0.1, 0.2)  # sd, on pixels from 0 to 1
    occlusion: float = 0.5  # share of a picture that is hidden
    blur: float = 0.5  # standard deviation of the blur, in pixels
    confidence: float = 0.8  # probability of the answer at which a network has seen enough

    def space(self, arm: str) -> dict[str, Range]:
        leak = {"tau": Range(0.3, 10.0)} if arm in LEAKS else {}
        loop = {"loop": Range(0.03, 2.0)} if arm in LOOPS else {}
        return {"rate": Range(1e-3, 5e-2), "gain": Range(0.5, 4.0)} | leak | loop

    @property
    def wider(self) -> int:
        """Cells in a layer of a network without loops that has at least as many parameters."""
        rest = PIXELS + CLASSES + 2  # weights and biases per cell, but for those in between
        total = 4 * self.width**2 + (rest + 2) * self.width  # 2: time constants
        return int(np.ceil((rest**2 / 4 + total) ** 0.5 - rest / 2))

    def network(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> Network:
        """Two hidden layers. Time constants, in looks, are learned from `tau` on."""
        width = self.width if arm in LOOPS else self.wider
        at_forward, *at_loops = jax.random.split(key, 4)

        def cells(size: int) -> Rate | Leaky:
            if arm in LEAKS:
                return Leaky("relu", jnp.full(size, settings["tau"]), jnp.zeros(size))
            return Rate("relu", jnp.zeros(size))

        sizes = [PIXELS, width, width, CLASSES]
        forward = layered(sizes, neuron=cells, gain=settings["gain"], key=at_forward)
        if arm not in LOOPS:
            return forward
        loops, wiring = [], Dense(width, width)
        for source, target, k in zip("122", "121", at_loops, strict=True):
            weight = fan_in(wiring, key=k, gain=settings["loop"])
            loops.append(Projection(f"hidden{source}", f"hidden{target}", wiring, weight))
        ends, both = (forward.senses, forward.voices), [*forward.projections, *loops]
        return Network(forward.populations, both, senses=ends[0], voices=ends[1])

    def brain(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> AbstractBlock:
        """What an arm learns with."""
        make = lambda key: self.network(arm, settings, key=key)  # noqa: E731
        if arm == "deep":  # its first level starts as the recurrent network does
            keys = jnp.concatenate([key[None], jax.random.split(key, self.looks - 1)])
            return Untied(eqx.filter_vmap(make)(keys))
        return Repeated(make(key)) if arm == "repeated" else make(key)

    def run(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> Outcome:
        """Two networks that start alike, as one program: one lives with each kind of noise."""
        live = jax.vmap(lambda fresh: self.life(arm, settings, fresh, key=key))
        kept, curves, costs = live(jnp.array([False, True]))  # STATIC, FRESH
        names = {f"{kind} noise, {look} look": (look, i) for i, kind in KINDS for look in ENDS}
        return Outcome(
            score=jnp.mean(kept["accuracy"][STATIC, :, -1]),
            tuning=curves["last"][STATIC, -1],
            curves={name: curves[look][kind] for name, (look, kind) in names.items()},
            costs={name: cost[STATIC] for name, cost in costs.items()},
            kept=kept,
        )

    def life(
        self, arm: str, settings: Settings, fresh: Bool[Array, ""], *, key: PRNGKeyArray
    ) -> tuple[dict[str, Array], ...]:
        """What is kept of one network and one kind of noise, its curves and its costs."""
        at_brain, at_life, at_exam = jax.random.split(key, 3)
        looks = 1 if arm == "feed-forward" else self.looks
        digits = Digits(occlusion=self.occlusion, blur=self.blur, look=looks)
        task = Noisy(digits, self.noises, fresh)

        def sit(brain: AbstractBlock, split: Split) -> tuple[Array, Array]:
            """Whether answers are right, and how probable they seem: (noise, picture, look)."""
            exam = task.exam(split, key=at_exam)
            answers = jax.vmap(lambda x: respond(brain, x))(exam.stimuli)
            answers = jnp.broadcast_to(answers, (len(answers), self.looks, CLASSES))
            right = answers.argmax(-1) == jnp.asarray(exam.target)[:, :1].argmax(-1)
            seem = jax.nn.softmax(answers).max(-1)
            by_noise = len(self.noises), -1, self.looks
            return right.reshape(by_noise), seem.reshape(by_noise)

        def probe(brain: AbstractBlock) -> dict[str, Float[Array, ""]]:
            right, _ = sit(brain, "tune")
            return {look: share(right[..., i]) for look, i in zip(ENDS, (0, -1), strict=True)}

        learned = learn(
            self.brain(arm, settings, key=at_brain),
            Backprop(),
            task,
            optax.adam(optax.cosine_decay_schedule(settings["rate"], self.updates)),
            steps=self.updates,
            batch=self.batch,
            probe=probe,
            probes=4,
            key=at_life,
        )
        right, seem = sit(learned.brain, "test")
        sure = jnp.pad(seem >= self.confidence, ((0, 0), (0, 0), (0, 1)), constant_values=True)
        kept = {"accuracy": share(right, 1), "looks needed": 1 + jnp.argmax(sure, -1)}
        kept["tuning"] = jnp.stack([learned.curves[look][-1] for look in ENDS])
        return kept, learned.curves, learned.costs

    def evidence(self, outcomes: Outcomes) -> Evidence:
        tuning = {a: 100 * np.asarray(o.kept["tuning"][:, STATIC]) for a, o in outcomes.items()}
        static = {arm: by_look(outcome, STATIC) for arm, outcome in outcomes.items()}
        fresh = {arm: by_look(outcome, FRESH) for arm, outcome in outcomes.items()}

        def lead(what: str, control: str, points: dict[str, np.ndarray]) -> Superiority:
            gain = lambda p: p[:, -1] - p[:, 0] if what == "gain" else p[:, -1]  # noqa: E731
            return Superiority(gain(points["recurrent"]), gain(points[control]), self.margin)

        pairs = [(what, control) for control in CONTROLS for what in ("gain", "end")]
        hardest = min(pairs, key=lambda pair: lead(*pair, tuning).effects.mean())
        names = {pair: f"{pair[0]} beyond {pair[1]}" for pair in pairs}
        names[hardest] += " (rules: hardest on tuning pictures)"
        slower, sure = (longer(outcomes[arm], STATIC) for arm in ("recurrent", "repeated"))
        once = np.mean(static["feed-forward"])
        waited = lead("gain", "feed-forward", fresh).effects.mean()  # which gains nothing
        hard = "pictures are hard but not hopeless: feed-forward gets 30 to 90 % of them"
        able = f"the recurrent network can use time: {self.margin:g} points with fresh noise"
        return Evidence(
            lead(*hardest, static),
            gates=(
                Gate(hard, bool(30 <= once <= 90), f"{once:.1f} %"),
                Gate(able, bool(waited >= self.margin), f"{waited:.1f} points"),
            ),
            secondary={
                **{name: lead(*pair, static) for pair, name in names.items()},
                "gain beyond averaging (repeated), fresh noise": lead("gain", "repeated", fresh),
                "tau-b of looks needed with noise, beyond repeated": Superiority(slower, sure, 0.1),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {arm: by_look(outcome, STATIC) for arm, outcome in outcomes.items()}
        for arm in ("recurrent", "repeated"):
            lines[f"{arm}, fresh noise"] = by_look(outcomes[arm], FRESH)
        looks = np.arange(1, self.looks + 1)
        return curves(looks, lines, x_title="looks", y_title="accuracy, % of test pictures")


def by_look(outcome: Outcome, kind: int) -> Float[np.ndarray, "seed look"]:
    """Per cent of test pictures with one kind of noise, mean over its strengths."""
    return 100 * np.mean(np.asarray(outcome.kept["accuracy"], np.float64)[:, kind], axis=1)


def longer(outcome: Outcome, kind: int) -> Float[np.ndarray, " seed"]:
    """Kendall's tau-b between the strength of the noise and the looks that a picture needed."""
    from scipy.stats import kendalltau

    looks = np.asarray(outcome.kept["looks needed"])[:, kind]
    strength = np.repeat(np.arange(looks.shape[1]), looks.shape[2])
    taus = [kendalltau(strength, one.ravel()).statistic for one in looks]
    return np.nan_to_num(np.array(taus, np.float64))  # all alike: no correlation
