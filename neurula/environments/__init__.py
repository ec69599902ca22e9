"""Places to act. To add one: a file here, and a line below."""

from .cart_pole import CartPole as CartPole
from .catch import Catch as Catch
from .time_limit import TimeLimit as TimeLimit
