"""Representational dissimilarities: how far apart the responses to every two stimuli are.

Kriegeskorte, Mur & Bandettini (2008), Front. Syst. Neurosci. 2:4; Walther, Nili, Ejaz, Alink,
Kriegeskorte & Diedrichsen (2016), NeuroImage 137:188 (Mahalanobis, crossnobis).
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from ..contracts import Dissimilarities, Recording
from ..free_memory import PAIRS, afford
from .noise import Shrinkage, noise_covariance, whitener
from .patterns import Labelled, averaged, labelled, totals, varied

Measure = Literal["euclidean", "correlation", "cosine", "mahalanobis", "crossnobis"]
SAYS: dict[str, str] = {
    "euclidean": "squared Euclidean distance / number of units",
    "correlation": "1 - Pearson correlation",
    "cosine": "1 - cosine",
    "mahalanobis": "squared Mahalanobis distance / number of units",
    "crossnobis": "crossvalidated squared Mahalanobis distance / number of units",
}
BLOCK = 2**22  # numbers of a matrix that are held at a time, 32 MiB

Patterns = Float[np.ndarray, "stimulus unit"]
Pairs = Float[np.ndarray, " pair"]


def dissimilarities(
    recordings: Recording | Sequence[Recording],
    measure: Measure = "euclidean",
    *,
    noise: Shrinkage | Literal["identity"] | Float[np.ndarray, "unit unit"] = "ledoit-wolf",
    stimulus: str = "stimulus",
    fold: str = "fold",
) -> Dissimilarities:
    """The dissimilarity of every pair of stimuli, for every recording.

    Samples with the same label `stimulus` are repeats and are averaged; all recordings need the
    same stimuli, in any order. Recordings of one subject become its sessions.

    - "euclidean": squared, over the number of units, as in rsatoolbox;
    - "correlation", "cosine": 1 - r between the two patterns;
    - "mahalanobis": the squared distance after whitening by the covariance of the noise, over the
      number of units. `noise` is that covariance, or how it is estimated from the repeats;
    - "crossnobis": the same, with one factor from one fold and the other from all other folds, so
      that its mean is zero where two stimuli do not differ; negative values are right. The noise
      is estimated from the training folds only.

    Raises `ValueError` for fewer than four stimuli, other stimuli, nan, zero variance; raises
    `MemoryError` before anything is allocated that would not fit.
    """
    recordings = [recordings] if isinstance(recordings, Recording) else list(recordings)
    _check_measure(measure)
    names, subjects, places = None, *_rows(recordings)
    found: np.ndarray | None = None
    for recording, place in zip(recordings, places, strict=True):
        data = labelled(recording, stimulus, names)
        if found is None:
            names = data.names
            found = _room(len(subjects), 1 + max(s for _, s in places), data)
        found[place] = _one(data, recording, measure, noise, fold)
    assert found is not None
    assert names is not None
    sources = ", ".join(dict.fromkeys(r.source for r in recordings if r.source))
    return Dissimilarities(found, names, subjects, SAYS[measure], sources)


def _check_measure(measure: str) -> None:
    if measure not in get_args(Measure):
        raise ValueError(
            f"Expected a measure among {', '.join(get_args(Measure))}, but got {measure!r}, which "
            "has no formula here. Write `dissimilarities(recordings, 'correlation')`."
        )


def _rows(recordings: Sequence[Recording]) -> tuple[tuple[str, ...], list[tuple[int, int]]]:
    """Subjects, and (subject, session) of every recording."""
    sessions: dict[str, int] = {}
    places = []
    for recording in recordings:
        who = recording.subject or recording.name
        if who in sessions and not recording.subject:
            raise ValueError(
                f"Two recordings are named {who!r} and name no subject: are they two models, or "
                "two sessions of one subject? Give them names of their own, or say whose they "
                f"are: `Recording(responses, {who!r}, subject='monkey 1')`."
            )
        sessions[who] = sessions.get(who, -1) + 1
        places.append((list(sessions).index(who), sessions[who]))
    if not places:
        raise ValueError(
            "Expected at least one recording, but got none, so that there is nothing to compare. "
            "Write `dissimilarities(Recording(responses, 'V1'))`."
        )
    return tuple(sessions), places


def _room(subjects: int, sessions: int, data: Labelled) -> np.ndarray:
    """Where all dissimilarities go; missing sessions stay NaN."""
    n = len(data.names)
    pairs = n * (n - 1) // 2
    afford(
        8 * (subjects * sessions * pairs + 3 * data.values.size) + 5 * 8 * BLOCK,
        f"The dissimilarities of {n} stimuli, {subjects} subjects and {sessions} sessions",
        PAIRS,
        "Take fewer stimuli, or one recording after the other.",
    )
    return np.full((subjects, sessions, pairs), np.nan)


def _one(data: Labelled, recording: Recording, measure: str, noise, fold: str) -> Pairs:
    name = recording.name
    if measure == "crossnobis":
        return _crossnobis(data, _folds(recording, fold), noise)
    patterns = averaged(data)
    if measure == "mahalanobis":
        patterns = _whitened(patterns, _whitener(data, noise, patterns))
    if measure in ("euclidean", "mahalanobis"):
        return _squared(patterns)
    if measure == "correlation":
        centred = patterns - patterns.mean(1, keepdims=True)
        varied(patterns, np.linalg.norm(centred, axis=1), name, "that vary over units")
        patterns = centred
    else:
        varied(patterns + 1.0, np.linalg.norm(patterns, axis=1), name, "longer than zero")
    patterns = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    return _upper(len(patterns), lambda rows: 1 - patterns[rows] @ patterns.T)


def _squared(patterns: Patterns) -> Pairs:
    """Squared distances over the number of units."""
    patterns = (patterns - patterns.mean(0)) / np.sqrt(patterns.shape[1])  # keeps more digits
    length = np.einsum("su,su->s", patterns, patterns)

    def block(rows: slice) -> np.ndarray:
        apart = patterns[rows] @ patterns.T
        apart *= -2
        apart += length
        apart += length[rows, None]
        return np.maximum(apart, 0, out=apart)

    return _upper(len(patterns), block)


def _upper(n: int, block) -> Pairs:
    """The upper triangle of a matrix that comes in blocks of rows."""
    found = np.empty(n * (n - 1) // 2)
    step, at = max(1, BLOCK // n), 0
    for start in range(0, n, step):
        rows = block(slice(start, start + step))
        for i, row in enumerate(rows, start):
            found[at : at + n - 1 - i] = row[i + 1 :]
            at += n - 1 - i
    return found


def _whitened(patterns: Patterns, whiten: np.ndarray | None) -> Patterns:
    return patterns if whiten is None else patterns @ whiten.T


def _whitener(data: Labelled, noise, means: Patterns) -> np.ndarray | None:
    if not isinstance(noise, str):
        _same_units(np.asarray(noise), means.shape[1])
        return whitener(noise)
    if noise == "identity":
        return None
    shown = len(np.unique(data.stimulus))
    residuals = data.values - means[data.stimulus]
    return whitener(noise_covariance(residuals, noise, degrees=len(residuals) - shown))


def _same_units(noise: np.ndarray, units: int) -> None:
    if noise.shape != (units, units):
        raise ValueError(
            f"Expected a noise covariance of {units} x {units} units, but got the shape "
            f"{noise.shape}: every unit needs its variance and its covariance with all others. "
            "Make one: `noise_covariance(residuals)`."
        )


def _folds(recording: Recording, fold: str) -> np.ndarray:
    given = recording.labels.get(fold)
    if given is None or len(set(given)) < 2:
        raise ValueError(
            f"Crossnobis needs a label {fold!r} with at least two folds (runs, repeats), but the "
            f"recording {recording.name!r} has labels {sorted(recording.labels)}: the two factors "
            "of the product must come from separate data. Label them, "
            "`labels={'stimulus': ..., 'fold': ...}`, or take 'mahalanobis'."
        )
    return np.unique(np.array([str(each) for each in given]), return_inverse=True)[1]


def _crossnobis(data: Labelled, folds: np.ndarray, noise) -> Pairs:
    """Every fold against all others: (train_i - train_j)' precision (test_i - test_j)."""
    many, units = int(folds.max()) + 1, data.values.shape[1]
    trains, tests = [], []
    for fold in range(many):
        inside = folds == fold
        test, train = (_means(data, inside), _means(data, ~inside))
        rest = Labelled(data.values[~inside], data.stimulus[~inside], data.names)
        whiten = _whitener(rest, noise, train)  # never sees the fold that is tested
        trains.append(_whitened(train, whiten))
        tests.append(_whitened(test, whiten))
    one, other = np.hstack(trains), np.hstack(tests)
    scale = 1 / (many * units)
    own = np.einsum("su,su->s", one, other)

    def block(rows: slice) -> np.ndarray:
        both = one[rows] @ other.T + other[rows] @ one.T
        return scale * (own[rows, None] + own - both)

    return _upper(len(one), block)


def _means(data: Labelled, inside: np.ndarray) -> Patterns:
    total, count = totals(Labelled(data.values[inside], data.stimulus[inside], data.names))
    lacks = [data.names[k] for k in np.flatnonzero(count == 0)]
    if lacks:
        raise ValueError(
            f"Every fold needs every stimulus, but one lacks {len(lacks)}: {lacks[:10]}. "
            "Without them there is no independent second estimate. Join folds until each has all "
            "stimuli, or leave these stimuli out."
        )
    return total / count[:, None]
