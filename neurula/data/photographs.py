"""Two colour photographs: a palace in China, and a flower.

By Daniel Buechele (china) and by the Flickr user vultilion (flower), 2011.
"""

import io

import numpy as np

from .dataset import DataSet, Files
from .packages import Installed


def _read(files: Files) -> dict[str, np.ndarray]:
    from PIL import Image

    pictures = [np.asarray(Image.open(io.BytesIO(content))) for content in files.values()]
    return dict(zip(("china", "flower"), pictures, strict=True))


PHOTOGRAPHS = DataSet(
    name="photographs",
    holds="china, flower (427, 640, 3), red, green and blue from 0 to 255, gamma-encoded",
    citation="china.jpg by danielbuechele, flower.jpg by vultilion (Flickr, 2011), "
    "in Pedregosa et al. 2011, Scikit-learn, JMLR 12, 2825-2830",
    licence="CC-BY-2.0",
    package=Installed("scikit-learn", module="sklearn"),
    files=("sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg"),
    checksum="c1ef34f251839d4aea0f512ef005eeba01e9109bce8f7f4b7c4da6e3f45c54e5",
    size=0,
    read=_read,
)
