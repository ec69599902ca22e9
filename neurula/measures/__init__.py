"""Numbers from recordings and networks. To add one: a file here, and a line below."""

from .alignment import alignment as alignment
from .energy import energy as energy
