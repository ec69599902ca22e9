"""Whether early visual cortex is matched by earlier layers than inferior temporal cortex (IT) is.

Güçlü & van Gerven (2015), J. Neurosci. 35:10005; Cichy et al. (2016), Sci. Rep. 6:27755; against:
Xu & Vaziri-Pashkam (2021), Nat. Commun. 12:2065. Data: Kriegeskorte et al. (2008), Neuron 60:1126.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..brains import brain92
from ..evidence import Resampled, weakest
from ..experiment import AbstractClaim, Arm, Budget, Evidence, Gate, Outcome, Outcomes, Range
from ..measures import similarity
from ..pretrained import LAYERS
from .seen_objects import Draws, Likeness, brains, drawn, fixed, objects

AREAS = ("early visual", "human IT", "monkey IT")
NETWORKS = ("trained", "untrained", "permuted")
PLANTED = ("block 3", "block 13")  # layers from which areas are made, early and late
COPIES, POWER, UNITS = 200, 0.8, 10  # made pairs of areas for each seed; noisy cells in each


class HierarchyLayerArea(AbstractClaim):
    """The centre of mass of likeness over layers, for early visual cortex and for IT."""

    statement: ClassVar[str] = (
        "Early visual cortex is matched by earlier layers of a network trained to name objects "
        "than inferior temporal cortex is, and by training."
    )
    source: ClassVar[str] = (
        "Layers are assigned to areas by Güçlü & van Gerven (2015), J. Neurosci. 35:10005; Cichy "
        "et al. (2016), Sci. Rep. 6:27755"
    )
    level: ClassVar[Literal["computation", "algorithm", "implementation"]] = "algorithm"
    kind: ClassVar[str] = "ordering, over stimuli and people"
    arms: ClassVar[dict[str, Arm]] = {
        "trained": Arm("brain", "EfficientNet-lite0 as trained on ImageNet", fixed=True),
        "untrained": Arm("control", "the same network with first weights of He et al. (2015)"),
        "permuted": Arm("sham", "the trained weights of every layer in random order"),
        "planted": Arm(
            "control",
            "areas made of block 3 and block 13 with noise, as reliable as people's IT: the order "
            "is known; the score is how often it is found",
        ),
    }
    margin: ClassVar[float] = 0.1
    unit: ClassVar[str] = "depth of the network, IT minus early visual cortex"
    refuted_if: ClassVar[str] = (
        "with data of early visual cortex that pass the gates, the centre of IT lies less than a "
        "tenth of the depth behind that of early visual cortex, or no further than in untrained "
        "networks"
    )
    expected: ClassVar[str] = (
        "Inconclusive with the data at hand, and the gates say why: what is called early visual "
        "there is one set of a group of people, no model of V1 resembles it, and it was measured "
        "in the same scans as IT. Data of single people would decide (Cichy et al. 2016)."
    )
    pitfalls: ClassVar[tuple[str, ...]] = (
        "It was known before that these early visual data resemble outlines (rho 0.29) and human "
        "IT (0.34, mean of people) but no model of V1 (-0.14), and block 14 best: the gates are "
        "written for that.",
        "Noise of the same scans makes early visual cortex and IT alike.",
        "Receptive fields grow with depth in untrained networks too: hence the difference to them.",
        "Layers differ little where likeness is flat: a centre of mass, no best layer.",
        "Four people are too few for a ruling.",
    )
    data: ClassVar[tuple[str, ...]] = ("brain92", "efficientnet-lite0")
    budgets: ClassVar[dict[str, Budget]] = {
        "smoke": Budget(2, every=8),
        "quick": Budget(8),
        "full": Budget(20),
    }
    batched: ClassVar[bool] = False  # measures are NumPy; the trained network passes once

    every: int = 1  # of the pictures: 1 takes all, 2 every other one

    def space(self, arm: str) -> dict[str, Range]:
        return {}  # nothing is tuned

    def run(self, arm: str, settings: dict[str, Float[Array, ""]], *, key: PRNGKeyArray) -> Outcome:
        if arm == "planted":
            apart = planted(fixed("trained", self.every), reliability(self.every), key)
            return Outcome(jnp.mean(apart >= self.margin), kept={"apart": apart})
        apart = fixed(arm, self.every) if self.arms[arm].fixed else drawn(arm, self.every, key)
        table = Likeness({arm: apart[None]}, areas(self.every))
        ones = np.ones((1, len(objects(self.every))))
        early, late = (centre(table.rho(arm, a, ones).mean(3)).item() for a in AREAS[:2])
        return Outcome(jnp.asarray(late - early), kept={"dissimilarities": jnp.asarray(apart)})

    def evidence(self, outcomes: Outcomes) -> Evidence:
        known = {arm: np.asarray(outcomes[arm].kept["dissimilarities"]) for arm in NETWORKS}
        known["trained"] = known["trained"][:1]
        table = Likeness(known, areas(self.every))
        people, shown = len(table.brains["human IT"]), len(objects(self.every))

        def order(arm: str, area: str = "human IT", beyond: str | None = None) -> Resampled:
            """IT minus early visual cortex; `beyond` is a network whose order is taken off."""

            def effect(who: Draws, what: Draws) -> Float[np.ndarray, " resample"]:
                found = behind(table, arm, area, who, what)
                return found - behind(table, beyond, area, who, what) if beyond else found

            return Resampled(effect, people if area == "human IT" else shown, shown, self.margin)

        first = order("trained"), order("trained", beyond="untrained")
        secondary = {
            "human IT: order in the trained network": first[0],
            "human IT: order, trained - untrained": first[1],
            "human IT: order in untrained networks": order("untrained"),
            "human IT: order in permuted networks": order("permuted"),
            "monkey IT: order in the trained network": order("trained", "monkey IT"),
        }
        share = float(np.mean(np.asarray(outcomes["planted"].score)))
        return Evidence(weakest(*first), (*self.gates(), _power(share)), secondary)

    def gates(self) -> tuple[Gate, ...]:
        """Whether the early visual data can show the order at all."""
        known = {area: found.select(objects(self.every)) for area, found in brain92().items()}
        early = known["early visual"]
        models = similarity(known["models"], early, "spearman")
        rho = dict(zip(models.first, models.values[:, 0].tolist(), strict=True))
        scans = similarity(known["human IT"], early, "spearman").values.mean()
        return (
            Gate(
                "early visual cortex was measured in several people",
                len(early.subjects) > 1,
                f"{len(early.subjects)} set, of a group: how much of it is noise is unknown",
            ),
            Gate(
                "a model of V1 resembles it, and more than outlines do",
                rho["V1"] > max(0.0, rho["silhouette"]),
                f"rho {rho['V1']:.2f}, outlines {rho['silhouette']:.2f}; IT of the same scans "
                f"{scans:.2f}",
            ),
        )

    def figure(self, outcomes: Outcomes) -> Any:
        from ..pictures import curves

        known = {arm: np.asarray(outcomes[arm].kept["dissimilarities"]) for arm in NETWORKS[:2]}
        known["trained"] = known["trained"][:1]
        table, ones = Likeness(known, areas(self.every)), np.ones((1, len(objects(self.every))))
        lines = {f"{a}: {n}": table.rho(n, a, ones)[0].mean(2) for n in known for a in AREAS}
        return curves(
            np.arange(len(LAYERS)),
            lines,
            x_title="layer: 0 stem, 1 to 16 blocks, 17 logits",
            y_title="Spearman's rho with the area",
        )


def _power(share: float) -> Gate:
    return Gate(
        "an order that was planted is found",
        share >= POWER,
        f"in {share:.0%} of noisy copies; {POWER:.0%} are needed",
    )


def areas(every: int) -> dict[str, Float[np.ndarray, "subject pair"]]:
    """Dissimilarities of the areas that are compared."""
    return {area: brains(every)[area] for area in AREAS}


def centre(rho: Float[np.ndarray, "*some layer"]) -> Float[np.ndarray, "*some"]:
    """The centre of mass of positive likeness over layers, from 0 (first) to 1 (last).

    The middle where nothing is positive: such likeness says nothing about order.
    """
    mass = np.maximum(rho, 0)
    total = mass.sum(-1)
    depth = mass @ np.linspace(0, 1, rho.shape[-1])
    return np.where(total > 0, depth / np.where(total > 0, total, 1), 0.5)


def behind(
    table: Likeness, arm: str, area: str, who: Draws, what: Draws
) -> Float[np.ndarray, " resample"]:
    """How far IT's centre lies behind that of early visual cortex, mean over networks."""
    early, late = (table.rho(arm, each, what) for each in ("early visual", area))
    if late.shape[3] > 1:  # people as drawn
        late = np.einsum("rnlp,rp->rnl", late, who / who.sum(1, keepdims=True))[..., None]
    return (centre(late[..., 0]) - centre(early[..., 0])).mean(1)


def reliability(every: int) -> float:
    """How alike the dissimilarities of a person are in two sessions: mean Spearman's rho."""
    from scipy.stats import spearmanr

    sessions = brain92()["human IT"].select(objects(every)).values
    return float(np.mean([spearmanr(*person).statistic for person in sessions]))


def planted(
    layers: Float[np.ndarray, "layer pair"], alike: float, key: PRNGKeyArray
) -> Float[Array, " copy"]:
    """The order found for pairs of areas that are layers with noise; `alike`: of two copies.

    The noise is that of patterns, whose dissimilarities share their objects, as in scans.
    """
    from scipy.spatial.distance import pdist
    from scipy.stats import rankdata, zscore

    shown = round((1 + (1 + 8 * layers.shape[1]) ** 0.5) / 2)
    cells = np.asarray(jax.random.normal(key, (COPIES, 2, shown, UNITS)))
    known, whole = zscore(rankdata(layers, axis=1), axis=1), np.clip(alike, 0, 1)
    centres = []
    for area, layer in enumerate(PLANTED):
        noise = zscore([pdist(each, "correlation") for each in cells[:, area]], axis=1)
        made = np.sqrt(whole) * known[LAYERS.index(layer)] + np.sqrt(1 - whole) * noise
        ranks = zscore(rankdata(made, axis=1), axis=1)
        centres.append(centre(ranks @ known.T / layers.shape[1]))
    return jnp.asarray(centres[1] - centres[0])
