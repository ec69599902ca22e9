"""Real data, named, cited, checksummed. To add one: a file here, and a line below."""

from .brain92 import BRAIN92 as BRAIN92
from .digits import DIGITS as DIGITS
from .efficientnet_lite0 import EFFICIENTNET_LITE0 as EFFICIENTNET_LITE0
from .fashion_mnist import FASHION_MNIST as FASHION_MNIST
from .mnist_10k import MNIST_10K as MNIST_10K
from .photographs import PHOTOGRAPHS as PHOTOGRAPHS
from .store import (
    available as available,
    get as get,
    info as info,
    load as load,
    names as names,
    path as path,
)
from .trajectories import TRAJECTORIES as TRAJECTORIES
