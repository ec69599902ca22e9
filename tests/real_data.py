"""Data for tests that nobody may commit: read where somebody has them, skipped with a reason."""

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from neurula import data


@functools.cache
def _found(name: str) -> dict[str, np.ndarray] | None:
    known = data.info(name)
    folder = os.environ.get(f"NEURULA_{name.replace('-', '_').upper()}")
    if folder:  # of the set's own files
        files = {each: (Path(folder) / Path(each).name).read_bytes() for each in known.files}
        return known.open(files)
    return data.load(name) if data.available(name) else None


def real(name: str) -> dict[str, np.ndarray]:
    """The arrays of a data set. Skips the test where they are not on this computer."""
    found = _found(name)
    if found is None:
        variable = f"NEURULA_{name.replace('-', '_').upper()}"
        pytest.skip(f"{name} is not here: `neurula data get {name}`, or {variable}=FOLDER")
    return found
