"""Arrays by name out of files of every usual kind, read without running any code in them."""

import csv
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..free_memory import afford
from .hdf5 import check_hdf5

Arrays = dict[str, np.ndarray]  # names of texts and numbers; nested ones joined by "/"


def read_arrays(path: str | os.PathLike) -> Arrays:
    """All arrays of a file, by name: .npz, .npy, .csv, .tsv, .h5, .hdf5, .mat (both versions).

    `.npy` files are mapped into memory, not read. Structures of MATLAB files become names with a
    "/". Raises `FileNotFoundError`, `MemoryError` for what would not fit, and `ValueError` for
    files of other kinds, cut off or damaged ones, and arrays of objects.
    """
    path = Path(path)
    readers: dict[str, Callable[[Path], Arrays]] = {
        ".npy": _npy,
        ".npz": _npz,
        ".csv": _csv,
        ".tsv": _csv,
        ".h5": _hdf5,
        ".hdf5": _hdf5,
        ".mat": _mat,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{path} should be one of {', '.join(readers)}, but ends in {path.suffix!r}: what is "
            "in it cannot be told. Save the arrays by name: `numpy.savez('responses.npz', "
            "V1=responses, stimuli=names)`."
        )
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(
            f"{path} should be a file with responses, but {what} (looked from {Path.cwd()}). Give "
            "a path that exists: `pathlib.Path(folder).glob('*')` lists what is there."
        )
    try:
        return reader(path)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        if isinstance(error, ValueError) and str(error).startswith("Expected"):
            raise
        if "allow_pickle" in str(error):
            raise ValueError(
                f"Expected numbers and texts in {path}, but got arrays of objects, which are read "
                "by running code that is in the file. Save plain arrays, one for each area: "
                "`numpy.savez(path, V1=numpy.stack(list(responses)))`."
            ) from None
        raise ValueError(
            f"{path} should be a whole {path.suffix} file, but could not be read: {error}. Its "
            f"{path.stat().st_size:,} bytes are cut off, damaged or of another kind. Copy or "
            "download it again, and compare the sizes."
        ) from error


def _sized(path: Path, needed: int) -> None:
    afford(
        needed,
        f"The arrays in {path}",
        "all of them are read at once",
        "Save one area after another, or as .npy files, which are not read but mapped.",
    )


def _npy(path: Path) -> Arrays:
    found = np.load(path, mmap_mode="r", allow_pickle=False)
    return {path.stem: found}


def _npz(path: Path) -> Arrays:
    with zipfile.ZipFile(path) as file:
        _sized(path, sum(each.file_size for each in file.infolist()))
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _csv(path: Path) -> Arrays:
    """A line of names of units, then a line for each stimulus: its name and its responses."""
    _sized(path, 4 * path.stat().st_size)
    mark = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.reader(file, delimiter=mark) if line]
    width = {len(line) for line in lines}
    if len(lines) < 2 or len(width) != 1:
        raise ValueError(
            f"Expected in {path} a line of heads and lines of equal length below it, but got "
            f"{len(lines)} lines with {sorted(width)} cells. The first cell of a line names its "
            "stimulus: `stimulus,unit1,unit2` and then `face,0.3,1.2`."
        )
    names = [line[0].strip() for line in lines[1:]]
    rows = [[_number(cell, path, k, name) for k, cell in enumerate(line[1:], 2)]
            for name, line in zip(names, lines[1:], strict=True)]  # fmt: skip
    return {path.stem: np.array(rows), "stimuli": np.array(names)}


def _number(cell: str, path: Path, column: int, row: str) -> float:
    cell = cell.strip()
    if not cell:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        raise ValueError(
            f"Expected in {path} a number in the line of {row!r}, cell {column}, but got {cell!r}. "
            "The first cell of a line names its stimulus, all others are numbers; leave a cell "
            "empty where nothing was measured."
        ) from None


def _hdf5(path: Path) -> Arrays:
    import h5py

    check_hdf5(path)
    found: Arrays = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            kind = h5py.check_string_dtype(item.dtype)
            found[name] = item.asstr()[()] if kind else item[()]

    with h5py.File(path) as file:
        sizes: list[int] = []
        file.visititems(lambda _, item: sizes.append(getattr(item, "nbytes", 0) or 0))
        _sized(path, sum(sizes))
        file.visititems(visit)
    return found


def _mat(path: Path) -> Arrays:
    from .matlab import read_mat

    return read_mat(path)
