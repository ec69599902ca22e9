"""Examples to learn from. To add one: a file here, and a line below."""

from .adding import Adding as Adding
from .bubbles import Bubbles as Bubbles
from .copied import Copied as Copied
from .digits import Digits as Digits
from .encoder import Encoder as Encoder
from .examples import Examples as Examples
from .interleaved import Interleaved as Interleaved
from .interrupted import Interrupted as Interrupted
from .lists import Lists as Lists
from .mnist_1d import MNIST1D as MNIST1D
from .moving_patches import MovingPatches as MovingPatches
from .noisy import Noisy as Noisy
from .one_of import OneOf as OneOf
from .parity import Parity as Parity
from .patches import Patches as Patches
from .path_integration import PathIntegration as PathIntegration
from .placed import Placed as Placed
from .recall import Recall as Recall
from .shown import Shown as Shown
from .some_classes import SomeClasses as SomeClasses
from .spaced import Spaced as Spaced
from .spike_streams import SpikeStreams as SpikeStreams
from .squared import Squared as Squared
from .store_recall import StoreRecall as StoreRecall
from .turned import Turned as Turned
from .twelve_ax import TwelveAX as TwelveAX
