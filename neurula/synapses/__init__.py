"""What happens between cells. To add one: a file here, and a line below."""

from .double_exponential import DoubleExponential as DoubleExponential
from .exponential import Exponential as Exponential
from .short_term import ShortTerm as ShortTerm
