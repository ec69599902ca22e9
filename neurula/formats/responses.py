"""What a file holds of brains or models: responses or dissimilarities, by area or layer."""

import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..contracts import Dissimilarities, Recording
from .arrays import Arrays, read_arrays
from .matrices import STIMULI, described, from_rsatoolbox, from_structures, joined, texts

FOLDS = ("folds", "fold", "runs", "run", "repeats", "repeat")


class Contents(NamedTuple):
    """Responses, or dissimilarities, by area or layer; a place is in one of the two."""

    recordings: dict[str, tuple[Recording, ...]]  # of one subject or several
    dissimilarities: dict[str, Dissimilarities]
    named: bool  # whether stimuli have names; else they are numbered in their order


def read_responses(path: str | os.PathLike, *, flatten: bool = False) -> Contents:
    """Responses or dissimilarities in a .npz, .npy, .csv, .tsv, .h5, .hdf5, .mat or .nwb file.

    An array is called by its area or layer, "area/subject" or, for recordings of one subject in
    several sessions, "area/subject/session". It holds responses (stimulus,
    unit), or dissimilarities where it is symmetric with an empty diagonal: (stimulus, stimulus), or
    (subject, stimulus, stimulus). Texts called "stimuli" name the rows; numbers or texts called
    "folds" say which run a row is from. With `flatten` further axes, as of maps of features, become
    units. Files of rsatoolbox, structures with fields `RDM` and `name`, and NWB files with units
    and a table of trials are known; "file.nwb:table" chooses another table of intervals.

    Raises what `read_arrays` does, and `ValueError` for what has none of these shapes.
    """
    if found := re.fullmatch(r"(.+\.nwb)(?::([^/\\]+))?", os.fspath(path), re.I):
        from .nwb_trials import responses_of_trials

        file, table = found.groups()
        return Contents(responses_of_trials(Path(file), table or ""), {}, named=True)
    path = Path(path)
    arrays = read_arrays(path)
    if "dissimilarities" in arrays:
        has_names = any(f"pattern_descriptors/{name}" in arrays for name in STIMULI)
        return Contents({}, from_rsatoolbox(arrays, path), named=has_names)
    if "measurements" in arrays:
        return _rsatoolbox_dataset(arrays, path)
    if any(name.endswith("/RDM") for name in arrays):
        return Contents({}, from_structures(arrays, path), named=False)
    return _plain(arrays, path, flatten=flatten)


def _plain(arrays: Arrays, path: Path, *, flatten: bool) -> Contents:
    names, folds = _texts(arrays, STIMULI), _texts(arrays, FOLDS)
    recordings: dict[str, list[Recording]] = {}
    matrices: dict[str, list[tuple[str, np.ndarray]]] = {}
    for name, array in arrays.items():
        if name.lower() in (*STIMULI, *FOLDS) or array.dtype.kind in "UST" or array.ndim == 0:
            continue
        _check_numbers(array, name, path)
        place, subject = (*name.split("/"), "")[:2]  # what follows is a session
        if _symmetric(array):
            planes = array[None] if array.ndim == 2 else array
            whose = [subject or str(k + 1) for k in range(len(planes))]
            matrices.setdefault(place, []).extend(zip(whose, planes, strict=True))
        else:
            rows = _rows(array, name, path, names, flatten=flatten)
            labels = _labels(names, folds, len(rows), name, path)
            one = Recording(rows, place, source=str(path), labels=labels, subject=subject)
            recordings.setdefault(place, []).append(one)
    if not recordings and not matrices:
        held = ", ".join(f"{n} {a.shape} {a.dtype}" for n, a in arrays.items()) or "nothing"
        raise ValueError(
            f"Expected in {path} responses (stimulus, unit) or dissimilarities, but found {held}. "
            "Save arrays by the name of their area: "
            "`numpy.savez(path, V1=responses, stimuli=names)`."
        )
    found = {place: joined(place, rows, names, path) for place, rows in matrices.items()}
    return Contents({k: tuple(v) for k, v in recordings.items()}, found, named=names is not None)


def _texts(arrays: Arrays, known: tuple[str, ...]) -> tuple[str, ...] | None:
    """The first array with one of the known names, as texts."""
    for name, array in arrays.items():
        if name.lower() in known:
            return texts(array)
    return None


def _check_numbers(array: np.ndarray, name: str, path: Path) -> None:
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"Expected real numbers in {name!r} of {path}, but got the type {array.dtype}: nothing "
            "says which part is the response. Save `numpy.abs(responses)`, or what you mean."
        )


def _symmetric(array: np.ndarray) -> bool:
    """Whether these are square matrices that mirror themselves, with nothing on the diagonal."""
    if array.ndim not in (2, 3) or array.shape[-1] != array.shape[-2] or array.shape[-1] < 2:
        return False
    diagonal = np.diagonal(array, axis1=-2, axis2=-1)
    mirrored = np.swapaxes(array, -1, -2)
    empty = bool(np.all((np.abs(diagonal) < 1e-6) | np.isnan(diagonal)))
    return empty and np.allclose(array, mirrored, rtol=1e-4, atol=1e-8, equal_nan=True)


def _rows(
    array: np.ndarray, name: str, path: Path, names: tuple[str, ...] | None, *, flatten: bool
) -> np.ndarray:
    """Responses as a matrix."""
    if array.ndim == 2:
        return array
    if array.ndim > 2 and (flatten or (names is not None and len(names) == len(array))):
        return array.reshape(len(array), -1)
    raise ValueError(
        f"Expected {name!r} of {path} to be (stimulus, unit), but got the shape {array.shape}: it "
        "cannot be told which axis is which. Save one matrix for each subject under the name "
        "'area/subject', or `responses.reshape(len(responses), -1)`."
    )


def _labels(
    names: tuple[str, ...] | None,
    folds: tuple[str, ...] | None,
    rows: int,
    name: str,
    path: Path,
) -> dict[str, tuple[str, ...]]:
    labels = {}
    for label, values in (("stimulus", names), ("fold", folds)):
        if values is None:
            continue
        if len(values) != rows:
            raise ValueError(
                f"Expected one {label} for each row of {name!r} in {path}, but there are "
                f"{len(values)} for {rows} rows: which belong together cannot be told. Save as "
                "many names as rows, in their order; repeats of a stimulus share its name."
            )
        labels[label] = values
    return labels


def _rsatoolbox_dataset(arrays: Arrays, path: Path) -> Contents:
    """Responses as `Dataset.save` of rsatoolbox writes them."""
    names = described(arrays, "obs_descriptors", STIMULI)
    folds = described(arrays, "obs_descriptors", FOLDS)
    rows = arrays["measurements"]
    labels = _labels(names, folds, len(rows), "measurements", path)
    one = Recording(rows, path.stem, source=str(path), labels=labels)
    return Contents({path.stem: (one,)}, {}, named=names is not None)
