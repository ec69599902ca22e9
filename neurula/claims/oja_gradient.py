"""Plain Hebbian learning climbs a gradient, that of its own output's power, and no other.

Oja (1982), J. Math. Biol. 15:267.
"""

import functools
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..builders import layered
from ..contracts import AbstractRule, AbstractTask, AbstractWiring, Error, Sample, Split, Weight
from ..evidence import Identity, Parity
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Outcome, Outcomes, Range
from ..live import Learned, learn
from ..network import Network
from ..rules import AbstractLocalRule, Backprop, End, Hebb, Oja, Synapse, direction
from ..rules.local import experience, open_diary
from ..tasks import Digits, Patches

SIDE = 8  # pixels
SEEN = 1000  # pictures of each kind
MOST = 60  # updates by plain Hebb, lest it overflow
PRECISION = 1e-6  # of the identity, relative: about what 32-bit numbers can show
GROWTH = 1000.0  # times their first length: weights so long are called divergent
ANGLE = 1.0  # degrees from the first principal component
COSINE = 0.1  # mean cosine from which on a rule would be called aligned with a gradient
length = functools.partial(jnp.linalg.norm, axis=-1)
Pictures = Float[Array, "batch picture pixel"]  # in batches of ten
Answers = Float[Array, "batch picture 1"]
Pixels = Float[Array, " pixel"]


class OjaGradient(AbstractClaim):
    """One linear cell looks at centred pictures. Scores are worst properties, in tolerances."""

    statement: ClassVar[str] = (
        "Plain Hebb can be viewed as climbing a gradient, exactly that of the power of the cell's "
        "output, and never stops; Oja's rule settles on the first principal component; but neither "
        "does what descent on a supervised loss would do."
    )
    source: ClassVar[str] = "Oja (1982), J. Math. Biol. 15:267"
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "mechanism"
    arms: ClassVar[dict[str, Arm]] = {
        "hebb": Arm("brain", "dw = y x, for 60 updates at most, lest it overflow"),
        "oja": Arm("brain", "dw = y (x - y w)"),
        "mispaired hebb": Arm("sham", "Hebb, with x from the picture before the one that gave y"),
        "mispaired oja": Arm("sham", "Oja, with x from the picture before the one that gave y"),
        "taught hebb": Arm("control", "Hebb while a teacher makes the cell say the right answer"),
    }
    margin: ClassVar[float] = 1.0
    unit: ClassVar[str] = "tolerances, of the property that strays most"
    refuted_if: ClassVar[str] = (
        "for any seed or kind of picture Hebb's change is more than 1e-6 off the gradient, or its "
        "weights grow less than a thousandfold, or Oja's end more than 1 degree off the component, "
        "or either change has a mean cosine above 0.1 with descent on the loss of 50 tasks"
    )
    expected: ClassVar[str] = (
        "Supported, the first parts are theorems. Bad outcome: cosines are not zero but negative, "
        "since descent on a supervised loss has an anti-Hebbian part."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "'Can be viewed as' is not 'is used for': being the gradient of something is not being "
        "used for gradient descent.",
        "The identity holds for linear cells, with weights held still while it is measured.",
        "Each task is asked both ways round: a rule that is not told the answers can only agree "
        "with what all tasks share. The taught arm shows that the measure would notice more.",
        "A negative cosine is no alignment; whether it is zero stands beside.",
        "When Oja's rule has settled, what is left of its change is rounding, whose direction a "
        "full run called aligned in 4 of 20 seeds (refuted). Changes below 1e-6 of the weights "
        "have no direction since then, and seeds are fresh.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits", "photographs")
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, updates=50, tasks=4),
        "quick": Budget(10),
        "full": Budget(20, updates=1_000),
    }
    tour: ClassVar[bool] = True

    updates: int = 300  # of the weights, one each time all pictures were seen
    rate: float = 0.5  # of learning; 1 over the variance of the first component would be 1
    tasks: int = 50  # in pairs: five digits are right and the others wrong, or the reverse

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # nothing is tuned: the rate decides how long it takes, not where it ends

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        fresh = jax.random.fold_in(key, 2)  # seeds that nobody has seen
        at_weight, at_life, at_tasks = jax.random.split(fresh, 3)
        kinds, components, labels = pictures()
        first = layered([SIDE**2, 1], key=at_weight)
        steps = self.updates if "oja" in arm else min(self.updates, MOST)

        def live(seen: Pictures) -> tuple[Learned, Pixels, Pixels]:
            album, optimiser = Album(seen), optax.sgd(self.rate)
            about = (first, Sample(seen), album.error)
            life = learn(first, rule(arm), album, optimiser, steps=steps, batch=1, key=at_life)
            return life, change(rule(arm), *about), change(Backprop(), *about)

        lives, told, gradient = jax.vmap(live)(kinds)
        lived = lives.brain.projections[0].weight[:, 0]
        kept = {
            "gradient error": length(told - gradient) / length(gradient),
            "growth": length(lived) / length(first.projections[0].weight),
            "angle": jnp.rad2deg(jnp.arccos(jnp.minimum(jnp.abs(cosine(lived, components)), 1.0))),
            "weight": lived / length(lived)[:, None],
        }
        last, costs = jax.tree.map(lambda kind: kind[0], (lives.brain, lives.costs))
        halves = jnp.tile(jnp.array([-1.0, 1.0]), (self.tasks // 2, 5))  # of the ten digits
        halves = jax.random.permutation(at_tasks, halves, axis=1, independent=True)
        answers = jnp.moveaxis(labels @ jnp.concatenate([halves, -halves]).T, -1, 0)[..., None]
        places = [first] if arm == "taught hebb" else [first, last]
        kept["cosine"] = jnp.stack([alignment(arm, b, kinds[0], answers) for b in places])
        return Outcome(-self.strays(arm, kept), kept=kept, costs=costs)

    def strays(self, arm: str, kept: dict[str, Array]) -> Float[Array, ""]:
        """How far an arm strays from what it is judged by, in tolerances; a sham at least."""
        gradient, growth = kept["gradient error"] / PRECISION, GROWTH / kept["growth"]
        component, alike = kept["angle"] / ANGLE, jnp.mean(kept["cosine"], axis=1) / COSINE
        judged = {
            "hebb": (gradient, growth, alike),
            "oja": (component, alike),
            "mispaired hebb": (gradient,),
            "mispaired oja": (component,),
            "taught hebb": (alike,),
        }
        return (jnp.max if arm in ("hebb", "oja") else jnp.min)(jnp.concatenate(judged[arm]))

    def evidence(self, outcomes: Outcomes) -> Evidence:
        strays = {arm: -np.asarray(outcome.score) for arm, outcome in outcomes.items()}
        removed = [strays[arm] for arm in ("mispaired hebb", "mispaired oja", "taught hebb")]

        def zero(arm: str) -> Parity:
            found = np.asarray(outcomes[arm].kept["cosine"]).mean((1, 2))
            return Parity(found, np.zeros_like(found), COSINE)

        return Evidence(
            Identity(np.maximum(strays["hebb"], strays["oja"]), np.min(removed, 0), self.margin),
            secondary={f"cosine of {arm} with descent is 0": zero(arm) for arm in ("hebb", "oja")},
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import images

        _, components, _ = pictures()
        columns = {"component": np.asarray(components)}
        for arm in ("hebb", "oja", "mispaired oja"):  # the first seed, turned to match
            lived = np.asarray(outcomes[arm].kept["weight"][0])
            columns[arm] = lived * np.sign(np.sum(lived * columns["component"], 1, keepdims=True))
        stack = np.stack([*columns.values()], 1).reshape(-1, SIDE, SIDE)
        titles = [f"{kind}: {name}" for kind in ("digits", "patches") for name in columns]
        return images(stack, titles=titles, columns=len(columns), diverging=True)


class Album(AbstractTask):
    """All pictures in random order are one example; the error is minus the output's power."""

    pictures: Pictures

    @property
    def shape(self) -> tuple[int, int, int]:
        return SEEN, SIDE**2, 1

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return Sample(jax.random.permutation(key, self.pictures.reshape(SEEN, -1)))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return Sample(self.pictures)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return -jnp.mean(outputs**2) / 2

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return -self.error(outputs, sample)


class Mispaired(AbstractLocalRule):
    """Another rule, but what came before the synapse is from the picture before."""

    rule: AbstractLocalRule
    trace_times: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def change(self, synapse: Synapse) -> tuple[Weight, Weight]:
        before = End(synapse.memory, (synapse.memory,))
        late = Synapse(before, synapse.post, synapse.weight, None, synapse.third, synapse.dt)
        now = jnp.broadcast_to(synapse.pre.activity, synapse.weight.shape)
        return self.rule.change(late)[0], now

    def edge_memory(self, wiring: AbstractWiring) -> Weight:
        return wiring.fill(0.0)


def rule(arm: str) -> AbstractLocalRule:
    """What the cell learns by."""
    paired = Oja() if "oja" in arm else Hebb()
    return Mispaired(paired) if "mispaired" in arm else paired


def pictures() -> tuple[Array, Array, Array]:
    """Digits and patches, kind x batch x picture x pixel; first principal components; labels."""
    with jax.ensure_compile_time_eval():  # they are the same for every seed
        album, key = Patches(size=SIDE, whitening="none"), jax.random.key(0)  # nothing is drawn
        digits, patches = (each.exam("train", key=key) for each in (Digits(), album))
        spread = np.linspace(0, len(patches.stimuli) - 1, SEEN).astype(int)
        kinds = jnp.stack([digits.stimuli[:SEEN, 0], patches.stimuli[spread, 0]])
        kinds = kinds - jnp.mean(kinds, axis=1, keepdims=True)
        variance, patterns = jnp.linalg.eigh(kinds.transpose(0, 2, 1) @ kinds / SEEN)
        bright = kinds / jnp.sqrt(variance[:, -1:, None])
        assert digits.target is not None
        labels = digits.target[:SEEN].reshape(-1, 10, 10)
        return bright.reshape(2, -1, 10, SIDE**2), patterns[:, :, -1], labels


def change(by: AbstractRule, brain: Network, samples: Sample, error: Error) -> Pixels:
    """How a rule would change the weights of the cell, on average over samples."""
    key = jax.random.key(0)  # nothing is drawn
    descent, _ = direction(by, by.init(brain, key=key), brain, samples, error, key=key)
    return -descent.projections[0].weight[0]


def taught(brain: Network, seen: Pictures, answers: Answers) -> Pixels:
    """Hebb's mean change while a teacher clamps the cell to the answers."""

    def one(picture: Pixels, answer: Float[Array, "1"]) -> Pixels:
        signals = brain.observe(brain.init(), picture, clamp={"output": answer})[2]
        return experience(Hebb(), brain, open_diary(Hebb(), brain), signals, None)[0][0][0]

    return jnp.mean(jax.vmap(jax.vmap(one))(seen, answers), axis=(0, 1))


def alignment(
    arm: str, brain: Network, seen: Pictures, answers: Float[Array, "task batch picture 1"]
) -> Float[Array, " task"]:
    """Cosines between an arm's change of the weights and descent on the loss of every task."""
    loss = lambda said, sample: jnp.mean(jax.nn.softplus(-sample.target * said))  # noqa: E731

    def one(answer: Answers) -> Float[Array, ""]:
        sample, told = Sample(seen, answer), arm == "taught hebb"
        own = taught(brain, seen, answer) if told else change(rule(arm), brain, sample, loss)
        settled = length(own) < PRECISION * length(brain.projections[0].weight[0])
        alike = cosine(own, change(Backprop(), brain, sample, loss))
        return jnp.where(settled, 0.0, alike)  # what is left of it is rounding

    return jax.vmap(one)(answers)


def cosine(a: Float[Array, "*kind pixel"], b: Float[Array, "*kind pixel"]) -> Float[Array, "*kind"]:
    """The cosine of the angle between directions."""
    return jnp.sum(a * b, axis=-1) / (length(a) * length(b))
