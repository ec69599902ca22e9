"""Who acts, and learns by it. To add one: a file here, and a line below."""

from .random import Random as Random
from .scripted import Scripted as Scripted
