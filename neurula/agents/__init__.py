"""Who acts, and learns by it. To add one: a file here, and a line below."""

from .forager import Forager as Forager
from .random import Random as Random
from .replayed import Replayed as Replayed, replayed as replayed
from .scripted import Scripted as Scripted
