"""Files of dissimilarities: structures in MATLAB's files, and what rsatoolbox writes.

Nili et al. (2014), PLoS Comput. Biol. 10:e1003553; van den Bosch et al. (2025), eLife 14:107828.
"""

from pathlib import Path

import numpy as np

from ..contracts import Dissimilarities
from .arrays import Arrays

STIMULI = ("stimuli", "stimulus", "stim", "conditions", "condition", "conds", "names")
Rows = list[tuple[str, np.ndarray]]  # subject, matrix


def joined(place: str, rows: Rows, names: tuple[str, ...] | None, path: Path) -> Dissimilarities:
    """Matrices of one area, by subject; those of the same subject are its sessions."""
    size = {len(matrix) for _, matrix in rows}
    n = size.pop()
    if size or (names is not None and len(names) != n):
        raise ValueError(
            f"Expected the matrices of {place!r} in {path} to hold the same stimuli, but their "
            f"sizes are {sorted({n, *size})}, and {len(names or ())} stimuli are named. Leave out "
            "what the others lack, and save one list of names."
        )
    subjects = tuple(dict.fromkeys(subject for subject, _ in rows))
    by_subject = [[m for who, m in rows if who == subject] for subject in subjects]
    most = max(map(len, by_subject))
    upper = np.triu_indices(n, 1)
    values = np.full((len(subjects), most, len(upper[0])), np.nan)
    for k, matrices in enumerate(by_subject):
        for session, matrix in enumerate(matrices):
            values[k, session] = np.asarray(matrix, float)[upper]
    return Dissimilarities(values, names or numbered(n), subjects, source=str(path))


def numbered(n: int) -> tuple[str, ...]:
    """Names for stimuli or subjects that have none."""
    return tuple(str(k + 1) for k in range(n))


def from_structures(arrays: Arrays, path: Path) -> dict[str, Dissimilarities]:
    """Structures with fields `RDM` and `name`, as "hIT | subject | session" by Nili's toolbox."""
    found: dict[str, Rows] = {}
    for name, matrix in arrays.items():
        if not name.endswith("/RDM"):
            continue
        stem = name.removesuffix("RDM")
        said = "".join(map(str, np.ravel(arrays.get(f"{stem}name", np.array(stem)))))
        place, _, rest = (part.strip() for part in said.partition("|"))
        subject = rest.partition("|")[0].strip() or "1"
        found.setdefault(place, []).append((subject, _square(matrix, name, path)))
    return {place: joined(place, rows, None, path) for place, rows in found.items()}


def _square(matrix: np.ndarray, name: str, path: Path) -> np.ndarray:
    """A matrix from one, or from its condensed upper triangle."""
    flat = np.ravel(matrix)
    n = round((1 + (1 + 8 * flat.size) ** 0.5) / 2)
    if matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]:
        return matrix
    if n * (n - 1) // 2 != flat.size:
        raise ValueError(
            f"Expected {name!r} in {path} to be a square matrix or its upper triangle, but got the "
            f"shape {matrix.shape}: {flat.size} are the pairs of no number of stimuli."
        )
    full = np.zeros((n, n))
    full[np.triu_indices(n, 1)] = flat
    return full + full.T


def from_rsatoolbox(arrays: Arrays, path: Path) -> dict[str, Dissimilarities]:
    """Dissimilarities as `RDMs.save` of rsatoolbox writes them, by region if it names any."""
    rows = [_square(row, "dissimilarities", path) for row in arrays["dissimilarities"]]
    names = described(arrays, "pattern_descriptors", (*STIMULI, "index"))
    whose = described(arrays, "rdm_descriptors", ("subject", "subj", "name", "index"))
    whose = whose or numbered(len(rows))
    places = described(arrays, "rdm_descriptors", ("roi", "area", "ROI"))
    found: dict[str, Rows] = {}
    for place, subject, row in zip(places or [path.stem] * len(rows), whose, rows, strict=True):
        found.setdefault(place, []).append((subject, row))
    return {place: joined(place, each, names, path) for place, each in found.items()}


def described(arrays: Arrays, group: str, known: tuple[str, ...]) -> tuple[str, ...] | None:
    """The first known descriptor of a group of rsatoolbox, as texts."""
    for name in known:
        if (array := arrays.get(f"{group}/{name}")) is not None:
            return texts(array)
    return None


def texts(array: np.ndarray) -> tuple[str, ...]:
    """Whatever names things, as texts."""
    return tuple((x.decode() if isinstance(x, bytes) else str(x)).strip() for x in np.ravel(array))
