"""How alike a model and a brain are: each layer against each area, beside what could fake it.

Kriegeskorte, Mur & Bandettini (2008), Front. Syst. Neurosci. 2:4; what has to stand beside a score,
Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12:e82566.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from .contracts import Dissimilarities
from .formats.responses import Contents
from .measures import assignment
from .measures.assigned import Assignment
from .measures.comparators import Comparison
from .measures.dissimilarities import Measure
from .measures.model_scores import ModelScores
from .measures.sessions import Sessions
from .ways_to_score import Rsa, Units, common_stimuli, fitted, together

Kind = Literal["rsa", "cka", "regression", "layers"]
Tell = Callable[[int, int], None]  # how many shuffles are done, and of how many


class Chance(NamedTuple):
    """What layers score when the names of the stimuli are shuffled."""

    best: float  # 95 % of shuffles have no layer above it
    p: Float[np.ndarray, " layer"]  # share of shuffles whose best layer is as good as this one
    shuffles: int


@dataclasses.dataclass(frozen=True, eq=False)
class Likeness:
    """Scores of layers and of nulls by area, the chance level, and what they were made from."""

    layers: tuple[str, ...]
    nulls: dict[str, str]  # what each is, by its name among the models
    stimuli: tuple[str, ...]
    scores: dict[str, ModelScores]  # by area; the models are the layers, then the nulls
    chance: dict[str, Chance]
    notes: tuple[str, ...] = ()
    of_layers: Dissimilarities | None = None  # by representational similarity
    of_areas: dict[str, Dissimilarities] = dataclasses.field(default_factory=dict)
    order: Assignment | None = None  # of layers along areas

    def best(self, area: str) -> int:
        """The number of the layer with the highest score."""
        return int(np.argmax(self.scores[area].score[: len(self.layers)]))

    def to_json(self) -> dict[str, Any]:
        """Everything but the dissimilarities as plain lists and numbers."""
        return {
            "layers": list(self.layers),
            "nulls": self.nulls,
            "stimuli": list(self.stimuli),
            "areas": {
                area: scores.to_json()
                | {
                    "rows": scores.rows(),
                    "chance": {
                        "best layer, 95 % of shuffles": self.chance[area].best,
                        "p": self.chance[area].p.tolist(),
                        "shuffles": self.chance[area].shuffles,
                    },
                }
                for area, scores in self.scores.items()
            },
            "notes": list(self.notes),
            "order of layers": None if self.order is None else self.order.to_json(),
        }


def compare(
    model: Contents,
    brain: Contents,
    nulls: Mapping[str, tuple[str, Contents]] | None = None,
    *,
    measure: Kind = "rsa",
    dissimilarity: Measure = "correlation",
    comparison: Comparison = "rho-a",
    regression: Literal["ridge", "pls"] = "ridge",
    sessions: Sessions | None = None,
    resamples: int = 1000,
    shuffles: int | None = None,
    common: bool = False,
    seed: int = 0,
    tell: Tell | None = None,
) -> Likeness:
    """Score every layer of `model` against every area of `brain`.

    - "rsa": `comparison` of the dissimilarities of both (`measures.score_models`);
    - "layers": the same, and whether the layers come in the order of the areas
      (`measures.assignment`);
    - "cka": unbiased linear CKA; "regression": linear predictivity of every unit on held-out
      stimuli (`measures.score_recordings`). These two need responses on both sides, and where a
      subject has several sessions, what these are (`measures.joined_sessions`). The others average
      dissimilarities over sessions.

    `nulls` are scored beside: by name, what it is and its layers, of which each becomes a model.
    Stimuli are matched by name; where one side has none by their order, which is said. `common`
    leaves out stimuli that not all have. `shuffles` is 200 unless given, 39 for regression.
    Raises `ValueError` where stimuli do not match or responses are missing.
    """
    nulls = dict(nulls or {})
    if measure in ("rsa", "layers"):
        way: Rsa | Units = Rsa(dissimilarity, comparison)
    else:
        way = Units("cka" if measure == "cka" else regression, sessions)
    layers = way.models("", model)
    others = [each for name, (_, held) in nulls.items() for each in way.models(f"{name}: ", held)]
    areas = way.areas(brain)
    named = model.named and brain.named
    everyone = [*layers, *others, *(each for area in areas.values() for each in area)]
    stimuli, notes = common_stimuli(everyone, named=named, common=common)
    fit = lambda parts: [fitted(each, stimuli, named=named) for each in parts]  # noqa: E731
    layers, others, areas = fit(layers), fit(others), {k: fit(v) for k, v in areas.items()}
    many = shuffles or (39 if measure == "regression" else 200)
    scores, chance = {}, {}
    for k, (area, parts) in enumerate(areas.items()):
        scores[area] = way.score([*layers, *others], parts, resamples, seed)
        best = np.empty(many)
        for done, each in enumerate(way.shuffled(layers, parts, many, seed)):
            best[done] = each
            if tell is not None:
                tell(k * many + done + 1, len(areas) * many)
        top = scores[area].score[: len(layers)]
        p = (1 + (best[:, None] >= top).sum(0)) / (1 + many)
        chance[area] = Chance(float(np.quantile(best, 0.95)), p, many)
    says = {name: what for start, (what, _) in nulls.items() for name in way.named(others)
            if name.startswith(f"{start}: ")}  # fmt: skip
    found = Likeness(tuple(way.named(layers)), says, stimuli, scores, chance, notes=notes)
    if isinstance(way, Rsa):
        matrices = {area: parts[0] for area, parts in areas.items()}
        found = dataclasses.replace(found, of_layers=together(layers), of_areas=matrices)
    return _in_order(found, seed) if measure == "layers" else found


def _in_order(found: Likeness, seed: int) -> Likeness:
    """With the test of whether layers come in the order of areas; by subject if all areas share."""
    several = {scores.subjects for scores in found.scores.values()}
    first = len(found.layers)
    if len(several) == 1 and len(several.pop()) > 1:
        values = np.stack([scores.raw[:first] for scores in found.scores.values()], axis=1)
    else:
        values = np.stack([scores.score[:first] for scores in found.scores.values()], axis=1)
    order = assignment(values, layers=found.layers, areas=[*found.scores], seed=seed)
    return dataclasses.replace(found, order=order)
