"""From recordings to patterns: one row for each stimulus, matched by name, repeats averaged."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..contracts import Recording
from ..free_memory import afford

LARGE = 2**27  # numbers, from which on memory is looked at before they are
LEAST = 4  # stimuli; three have three pairs, and no rank order worth the name

Matrix = Float[np.ndarray, "sample unit"]


class Labelled(NamedTuple):
    """Responses with the number of the stimulus of every sample."""

    values: Matrix
    stimulus: Int[np.ndarray, " sample"]
    names: tuple[str, ...]


def checked(recording: Recording) -> Matrix:
    """The responses as float64. Raises `ValueError` for what is no finite real number."""
    values = np.asarray(recording.responses)
    if values.dtype.kind not in "fiub":
        raise ValueError(
            f"The recording {recording.name!r} has responses of the type {values.dtype}, but real "
            "numbers were expected: nothing says which part of them is the response. Choose: "
            "`np.abs(responses)` for complex numbers, `np.stack(list(responses))` for objects."
        )
    if values.size > LARGE:  # perhaps a file that is only mapped into memory
        afford(
            (1 if values.dtype == np.float64 else 9) * values.size,
            f"The {values.shape[0]} x {values.shape[1]} responses of {recording.name!r} in float64",
            "all of them are looked at together",
            "Average repeats first, or take fewer units: `responses[:, ::10]`.",
        )
    values = values.astype(np.float64, copy=False)
    finite = np.isfinite(values)
    if not finite.all():
        samples, units = np.flatnonzero(~finite.all(1)), np.flatnonzero(~finite.all(0))
        raise ValueError(
            f"The recording {recording.name!r} has {np.count_nonzero(~finite)} responses that are "
            f"nan or infinite, in {samples.size} samples (first: {samples[:5].tolist()}) and "
            f"{units.size} units (first: {units[:5].tolist()}). Dissimilarities over other units "
            "for every pair cannot be compared. Leave such units out: "
            "`responses[:, np.isfinite(responses).all(0)]`."
        )
    return values


def labelled(recording: Recording, label: str, names: Sequence[str] | None) -> Labelled:
    """The samples with their stimuli, numbered in the order of `names` (`None`: as they come).

    Without such a label every sample is a stimulus of its own, named by its number.
    """
    values = checked(recording)
    given = recording.labels.get(label, range(len(values)))
    come = list(dict.fromkeys(map(str, given)))
    names = tuple(come if names is None else names)
    if len(names) < LEAST:
        raise ValueError(
            f"The recording {recording.name!r} has {len(names)} stimuli, but at least {LEAST} are "
            f"needed: {len(names)} stimuli have {len(names) * (len(names) - 1) // 2} pairs, and "
            "any two orders of so few agree by chance. Show more stimuli, or take single trials: "
            f"`labels={{{label!r}: tuple(range(samples))}}`."
        )
    number = {name: k for k, name in enumerate(names)}
    if set(number) != set(come):
        lacks, more = [n for n in names if n not in come], [n for n in come if n not in number]
        raise ValueError(
            f"All recordings need the same stimuli, but {recording.name!r} lacks {len(lacks)} "
            f"({lacks[:10]}) and has {len(more)} others ({more[:10]}). Pairs are matched by name, "
            "and a pair without both names has no counterpart. Leave out of the others what one "
            "lacks, or mend the names in `labels`."
        )
    return Labelled(values, np.array([number[str(name)] for name in given]), names)


def averaged(found: Labelled) -> Matrix:
    """The mean response to every stimulus: (stimulus, unit)."""
    total, count = totals(found)
    return total if (count == 1).all() else total / count[:, None]


def totals(found: Labelled) -> tuple[Matrix, Float[np.ndarray, " stimulus"]]:
    """The sum of the responses to every stimulus, and how many there are."""
    size = len(found.names)
    count = np.bincount(found.stimulus, minlength=size).astype(np.float64)
    order = np.argsort(found.stimulus, kind="stable")
    values = found.values
    if not np.array_equal(order, np.arange(len(order))):
        values = values[order]
    if len(values) == size and (count == 1).all():
        return values, count
    total = np.zeros((size, values.shape[1]))
    there = np.flatnonzero(count)
    starts = np.concatenate([[0], np.cumsum(count[there])[:-1]]).astype(int)
    total[there] = np.add.reduceat(values, starts, axis=0)
    return total, count


def varied(patterns: Matrix, spread: Float[np.ndarray, " stimulus"], name: str, what: str) -> None:
    """Raise `ValueError` that lists the patterns whose `spread` is zero."""
    size = np.sqrt(np.einsum("su,su->s", patterns, patterns))
    flat = np.flatnonzero(spread <= 1e-12 * size)
    if flat.size:
        raise ValueError(
            f"Expected patterns {what}, but {flat.size} of {len(patterns)} in {name!r} have zero "
            f"variance or length: stimuli {flat[:10].tolist()}. Such a pattern points nowhere, so "
            "that it has no angle and no correlation. Leave these stimuli out, or take distances: "
            "`dissimilarities(recordings, 'euclidean')`."
        )


def without_means(
    patterns: Matrix, groups: Int[np.ndarray, " stimulus"]
) -> Float[np.ndarray, "stimulus unit"]:
    """What is left of responses once the mean over the stimuli of the same group is taken off."""
    members = np.eye(int(groups.max()) + 1)[groups]
    share = members / np.maximum(members.sum(0), 1)
    return patterns - members @ (share.T @ patterns)
