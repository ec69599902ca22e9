"""Places to act. To add one: a file here, and a line below."""

from .arena import Arena as Arena, circle as circle, rectangle as rectangle
from .cart_pole import CartPole as CartPole
from .time_limit import TimeLimit as TimeLimit
