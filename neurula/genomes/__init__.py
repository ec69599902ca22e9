"""Recipes that grow. To add one: a file here, and a line below."""

from .cppn import cppn as cppn, patterns as patterns
from .hyperneat import HyperNeat as HyperNeat, reaches as reaches
from .neat import Neat as Neat
from .substrates import sandwich as sandwich, sheet as sheet
from .weights import Weights as Weights
