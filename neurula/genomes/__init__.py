"""Recipes that grow. To add one: a file here, and a line below."""

from .neat import Neat as Neat
from .weights import Weights as Weights
