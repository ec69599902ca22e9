"""Photographs of clothes in ten classes, 28 x 28 pixels.

Xiao, Rasul & Vollgraf 2017, Fashion-MNIST: a novel image dataset, arXiv:1708.07747.
"""

import numpy as np

from .dataset import DataSet, Files
from .packages import Apt

_FOLDER = "usr/share/datasets/fashion-mnist"


def _read(files: Files) -> dict[str, np.ndarray]:
    names = ("train_images", "train_labels", "test_images", "test_labels")
    arrays = {}
    for name, content in zip(names, files.values(), strict=True):
        header = 16 if name.endswith("images") else 8  # the sizes of the axes stand before
        numbers = np.frombuffer(content, np.uint8, offset=header)
        arrays[name] = numbers.reshape(-1, 28, 28) if header == 16 else numbers
    return arrays


FASHION_MNIST = DataSet(
    name="fashion-mnist",
    holds="train_images (60000, 28, 28), test_images (10000, 28, 28), 0 to 255; train_labels, "
    "test_labels: 0 T-shirt, 1 trousers, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, "
    "7 sneaker, 8 bag, 9 ankle boot",
    citation="Xiao, Rasul & Vollgraf 2017, Fashion-MNIST: a novel image dataset for benchmarking "
    "machine learning algorithms, arXiv:1708.07747",
    licence="MIT",
    package=Apt("dataset-fashion-mnist"),
    files=(
        f"{_FOLDER}/train-images-idx3-ubyte.gz",
        f"{_FOLDER}/train-labels-idx1-ubyte.gz",
        f"{_FOLDER}/t10k-images-idx3-ubyte.gz",
        f"{_FOLDER}/t10k-labels-idx1-ubyte.gz",
    ),
    checksum="14410854cf7a289477dcfc7df3f8ec24741e281cdcc425ede0d9a748ca630214",
    size=30_900_652,
    read=_read,
)
