"""Places to act. To add one: a file here, and a line below."""

from .cart_pole import CartPole as CartPole
from .time_limit import TimeLimit as TimeLimit
