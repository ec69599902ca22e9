"""Who acts, and learns by it. To add one: a file here, and a line below."""

from .a2c import A2C as A2C
from .controller import Controller as Controller
from .dqn import DQN as DQN
from .dyna import Dyna as Dyna
from .episodic_control import MFEC as MFEC
from .exploration import (
    AbstractExploration as AbstractExploration,
    EpsilonGreedy as EpsilonGreedy,
    Softmax as Softmax,
    Uniform as Uniform,
    greedy as greedy,
)
from .forager import Forager as Forager
from .gain import backup_value as backup_value, gain as gain, need as need
from .model_based import ModelBased as ModelBased
from .neural_episodic_control import NEC as NEC
from .planning import (
    action_values as action_values,
    policy_chain as policy_chain,
    policy_values as policy_values,
    successor_matrix as successor_matrix,
    value_iteration as value_iteration,
)
from .prioritised_sweeping import PrioritisedSweeping as PrioritisedSweeping
from .q_learning import QLearning as QLearning
from .random import Random as Random
from .reinforce import Reinforce as Reinforce
from .replayed import Replayed as Replayed, replayed as replayed
from .sarsa import Sarsa as Sarsa
from .scripted import Scripted as Scripted
from .shuffled import Shuffled as Shuffled
from .state_action_successor import StateActionSuccessor as StateActionSuccessor
from .successor import Successor as Successor
