"""Who acts, and learns by it. To add one: a file here, and a line below."""

from .dqn import DQN as DQN
from .episodic_control import MFEC as MFEC
from .neural_episodic_control import NEC as NEC
from .random import Random as Random
from .scripted import Scripted as Scripted
