"""Places to act. To add one: a file here, and a line below."""

from .arena import (
    Arena as Arena,
    Whereabouts as Whereabouts,
    circle as circle,
    rectangle as rectangle,
)
from .cart_pole import CartPole as CartPole
from .deep_sea import DeepSea as DeepSea
from .finite import (
    AbstractFiniteWorld as AbstractFiniteWorld,
    Outcomes as Outcomes,
    Transitions as Transitions,
    transitions as transitions,
)
from .grid_world import GridWorld as GridWorld
from .key_door import KeyDoor as KeyDoor
from .time_limit import TimeLimit as TimeLimit
