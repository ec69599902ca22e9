"""Kinds of cell. To add one: a file here, and a line below."""

from .binary import Binary as Binary
from .leaky import Leaky as Leaky
from .lif import LIF as LIF
from .rate import Rate as Rate
