"""The ways to score layers against an area: by dissimilarities, or unit by unit and by kernels."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from .contracts import Dissimilarities, Recording
from .formats.responses import Contents
from .measures import cka, dissimilarities, predictivity, score_models, score_recordings, similarity
from .measures.comparators import Comparison
from .measures.dissimilarities import Measure
from .measures.model_scores import ModelScores
from .measures.patterns import averaged, labelled
from .measures.sessions import Sessions, joined_sessions

CHUNK = 50  # shuffles at once
Part = Dissimilarities | Recording  # a layer, or a subject of an area (all subjects, if matrices)


@dataclasses.dataclass(frozen=True)
class Rsa:
    """By representational similarity: each layer is one set of dissimilarities, an area another."""

    dissimilarity: Measure
    comparison: Comparison

    def areas(self, brain: Contents) -> dict[str, list[Dissimilarities]]:
        """One set for each area, subjects together."""
        found = {a: [dissimilarities(r, self.dissimilarity)] for a, r in brain.recordings.items()}
        return found | {area: [each] for area, each in brain.dissimilarities.items()}

    def models(self, prefix: str, held: Contents) -> list[Dissimilarities]:
        """One set for each layer, called by its name behind the prefix."""
        found = []
        for layer, (each,) in self.areas(held).items():
            mean = np.asarray(each.values, float).mean((0, 1))[None, None]
            found.append(Dissimilarities(mean, each.stimuli, (prefix + layer,), each.measure))
        return found

    def named(self, models: Sequence[Dissimilarities]) -> list[str]:
        return [each.subjects[0] for each in models]

    def score(
        self, models: list[Dissimilarities], area: list[Dissimilarities], resamples: int, seed: int
    ) -> ModelScores:
        return score_models(
            together(models), area[0], self.comparison, resamples=resamples, seed=seed
        )

    def shuffled(
        self, layers: list[Dissimilarities], area: list[Dissimilarities], many: int, seed: int
    ) -> Iterator[float]:
        """The score of the best layer after each of many shuffles of the stimuli of an area.

        All layers get the same shuffle, so that the best of them pays for the choice among them.
        """
        rng, stimuli = np.random.default_rng(seed), area[0].stimuli
        subjects, everyone = len(area[0].subjects), together(layers)
        for first in range(0, many, CHUNK):
            orders = [rng.permutation(len(stimuli)) for _ in range(min(CHUNK, many - first))]
            rows = [area[0].select([stimuli[k] for k in order]).values for order in orders]
            whose = tuple(str(k) for k in range(len(orders) * subjects))
            shuffled = Dissimilarities(np.concatenate(rows), stimuli, whose)
            found = similarity(everyone, shuffled, self.comparison).values
            yield from found.reshape(len(layers), len(orders), subjects).mean(2).max(0)


@dataclasses.dataclass(frozen=True)
class Units:
    """By responses: each layer is a recording, and so is each subject of an area."""

    measure: Literal["cka", "ridge", "pls"]
    sessions: Sessions | None = None  # of one subject: the same units again, or other units

    def areas(self, brain: Contents) -> dict[str, list[Recording]]:
        """The subjects of each area, sessions of one joined.

        Raises `ValueError` where only dissimilarities are known.
        """
        if brain.dissimilarities:
            raise ValueError(
                f"The measure {self.measure} needs responses, but of "
                f"{', '.join(brain.dissimilarities)} there are dissimilarities only, from which "
                "responses cannot be had. Compare with --measure rsa (`measure='rsa'`)."
            )
        return {a: joined_sessions(parts, self.sessions) for a, parts in brain.recordings.items()}

    def models(self, prefix: str, held: Contents) -> list[Recording]:
        return [
            dataclasses.replace(one, name=prefix + layer)
            for layer, (one, *_) in self.areas(held).items()
        ]

    def named(self, models: Sequence[Recording]) -> list[str]:
        return [each.name for each in models]

    def score(
        self, models: list[Recording], area: list[Recording], resamples: int, seed: int
    ) -> ModelScores:
        return score_recordings(models, area, self.measure, resamples=resamples, seed=seed)

    def shuffled(
        self, layers: list[Recording], area: list[Recording], many: int, seed: int
    ) -> Iterator[float]:
        """As `Rsa.shuffled`; repeats of a stimulus stay together."""
        rng, names = np.random.default_rng(seed), names_of(area[0])
        if self.measure == "cka":
            layers = [_compact(each) for each in layers]
        for _ in range(many):
            order = rng.permutation(len(names))
            other = {name: names[k] for name, k in zip(names, order, strict=True)}
            moved = [_relabelled(each, [other[x] for x in _labels(each)]) for each in area]
            yield max(np.mean([self._one(layer, each) for each in moved]) for layer in layers)

    def _one(self, layer: Recording, subject: Recording) -> float:
        if self.measure == "cka":
            return cka(layer, subject)
        return predictivity(layer, subject, self.measure).median


def together(models: Sequence[Dissimilarities]) -> Dissimilarities:
    """Models with the same stimuli as the rows of one."""
    values = np.concatenate([each.values for each in models])
    names = tuple(name for each in models for name in each.subjects)
    return Dissimilarities(values, models[0].stimuli, names)


def _compact(layer: Recording) -> Recording:
    """Fewer units with the same products of stimuli, all that a kernel is made of."""
    found = labelled(layer, "stimulus", None)
    patterns = averaged(found)
    if patterns.shape[1] > len(patterns):
        values, vectors = np.linalg.eigh(patterns @ patterns.T)
        patterns = vectors * np.sqrt(np.maximum(values, 0))
    return Recording(patterns, layer.name, labels={"stimulus": found.names})


# ---- stimuli -------------------------------------------------------------------------------------


def _labels(part: Recording) -> list[str]:
    return [str(x) for x in part.labels.get("stimulus", range(len(part.responses)))]


def _relabelled(part: Recording, stimuli: Sequence[str], **changes: Any) -> Recording:
    labels = part.labels | {"stimulus": tuple(stimuli)}
    return dataclasses.replace(part, labels=labels, **changes)


def names_of(part: Part) -> tuple[str, ...]:
    """Its stimuli, each once, in the order in which they come."""
    if isinstance(part, Dissimilarities):
        return part.stimuli
    return tuple(dict.fromkeys(_labels(part)))


def fitted(part: Any, stimuli: tuple[str, ...], *, named: bool) -> Any:
    """A part with these stimuli alone; where names say nothing, they are given in their order."""
    if isinstance(part, Dissimilarities):
        if named:
            return part.select(stimuli)
        return dataclasses.replace(part, stimuli=stimuli)
    if not named:
        new = dict(zip(names_of(part), stimuli, strict=True))
        return _relabelled(part, [new[x] for x in _labels(part)])
    kept = [k for k, name in enumerate(_labels(part)) if name in set(stimuli)]
    labels = {label: tuple(values[k] for k in kept) for label, values in part.labels.items()}
    return dataclasses.replace(part, responses=np.asarray(part.responses)[kept], labels=labels)


def common_stimuli(
    everyone: Sequence[Part], *, named: bool, common: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stimuli on which all are compared, in the order of the last, and what has to be said."""
    wanted = names_of(everyone[-1])
    counts = sorted({len(names_of(each)) for each in everyone})
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
    shared = [name for name in wanted if all(name in names_of(each) for each in everyone)]
    left = max(counts) - len(shared)
    if left and not common:
        missing = {name for each in everyone for name in set(wanted) ^ set(names_of(each))}
        raise ValueError(
            f"Model and brain should have responses to the same stimuli, but {len(missing)} are "
            f"missing on one side: {sorted(missing)[:10]}. Stimuli are matched by name. Add them, "
            "or compare on those that all have with --common (`common=True`)."
        )
    says = f"{left} stimuli that not all have were left out." if left else ""
    return tuple(shared), (says,) if says else ()
