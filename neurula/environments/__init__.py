"""Places to act. To add one: a file here, and a line below."""

from .arena import (
    Arena as Arena,
    Whereabouts as Whereabouts,
    circle as circle,
    rectangle as rectangle,
)
from .bandits import ContextBandits as ContextBandits
from .blind_cliffwalk import BlindCliffwalk as BlindCliffwalk
from .cart_pole import CartPole as CartPole
from .catch import Catch as Catch
from .deceptive_maze import DeceptiveMaze as DeceptiveMaze
from .deep_sea import DeepSea as DeepSea
from .double_pole import DoublePole as DoublePole
from .finite import (
    AbstractFiniteWorld as AbstractFiniteWorld,
    Outcomes as Outcomes,
    Transitions as Transitions,
    transitions as transitions,
)
from .grid_world import GridWorld as GridWorld
from .gymnasium_environment import GymnasiumEnvironment as GymnasiumEnvironment
from .gymnax_environment import GymnaxEnvironment as GymnaxEnvironment
from .key_door import KeyDoor as KeyDoor
from .mountain_car import MountainCar as MountainCar
from .pgx_game import PgxGame as PgxGame
from .reaching import Reaching as Reaching, turned as turned
from .revaluation import Revaluation as Revaluation, revaluation as revaluation
from .rooms import (
    cliff as cliff,
    corridor as corridor,
    detour as detour,
    four_rooms as four_rooms,
    maze as maze,
    open_field as open_field,
)
from .slippery import Slippery as Slippery
from .swing_up import SwingUp as SwingUp
from .time_limit import TimeLimit as TimeLimit
