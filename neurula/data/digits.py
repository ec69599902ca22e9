"""Handwritten digits of 13 people, 8 x 8 pixels.

Alpaydin & Kaynak 1998, Cascading classifiers, Kybernetika 34(4), 369-374.
"""

import io

import numpy as np

from .dataset import DataSet, Files
from .packages import Installed


def _read(files: Files) -> dict[str, np.ndarray]:
    (table,) = files.values()
    rows = np.loadtxt(io.BytesIO(table), delimiter=",", dtype=np.uint8)
    return {"images": rows[:, :-1].reshape(-1, 8, 8), "labels": rows[:, -1]}


DIGITS = DataSet(
    name="digits",
    holds="images (1797, 8, 8), ink from 0 to 16; labels (1797,), the digit",
    citation="Alpaydin & Kaynak 1998, Cascading classifiers, Kybernetika 34(4), 369-374; "
    "the test part of UCI's Optical Recognition of Handwritten Digits, doi 10.24432/C50P49",
    licence="CC-BY-4.0 (the data, by UCI), BSD-3-Clause (scikit-learn)",
    package=Installed("scikit-learn", module="sklearn"),
    files=("sklearn/datasets/data/digits.csv.gz",),
    checksum="6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
    size=0,
    read=_read,
)
