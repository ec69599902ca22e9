"""Who acts, and learns by it. To add one: a file here, and a line below."""

from .a2c import A2C as A2C
from .dqn import DQN as DQN
from .random import Random as Random
from .scripted import Scripted as Scripted
from .shuffled import Shuffled as Shuffled
