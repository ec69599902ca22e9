"""Whether a recurrent network that knows whole digits reads digits of which little is seen.

Tang et al. (2018), PNAS 115:8835. Unlike there, Spoerer, McClure & Kriegeskorte (2017), Front.
Psychol. 8:1551, trained on occluded digits.
"""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractBlock, AbstractTask, Split
from ..evidence import Slope, Superiority, logit
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import learn
from ..looking import Untied
from ..network import Network
from ..response import respond
from ..rules import Backprop
from ..shares import share
from ..tasks import Bubbles, Digits
from .attractor_completion import balanced, labels_of
from .readers import LOOPS, Answers, Settings, falling, network, top

ONCE = ("feed-forward", "attractor", "augmented", "one look")  # see a picture for one time step
CONTROLS = ("feed-forward", "deep", "one look")  # never saw a hidden pixel, nor have attractors
VISIBLE = (0.1, 0.15, 0.25, 0.5, 1.0)  # shares of the ink
QUARTER, WHOLE = 2, 4  # in that list
KINDS: tuple[Literal["paper", "debris"], ...] = ("paper", "debris")
TESTED = 597  # digits


class OcclusionRecurrence(AbstractClaim):
    """Two layers of cells between pixels and answer, taught on whole digits, at every look."""

    statement: ClassVar[str] = (
        "If none was trained on occluded images, a recurrent network reads digits of which 25 % "
        "are visible better than feed-forward networks of equal parameters or operations, and "
        "loses less accuracy from whole to such digits."
    )
    source: ClassVar[str] = "Tang et al. (2018), PNAS 115:8835"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "interaction (arm x visibility)"
    arms: ClassVar[dict[str, Arm]] = {
        "recurrent": Arm(
            "brain",
            "leaky cells, lateral weights in both layers, feedback between, 8 looks: 6,602 "
            "parameters, 109 thousand operations a picture",
        ),
        "lateral": Arm(
            "brain", "the same without feedback, wider: 6,706 parameters, 111 thousand operations"
        ),
        "attractor": Arm(
            "brain",
            "feed-forward; activity of its upper layer falls towards that of 96 stored whole "
            "digits: 6,538 parameters, stored numbers among them, 112 thousand operations",
        ),
        "feed-forward": Arm("control", "one look, wider: 6,666 parameters, 13 thousand operations"),
        "deep": Arm(
            "control",
            "the recurrent one unrolled, every level with weights of its own: 109 thousand "
            "operations, 52,816 parameters",
        ),
        "augmented": Arm("control", "feed-forward, but trained on digits as occluded as in tests"),
        "one look": Arm(
            "sham", "recurrent, but taught and asked at one look: its loops never carry anything"
        ),
    }
    margin: ClassVar[float] = 3.0
    unit: ClassVar[str] = "points of accuracy, 25 % of the ink visible"
    refuted_if: ClassVar[str] = (
        "the lead of the recurrent network over the hardest control that never saw occlusion "
        "(feed-forward, deep, one look), in accuracy at 25 % visible or in accuracy kept from "
        "whole digits to there, is below 3 points. Of these six comparisons that with the smallest "
        "lead on tuning pictures rules, by its lead on test pictures"
    )
    expected: ClassVar[str] = (
        "Unsure: nothing in whole digits teaches loops to fill in what is hidden. Bad outcome: "
        "recurrence gains nothing, or as deep a network gains as much. Training on occluded digits "
        "is expected to do best: then recurrence, at its best, is one way."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Tang et al. did not train on occluded objects, Spoerer et al. did: other claims.",
        "Weights never see occlusion, but the settings of every arm (up to four numbers) were "
        "chosen by accuracy on tuning digits of which 25 % are visible: each arm at its best.",
        "A deleted part and a part behind an occluder differ, people use the occluder: digits "
        "behind debris stand beside.",
        "Tang's networks had features of a million photographs; these know 1,000 digits.",
        "The slope of logit accuracy stands beside: the margin is in points at one visibility, "
        "and a slope is as flat for who knows nothing.",
        "A first run, on other seeds, was seen and thrown away: it averaged accuracies wrongly. "
        "It was refuted as well. Nothing but the averages was changed, and all was tuned anew.",
        "In training the recurrent networks cost eight times what a feed-forward one costs.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, width=4, looks=3, updates=4, batch=4),
        "quick": Budget(10),
        "full": Budget(20, updates=4000),
    }

    width: int = 32  # cells in each layer of the recurrent network; the others match it
    looks: int = 8  # time steps for which a picture is shown, and levels of the deep network
    updates: int = 1000  # of a network, in fours
    batch: int = 32  # pictures in an update
    windows: int = 5  # through which a digit is seen

    def space(self, arm: str) -> dict[str, Range]:
        loops = {"tau": Range(0.3, 10.0), "loop": Range(0.01, 2.0)} if arm in LOOPS else {}
        beta = {"beta": Range(1.0, 300.0)} if arm == "attractor" else {}
        return {"rate": Range(1e-3, 5e-2), "gain": Range(0.5, 4.0)} | loops | beta

    def brain(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> AbstractBlock:
        """What an arm learns with."""
        make = lambda key: network(arm, self.width, settings, key=key)  # noqa: E731
        if arm == "deep":  # its first level starts as the recurrent network does
            keys = jnp.concatenate([key[None], jax.random.split(key, self.looks - 1)])
            return Untied(eqx.filter_vmap(make)(keys))
        return make(key)

    def lessons(self, arm: str) -> Digits | Bubbles:
        """What an arm is trained on: whole digits, but for one."""
        digits = Digits(look=1 if arm in ONCE else self.looks)
        return Bubbles(digits, VISIBLE, self.windows) if arm == "augmented" else digits

    def answers(
        self, arm: str, brain: AbstractBlock, settings: Settings, *, key: PRNGKeyArray
    ) -> Answers:
        """What an arm that has learned says at every look; attractors store whole digits first."""
        if arm != "attractor":
            return lambda stimuli: respond(brain, stimuli)
        assert isinstance(brain, Network)
        whole = Digits().exam("train", key=key)
        chosen = balanced(labels_of(whole), 3 * self.width, key=key)
        stored = jax.vmap(lambda x: top(brain, x))(whole.stimuli[chosen, 0])
        return falling(brain, stored, settings["beta"], self.looks)

    def run(self, arm: str, settings: Settings, *, key: PRNGKeyArray) -> Outcome:
        # Fresh seeds, see the pitfalls.
        at_brain, at_life, at_exam, at_store = jax.random.split(jax.random.fold_in(key, 1), 4)
        digits = Digits(look=1 if arm in ONCE else self.looks)
        hidden = {kind: Bubbles(digits, VISIBLE, self.windows, kind) for kind in KINDS}

        def sit(brain: AbstractBlock, split: Split, *tasks: AbstractTask) -> Array:
            """Accuracy: (task, visibility, look)."""
            answers = self.answers(arm, brain, settings, key=at_store)
            exams = [task.exam(split, key=at_exam) for task in tasks]
            said = jax.vmap(answers)(jnp.concatenate([exam.stimuli for exam in exams]))
            labels = jnp.concatenate([labels_of(exam).argmax(-1) for exam in exams])
            right = said.argmax(-1) == labels[:, None]
            return share(right.reshape(len(tasks), len(VISIBLE), -1, right.shape[-1]), 2)

        def probe(brain: AbstractBlock) -> dict[str, Float[Array, ""]]:
            ends = sit(brain, "tune", hidden["paper"])[0, :, -1]
            return {"25 % visible": ends[QUARTER], "whole": ends[WHOLE]}

        learned = learn(
            self.brain(arm, settings, key=at_brain),
            Backprop(),
            self.lessons(arm),
            optax.adam(optax.cosine_decay_schedule(settings["rate"], self.updates)),
            steps=self.updates,
            batch=self.batch,
            probe=probe,
            probes=4,
            key=at_life,
        )
        found = sit(learned.brain, "test", *hidden.values())
        kept = {"accuracy": found[..., -1], "looks": found[0, QUARTER]}
        kept["tuning"] = jnp.stack([learned.curves[name][-1] for name in ("25 % visible", "whole")])
        stored = 3.0 * self.width**2 if arm == "attractor" else 0.0
        costs = learned.costs | {"parameters": learned.costs["parameters"] + stored}
        score, tuning = kept["accuracy"][0, QUARTER], kept["tuning"][0]
        return Outcome(score, tuning, learned.curves, costs, kept)

    def evidence(self, outcomes: Outcomes) -> Evidence:
        tuning = {a: 100 * np.asarray(o.kept["tuning"], np.float64) for a, o in outcomes.items()}
        lines = {a: points(o, 0) for a, o in outcomes.items()}
        paper, debris = (
            {a: points(o, kind)[:, (QUARTER, WHOLE)] for a, o in outcomes.items()}
            for kind in (0, 1)
        )

        def lead(what: str, control: str, found: dict[str, np.ndarray], arm: str) -> Superiority:
            value = lambda p: p[:, 0] - (p[:, 1] if what == "kept" else 0)  # noqa: E731
            return Superiority(value(found[arm]), value(found[control]), self.margin)

        pairs = [(what, control) for control in CONTROLS for what in ("accuracy", "kept")]
        size = lambda pair: lead(*pair, tuning, "recurrent").effects.mean()  # noqa: E731
        hardest, rival = min(pairs, key=size), min(pairs[::2], key=size)[1]
        names = {pair: f"{pair[0]} beyond {pair[1]}" for pair in pairs}
        names[hardest] += " (rules: hardest on tuning pictures)"
        looks = 100 * np.asarray(outcomes["recurrent"].kept["looks"], np.float64)
        odds = {a: logit(lines[a] / 100, examples=TESTED) for a in ("recurrent", rival)}
        plain, shown = paper["feed-forward"], paper["augmented"]
        rescue = float((shown - plain)[:, 0].mean())
        hard = "25 % visible is hard, not hopeless: feed-forward gets 20 to 85 % of it"
        beside = {
            f"{arm} beyond {rival}": lead("accuracy", rival, paper, arm)
            for arm in ("lateral", "attractor")
        }
        return Evidence(
            lead(*hardest, paper, "recurrent"),
            gates=(
                _gate("feed-forward reads whole digits", plain[:, 1].mean(), 90, 100),
                _gate(hard, plain[:, 0].mean(), 20, 85),
                _gate("a rescue would be seen: training on occlusion gives one", rescue, 3, 100),
            ),
            secondary={
                **{name: lead(*pair, paper, "recurrent") for pair, name in names.items()},
                **beside,
                "recurrent beyond augmented": lead("accuracy", "augmented", paper, "recurrent"),
                f"behind debris, beyond {rival}": lead("accuracy", rival, debris, "recurrent"),
                "last look beyond first": Superiority(looks[:, -1], looks[:, 0], self.margin),
                # 0.16: 3 points at even odds are 0.12 logits, over three quarters hidden
                f"slope of logit accuracy on what is hidden, beyond {rival}": Slope(
                    1 - np.array(VISIBLE), odds["recurrent"], 0.16, odds[rival]
                ),
            },
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {arm: points(outcome, 0) for arm, outcome in outcomes.items()}
        x = 100 * np.array(VISIBLE)
        return curves(x, lines, x_title="ink visible (%)", y_title="accuracy, % of test digits")


def points(outcome: Outcome, kind: int) -> Float[np.ndarray, "seed visibility"]:
    """Per cent of test digits."""
    return 100 * np.asarray(outcome.kept["accuracy"], np.float64)[:, kind]


def _gate(says: str, found: float, low: int, high: int) -> Gate:
    return Gate(says, bool(low <= found <= high), f"{found:.1f}")
