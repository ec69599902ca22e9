"""Places to act. To add one: a file here, and a line below."""

from .cart_pole import CartPole as CartPole
from .catch import Catch as Catch
from .gymnasium_environment import GymnasiumEnvironment as GymnasiumEnvironment
from .gymnax_environment import GymnaxEnvironment as GymnaxEnvironment
from .pgx_game import PgxGame as PgxGame
from .time_limit import TimeLimit as TimeLimit
