"""Ways to evolve. To add one: a file here, and a line below."""

from .snes import SNES as SNES
