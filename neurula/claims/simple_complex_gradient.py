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
REACH = np.array([receptive_field(SIZES[:k], STRIDES[:k])[0] for k in range(1, len(SIZES) + 1)])
RATE, BATCH = 3e-3, 64  # of Adam: learns on tuning seeds
TRAINED, UNTRAINED, PERMUTED = "trained", "untrained", "permuted"
LARGE, LARGE_UNTRAINED = "EfficientNet-lite0", "EfficientNet-lite0, untrained"
INVARIANCE, COMPLEXITY, FIELD = "F1/F0", "complexity", "effective field"
PARTS = {INVARIANCE: "invariance", COMPLEXITY: "complexity"}
SIGNS = ((INVARIANCE, -1), (COMPLEXITY, 1), (FIELD, 1))
LEARNED, ANSWERED = 75.0, 75.0  # % of test digits; % of cells that a grating drives


class SimpleComplexGradient(AbstractClaim):
    """Five layers of filters learn to name digits that may be anywhere.

    Asked are the cells in the middle of every layer: F1 / F0 at the grating they like best, the
    share of their variance over pictures of digits that no linear filter explains (complexity),
    and the side of their effective receptive field.
    """

    statement: ClassVar[str] = (
        "Along the layers of a network cells become invariant to phase and harder to explain by a "
        "linear filter because the network learns: both rise with depth more than in its untrained "
        "twin."
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
    unit: ClassVar[str] = "Spearman's rho between a cell's layer and its invariance or complexity"
    refuted_if: ClassVar[str] = (
        "invariance (1 - F1 / F0) or complexity of cells is correlated with their layer less than "
        "0.2 higher in trained networks than in their untrained twins. The weaker of both parts "
        "rules"
    )
    expected: ClassVar[str] = (
        "Refuted: layers of random filters with rectification do the same. Each adds nonlinearity "
        "whatever its weights, so that untrained networks may come near to 1, above which nothing "
        "can be. What training changes are then amounts, see beside."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "A rank correlation has a ceiling: where untrained networks come near to 1, trained ones "
        "cannot exceed them by 0.2, and the ruling says that the order needs no training. By how "
        "much invariance and complexity rise from first to last layer stands beside.",
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
        "Its complexity is that for smooth pictures of 64 numbers.",
    )
    data: ClassVar[tuple[str, ...]] = ("digits",)
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, updates=2, pictures=650, photographs=0),
        "quick": Budget(8),
        "full": Budget(20, updates=4000, pictures=8000, photographs=800),
    }
    batched: ClassVar[bool] = False  # measures are NumPy

    updates: int = 800  # of a network
    pictures: int = 3000  # to fit filters to, and as many to judge them
    photographs: int = 400  # in place of these for the large network; 0 leaves it out

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
            what: {of: {arm: how(kept[arm][of], sign) for arm in self.judged} for of, sign in SIGNS}
            for what, how in (("order", order), ("rise", rise))
        }

        def beyond(of: str, other: str, what: str = "order", margin: float = 0.2) -> Superiority:
            return Superiority(found[what][of][TRAINED], found[what][of][other], margin)

        parts = {
            f"{name}: trained - untrained": beyond(of, UNTRAINED, margin=self.margin)
            for of, name in PARTS.items()
        }
        beside: dict[str, Any] = {}
        for of, name in PARTS.items():
            beside[f"{name}: trained - permuted"] = beyond(of, PERMUTED)
            for arm, found_here in found["order"][of].items():
                none = np.zeros_like(found_here)
                beside[f"{name}: rises in {arm} networks"] = Superiority(
                    found_here, none, self.margin
                )
        for of, name, margin in (
            (INVARIANCE, "fall of F1/F0 from first to last layer", 0.2),
            (COMPLEXITY, "rise of complexity from first to last layer", 0.2),
            (FIELD, "rise of the effective receptive field, pixels", 1.0),
        ):
            for other in (UNTRAINED, PERMUTED):
                beside[f"{name}: trained - {other}"] = beyond(of, other, "rise", margin)
        return Evidence(weakest(*parts.values()), gates(kept), parts | beside)

    @property
    def judged(self) -> tuple[str, ...]:
        """The arms that are not there to describe."""
        return tuple(arm for arm, about in self.arms.items() if about.role != "probe")

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        lines = {}
        for arm in self.judged:
            kept = jax.tree.map(np.float64, outcomes[arm].kept)
            lines[f"F1/F0, {arm}"] = np.nanmean(kept[INVARIANCE], axis=2)
            lines[f"complexity, {arm}"] = np.nanmean(kept[COMPLEXITY], axis=2)
            lines[f"field / reach, {arm}"] = np.nanmean(kept[FIELD], axis=2) / REACH
        layers = np.arange(1, 1 + len(SIZES))
        return curves(layers, lines, x_title="layer", y_title="mean of cells")


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
    """Scored by the mean of both correlations with depth."""
    orders = [order(np.asarray(kept[of])[None], sign) for of, sign in SIGNS[:2]]
    as_array = lambda x: jnp.asarray(x, jnp.float32)  # noqa: E731
    score = as_array(np.mean(orders))
    return Outcome(score, costs=jax.tree.map(as_array, costs), kept=jax.tree.map(as_array, kept))


def order(values: Float[np.ndarray, "seed layer cell"], sign: int) -> Float[np.ndarray, " seed"]:
    """Spearman's rho over cells between their layer and `sign` times their value."""
    from scipy.stats import spearmanr

    layer = np.broadcast_to(np.arange(values.shape[1])[:, None], values.shape[1:])
    found = []
    for each in values:
        there = np.isfinite(each)
        found.append(spearmanr(layer[there], sign * each[there]).statistic)
    return np.array(found, np.float64)


def rise(values: Float[np.ndarray, "seed layer cell"], sign: int) -> Float[np.ndarray, " seed"]:
    """From first to last layer, of the mean over cells, times `sign`."""
    means = np.nanmean(values, axis=2)
    return sign * (means[:, -1] - means[:, 0])


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
