"""MATLAB's files: up to version 7 by SciPy, version 7.3, which is HDF5, by h5py."""

from pathlib import Path
from typing import Any

import numpy as np

from ..free_memory import afford
from .arrays import Arrays


def read_mat(path: Path) -> Arrays:
    """All arrays and texts by name; of structures and cells each field and element by its own.

    `RDMs[0, 1].RDM` of MATLAB is called "RDMs/0/1/RDM" here, counted from 0.
    """
    from scipy.io import loadmat

    with path.open("rb") as file:
        newer = b"MATLAB 7.3" in file.read(128)
    afford(
        4 * path.stat().st_size,
        f"The arrays in {path}",
        "they are packed, and counted as four times the size of the file",
        "Save in MATLAB what is needed alone.",
    )
    found: Arrays = {}
    if not newer:
        try:
            content = loadmat(path)
        except Exception as error:  # SciPy raises many kinds
            raise ValueError(f"it is no MATLAB file that SciPy knows: {error}") from error
        for name, value in content.items():
            if not name.startswith("__"):
                _unpack(name, value, found)
        return found
    import h5py

    with h5py.File(path) as file:
        for name in file:
            if not name.startswith("#"):
                _unpack_newer(name, file[name], file, found)
    return found


def _unpack(name: str, value: Any, found: Arrays) -> None:
    """Take structures and cells apart."""
    value = np.asarray(value)
    if value.dtype.names:
        for place in np.ndindex(value.shape):
            for field in value.dtype.names:
                _unpack("/".join([name, *map(str, place), field]), value[place][field], found)
    elif value.dtype == object:
        for place in np.ndindex(value.shape):
            _unpack("/".join([name, *map(str, place)]), value[place], found)
    else:
        found[name] = value


def _unpack_newer(name: str, item: Any, file: Any, found: Arrays) -> None:
    """The same in HDF5: structures are groups, cells are references; axes are the other way."""
    import h5py

    if isinstance(item, h5py.Group):
        for field in item:
            _unpack_newer(f"{name}/{field}", item[field], file, found)
        return
    if item.attrs.get("MATLAB_empty", 0):
        return
    value = item[()].T
    if value.dtype == object:
        for place in np.ndindex(value.shape):
            inner = "/".join([name, *map(str, place)])
            _unpack_newer(inner, file[value[place]], file, found)
    elif item.attrs.get("MATLAB_class", b"") == b"char":
        found[name] = np.array(["".join(map(chr, row)) for row in np.atleast_2d(value)])
    else:
        found[name] = value
