"""How alike a model and a brain are: each layer against each area, beside what could fake it.

Kriegeskorte, Mur & Bandettini (2008), Front. Syst. Neurosci. 2:4; what has to stand beside a score,
Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12:e82566.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from .contracts import Dissimilarities
from .formats.responses import Contents
from .measures import dissimilarities, score_models, similarity
from .measures.comparators import Comparison
from .measures.dissimilarities import Measure
from .measures.model_scores import ModelScores

CHUNK = 50  # shuffles at once
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
    of_layers: Dissimilarities
    of_areas: dict[str, Dissimilarities]
    notes: tuple[str, ...] = ()

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
        }


def compare(
    model: Contents,
    brain: Contents,
    nulls: Mapping[str, tuple[str, Contents]] | None = None,
    *,
    dissimilarity: Measure = "correlation",
    comparison: Comparison = "rho-a",
    resamples: int = 1000,
    shuffles: int = 1000,
    common: bool = False,
    seed: int = 0,
    tell: Tell | None = None,
) -> Likeness:
    """Score every layer of `model` against every area of `brain` by representational similarity.

    `nulls` are scored beside: by name, what it is and its layers, of which each becomes a model.
    Stimuli are matched by name; where one side has none by their order, which is said. `common`
    leaves out stimuli that not all have. Raises `ValueError` where stimuli do not match.
    """
    nulls = dict(nulls or {})
    says = {
        f"{name}: {layer}": what
        for name, (what, held) in nulls.items()
        for layer in (*held.recordings, *held.dissimilarities)
    }
    areas = dict(_matrices(brain, dissimilarity))
    layers = _models("", model, dissimilarity)
    others = [_models(f"{name}: ", held, dissimilarity) for name, (_, held) in nulls.items()]
    named = model.named and brain.named
    stimuli, notes = _stimuli([layers, *others, *areas.values()], named=named, common=common)
    fit = lambda found: found.select(stimuli) if named else _renamed(found, stimuli)  # noqa: E731
    layers, others, areas = fit(layers), [*map(fit, others)], {k: fit(v) for k, v in areas.items()}
    everyone = _together([layers, *others])
    scores = {
        area: score_models(everyone, found, comparison, resamples=resamples, seed=seed)
        for area, found in areas.items()
    }
    chance = {}
    for k, (area, found) in enumerate(areas.items()):
        top = scores[area].score[: len(layers.subjects)]
        first, last = k * shuffles, len(areas) * shuffles
        shuffled = _shuffled(layers, found, comparison, shuffles, seed)
        best = np.empty(shuffles)
        for done, each in enumerate(shuffled):
            best[done] = each
            if tell is not None:
                tell(first + done + 1, last)
        p = (1 + (best[:, None] >= top).sum(0)) / (1 + shuffles)
        chance[area] = Chance(float(np.quantile(best, 0.95)), p, shuffles)
    return Likeness(layers.subjects, says, stimuli, scores, chance, layers, areas, notes)


def _shuffled(
    layers: Dissimilarities, area: Dissimilarities, comparison: Comparison, many: int, seed: int
) -> Iterator[float]:
    """The score of the best layer after each of many shuffles of the stimuli of an area.

    All layers get the same shuffle, so that the best of them pays for the choice among them.
    """
    rng, n = np.random.default_rng(seed), len(area.stimuli)
    subjects = len(area.subjects)
    for first in range(0, many, CHUNK):
        orders = [rng.permutation(n) for _ in range(min(CHUNK, many - first))]
        rows = [area.select([area.stimuli[k] for k in order]).values for order in orders]
        whose = tuple(f"{k}" for k in range(len(orders) * subjects))
        shuffled = Dissimilarities(np.concatenate(rows), area.stimuli, whose)
        found = similarity(layers, shuffled, comparison).values
        yield from found.reshape(len(layers.subjects), len(orders), subjects).mean(2).max(0)


def _matrices(brain: Contents, measure: Measure) -> Iterator[tuple[str, Dissimilarities]]:
    """Dissimilarities of every area, subjects together."""
    for area, recordings in brain.recordings.items():
        yield area, dissimilarities(recordings, measure)
    yield from brain.dissimilarities.items()


def _models(prefix: str, held: Contents, measure: Measure) -> Dissimilarities:
    """Every layer as a model of its own, called by its name behind the prefix."""
    found = dict(_matrices(held, measure))
    first = next(iter(found.values())).stimuli
    rows = {prefix + layer: each if each.stimuli == first else each.select(first)
            for layer, each in found.items()}  # fmt: skip
    means = [np.asarray(each.values, float).mean((0, 1))[None, None] for each in rows.values()]
    return Dissimilarities(np.concatenate(means), first, tuple(rows))


def _together(models: list[Dissimilarities]) -> Dissimilarities:
    values = np.concatenate([each.values for each in models])
    names = tuple(name for each in models for name in each.subjects)
    return Dissimilarities(values, models[0].stimuli, names)


def _renamed(found: Dissimilarities, stimuli: tuple[str, ...]) -> Dissimilarities:
    return Dissimilarities(found.values, stimuli, found.subjects, found.measure, found.source)


def _stimuli(
    everyone: list[Dissimilarities], *, named: bool, common: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stimuli on which all are compared, in the order of the last, and what has to be said."""
    wanted = everyone[-1].stimuli
    counts = sorted({len(each.stimuli) for each in everyone})
    if not named:
        if len(counts) > 1:
            raise ValueError(
                f"Model and brain should have responses to the same stimuli, but have {counts} "
                "of them, and without names on both sides they can only be matched by their "
                "order. Save the names with the responses: `numpy.savez(path, layer=responses, "
                "stimuli=names)`."
            )
        says = "The stimuli have no names on one side or both: they were matched by their order."
        return wanted, (says,)
    shared = [name for name in wanted if all(name in each.stimuli for each in everyone)]
    left = max(counts) - len(shared)
    if left and not common:
        missing = {name for each in everyone for name in set(wanted) ^ set(each.stimuli)}
        raise ValueError(
            f"Model and brain should have responses to the same stimuli, but {len(missing)} are "
            f"missing on one side: {sorted(missing)[:10]}. Stimuli are matched by name. Add them, "
            "or compare on those that all have with --common (`common=True`)."
        )
    says = f"{left} stimuli that not all have were left out." if left else ""
    return tuple(shared), (says,) if says else ()
