"""Whether cells become complex along the layers of a network because it learns.

Hubel & Wiesel (1962), J. Physiol. 160:106 (simple and complex cells); Fukushima (1980), Biol.
Cybern. 36:193 (a network of both). A sentence of several parts: Berger & Hsu (1996), Stat. Sci.
11:283 (intersection-union test).
"""

import functools
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ..data import available
from ..evidence import Superiority, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..live import Learned, examine, learn
from ..rules import Backprop
from ..stacked_filters import StackedFilters, permuted, receptive_field
from ..tasks import Placed
from .seen_gratings import look_into, look_into_pretrained

SIZES, STRIDES, CHANNELS, CLASSES = (5, 3, 3, 3, 3), (2, 1, 1, 2, 1), 16, 10
TASK = Placed(field=receptive_field(SIZES, STRIDES)[0])  # the last layer sees the whole field
RATE, BATCH = 3e-3, 64  # of Adam: learns on tuning seeds
TRAINED, UNTRAINED, PERMUTED = "trained", "untrained", "permuted"
LARGE, LARGE_UNTRAINED = "EfficientNet-lite0", "EfficientNet-lite0, untrained"
INVARIANCE, COMPLEXITY, FIELD = "invariance", "complexity", "effective field"
PARTS = (INVARIANCE, COMPLEXITY)
LEARNED, ANSWERED = 75.0, 75.0  # % of test digits; % of cells that a grating drives


class SimpleComplexGradient(AbstractClaim):
    """Five layers of filters learn to name digits that may be anywhere.

    Asked are the cells in the middle of every layer. Invariance is 1 - (F1 / F0) / (pi / 2) at the
    grating a cell likes best, complexity the share of its variance over pictures of digits that no
    linear filter explains. The side of its effective receptive field stands beside.
    """

    statement: ClassVar[str] = (
        "Along the layers of a network that learns to name things cells become invariant to phase "
        "and harder to explain by a linear filter, more than in its untrained twin."
    )
    source: ClassVar[str] = (
        "Lower layers process simple features, higher layers complex ones; Hubel & Wiesel (1962), "
        "J. Physiol. 160:106"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "ordering, against untrained networks"
    arms: ClassVar[dict[str, Arm]] = {
        TRAINED: Arm("brain", "five layers of filters, taught to name digits at random places"),
        UNTRAINED: Arm("control", "the same network, before it learns"),
        PERMUTED: Arm("sham", "the learned weights and biases of every layer in random order"),
        LARGE: Arm(
            "probe",
            "17 layers, trained on ImageNet; where its weights are not at hand it has no score: "
            "neurula data get efficientnet-lite0",
            fixed=True,
        ),
        LARGE_UNTRAINED: Arm("probe", "the same with first weights, drawn once", fixed=True),
    }
    margin: ClassVar[float] = 0.2
    unit: ClassVar[str] = "of the whole scale of invariance or complexity, which go from 0 to 1"
    refuted_if: ClassVar[str] = (
        "from first to last layer invariance or complexity rises less than 0.2 more in trained "
        "networks than in their untrained twins. The weaker of both parts rules"
    )
    expected: ClassVar[str] = (
        "Half true: random filters with rectification add nonlinearity layer by layer, too, so "
        "complexity may rise as far without learning. Bad outcome: so does invariance."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "Planned was to compare rank correlations with depth. Those of complexity are 0.84 in "
        "untrained networks (three tuning seeds), so that nothing could exceed them by 0.2: they "
        "stand beside, and amounts rule.",
        "Theoretical receptive fields (5, 9, 13, 17 and 25 pixels) are architecture, the same in "
        "all arms. Effective ones stand beside.",
        "Asked is what cells hear, before they rectify it, as intracellular recordings do: so in "
        "the first layer F1 / F0 is pi / 2 and complexity 0 in every arm, by construction.",
        "Without pooling; with it, part of the invariance would be built in.",
        "Cells that no grating drives have no F1 / F0 and are left out of that part.",
        "Filters are fitted to as many pictures for all cells: what they miss is overstated alike.",
        "Small networks and digits; the large network is one, so it only describes. The first "
        "layer of that one has filters of 3 x 3 pixels, to which no Gabor function can be fitted: "
        "the share of such filters is that of blocks 1 to 3, of slopes averaged over photographs. "
        "Its complexity is that for smooth pictures of 16 numbers.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, updates=2, pictures=650, photographs=0),
        "quick": Budget(8),
        "full": Budget(20, updates=4000, pictures=8000, photographs=800),
    }
    batched: ClassVar[bool] = False  # measures are NumPy

    updates: int = 500  # of a network
    pictures: int = 3000  # to fit filters to, and as many to judge them
    photographs: int = 160  # in place of these for the large network; 0 leaves it out

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # nothing is compared that tuning could favour: see `RATE`

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        if self.arms[arm].role == "probe":
            return self.large(arm)
        at_brain, at_life, at_exam, at_order = jax.random.split(key, 4)
        brain, costs = start(at_brain), {}
        if arm != UNTRAINED:
            learned = taught(self.updates, *(bits(k) for k in (at_brain, at_life)))
            brain, costs = learned.brain, learned.costs
        if arm == PERMUTED:
            brain, costs = permuted(brain, key=at_order), {}
        found = look_into(brain, TASK, self.pictures, at_exam)
        kept = found | {"right": exam(brain, at_exam)}
        return outcome(kept, costs)

    def large(self, arm: str) -> Outcome:
        """What is found in EfficientNet-lite0; nothing without its weights."""
        if not self.photographs or not available("efficientnet-lite0"):
            return Outcome(jnp.full((), jnp.nan))
        return outcome(look_into_pretrained(arm == LARGE, self.photographs), {})

    def evidence(self, outcomes: Outcomes) -> Evidence:
        kept = {arm: jax.tree.map(np.float64, outcomes[arm].kept) for arm in self.judged}
        found = {
            what: {of: {arm: how(kept[arm][of]) for arm in self.judged} for of in (*PARTS, FIELD)}
            for what, how in (("rise", rise), ("order", order))
        }

        def beyond(what: str, of: str, other: str, margin: float = 0.2) -> Superiority:
            return Superiority(found[what][of][TRAINED], found[what][of][other], margin)

        parts = {
            f"{of} rises: trained - untrained": beyond("rise", of, UNTRAINED, self.margin)
            for of in PARTS
        }
        beside: dict[str, Any] = {}
        for of in PARTS:
            beside[f"{of} rises: trained - permuted"] = beyond("rise", of, PERMUTED)
            rho = f"rho of {of} with depth"
            beside[f"{rho}: trained - untrained"] = beyond("order", of, UNTRAINED)
            for arm, here in found["order"][of].items():
                beside[f"{rho}: {arm}"] = Superiority(here, np.zeros_like(here), 0.2)
        for other in (UNTRAINED, PERMUTED):
            field = beyond("rise", FIELD, other, margin=1.0)
            beside[f"effective receptive field grows, pixels: trained - {other}"] = field
        return Evidence(weakest(*parts.values()), gates(kept), parts | beside)

    @property
    def judged(self) -> tuple[str, ...]:
        """The arms that are not there to describe."""
        return tuple(arm for arm, about in self.arms.items() if about.role != "probe")

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        depth, lines = np.linspace(0, 1, 17), {}
        for arm in (TRAINED, UNTRAINED, LARGE, LARGE_UNTRAINED):
            kept = jax.tree.map(np.float64, outcomes[arm].kept)
            few = PARTS[:1] if self.arms[arm].fixed else PARTS  # complexity of these is all high
            for of in few if kept else ():  # without its weights the large one has nothing
                means = np.nanmean(kept[of], axis=2)[: 1 if self.arms[arm].fixed else None]
                layers = np.linspace(0, 1, means.shape[1])
                lines[f"{of}, {arm}"] = np.stack([np.interp(depth, layers, x) for x in means])
        return curves(depth, lines, x_title="depth, first to last layer", y_title="mean of cells")


def start(key: PRNGKeyArray) -> StackedFilters:
    """A network that has not learned."""
    return StackedFilters(TASK.field, SIZES, STRIDES, CHANNELS, CLASSES, key=key)


def bits(key: PRNGKeyArray) -> tuple[int, ...]:
    """A key as plain numbers, which can be looked up."""
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


@functools.lru_cache(maxsize=16)
def taught(updates: int, at_brain: tuple[int, ...], at_life: tuple[int, ...]) -> Learned:
    """A network that has learned; two arms ask for the same one."""
    brain, life = (
        jax.random.wrap_key_data(jnp.array(each, jnp.uint32)) for each in (at_brain, at_life)
    )
    return _teach(brain, life, updates)


@eqx.filter_jit
def _teach(at_brain: PRNGKeyArray, at_life: PRNGKeyArray, updates: int) -> Learned:
    adam = optax.adam(optax.cosine_decay_schedule(RATE, updates))
    how: dict[str, Any] = {"steps": updates, "batch": BATCH, "key": at_life}
    return learn(start(at_brain), Backprop(), TASK, adam, **how)


@eqx.filter_jit
def exam(brain: StackedFilters, key: PRNGKeyArray) -> Float[Array, ""]:
    """Share of test digits that are named right."""
    return examine(brain, TASK, "test", key=key)


def outcome(kept: dict[str, Any], costs: dict[str, Any]) -> Outcome:
    """Scored by the mean rise of invariance and complexity."""
    as_array = lambda x: jnp.asarray(x, jnp.float32)  # noqa: E731
    score = as_array(np.mean([rise(np.asarray(kept[of], float)[None]) for of in PARTS]))
    return Outcome(score, costs=jax.tree.map(as_array, costs), kept=jax.tree.map(as_array, kept))


def rise(values: Float[np.ndarray, "seed layer cell"]) -> Float[np.ndarray, " seed"]:
    """From first to last layer, by a straight line through the means over cells."""
    depth = np.linspace(-0.5, 0.5, values.shape[1])
    return np.nanmean(values, axis=2) @ depth / np.sum(depth**2)


def order(values: Float[np.ndarray, "seed layer cell"]) -> Float[np.ndarray, " seed"]:
    """Spearman's rho over cells between their layer and their value."""
    from scipy.stats import spearmanr

    layer = np.broadcast_to(np.arange(values.shape[1])[:, None], values.shape[1:])
    there = np.isfinite(values)
    pairs = zip(values, there, strict=True)
    return np.array([spearmanr(layer[has], each[has]).statistic for each, has in pairs])


def gates(kept: dict[str, dict[str, np.ndarray]]) -> tuple[Gate, ...]:
    """Whether networks learned, what they learned is gone where it should be, and cells answer."""
    right = {arm: 100 * found["right"].mean() for arm, found in kept.items()}
    driven = {arm: 100 * np.isfinite(found[INVARIANCE]).mean() for arm, found in kept.items()}
    least = min(driven, key=lambda arm: driven[arm])
    return (
        Gate(f"Networks learn: {LEARNED:g} % of test digits.", bool(right[TRAINED] >= LEARNED),
             f"{right[TRAINED]:.1f} %"),
        Gate("Permuted networks know nothing: below 20 %.", bool(right[PERMUTED] < 20),
             f"{right[PERMUTED]:.1f} %"),
        Gate(f"Gratings drive {ANSWERED:g} % of the cells of every arm.",
             bool(driven[least] >= ANSWERED), f"{driven[least]:.1f} % ({least})"),
    )  # fmt: skip
