"""Ways to evolve. To add one: a file here, and a line below."""

from .neat_search import NeatSearch as NeatSearch
from .snes import SNES as SNES
