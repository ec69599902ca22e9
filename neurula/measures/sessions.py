"""Several sessions of one subject as one recording: repeats of the same units, or further units.

How reliability grows with repeats: Spearman (1910), Br. J. Psychol. 3:271; Brown (1910), Br. J.
Psychol. 3:296 (see `split_half`).
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from ..contracts import Recording

Sessions = Literal["repeats", "units"]


def joined_sessions(
    recordings: Sequence[Recording], sessions: Sessions | None = None
) -> list[Recording]:
    """One recording for each subject; sessions are recordings that name the same subject.

    - "repeats": the same units, in the same order, were measured again. Samples lie below each
      other, and the label `repeat` says from which session each is, so that halves of repeats hold
      whole sessions.
    - "units": other units. They lie beside each other; a stimulus that was shown as often in every
      session keeps its repeats, otherwise the repeats of every session are averaged.

    Nothing in the numbers tells which of the two it is, so that `None` refuses. Raises `ValueError`
    for that, for repeats with other numbers of units, and for units with other stimuli.
    """
    by_subject: dict[str, list[Recording]] = {}
    for each in recordings:
        by_subject.setdefault(each.subject or each.name, []).append(each)
    return [
        parts[0] if len(parts) == 1 else _join(whose, parts, sessions)
        for whose, parts in by_subject.items()
    ]


def _join(whose: str, parts: list[Recording], sessions: Sessions | None) -> Recording:
    sizes = [part.responses.shape[1] for part in parts]
    if sessions is None:
        raise ValueError(
            f"Expected one recording of {whose!r} in {parts[0].name!r}, but got {len(parts)} "
            f"sessions with {sizes} units. Whether they hold the same units again or other units "
            "changes what is averaged, and the numbers do not tell. Say which: --sessions repeats "
            "or --sessions units (`joined_sessions(recordings, 'repeats')`)."
        )
    return _below(whose, parts, sizes) if sessions == "repeats" else _beside(whose, parts)


def _below(whose: str, parts: list[Recording], sizes: list[int]) -> Recording:
    if len(set(sizes)) > 1:
        raise ValueError(
            f"Expected the same units in all sessions of {whose!r}, but got {sizes} of them: "
            "repeats are averaged unit by unit. Keep the units that all sessions have, in one "
            "order, or take them for other units: --sessions units."
        )
    number = [str(k + 1) for k, part in enumerate(parts) for _ in range(len(part.responses))]
    shown = [name for part in parts for name in _stimuli(part)]
    labels = {"stimulus": tuple(shown), "repeat": tuple(number)}
    rows = np.concatenate([np.asarray(part.responses, float) for part in parts])
    return dataclasses.replace(parts[0], responses=rows, labels=labels)


def _beside(whose: str, parts: list[Recording]) -> Recording:
    counts = [Counter(_stimuli(part)) for part in parts]
    first = counts[0]
    if other := sorted({name for each in counts for name in {*each} ^ {*first}}):
        raise ValueError(
            f"Expected the same stimuli in all sessions of {whose!r}, but {len(other)} are missing "
            f"in some: {other[:10]}. Units of two sessions can only be taken together where both "
            "answered. Leave these stimuli out of the file, or score the sessions one by one."
        )
    alike = all(each == first for each in counts)
    blocks = [_ordered(part, [*first], average=not alike) for part in parts]
    times = [first[name] if alike else 1 for name in first]
    shown = tuple(name for name, many in zip(first, times, strict=True) for _ in range(many))
    return dataclasses.replace(
        parts[0], responses=np.hstack(blocks), labels={"stimulus": shown}, positions=None
    )


def _ordered(part: Recording, names: list[str], *, average: bool) -> np.ndarray:
    """The samples, or their means, stimulus by stimulus in this order."""
    rows, shown = np.asarray(part.responses, float), np.array(_stimuli(part))
    found = [rows[shown == name] for name in names]
    return np.concatenate([each.mean(0, keepdims=True) if average else each for each in found])


def _stimuli(part: Recording) -> list[str]:
    """The stimulus of every sample; without names its number."""
    return [str(x) for x in part.labels.get("stimulus", range(len(part.responses)))]
