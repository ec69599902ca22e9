"""Recipes that grow. To add one: a file here, and a line below."""

from .bottleneck import Bottleneck as Bottleneck
from .random_projection import RandomProjection as RandomProjection
from .weights import Weights as Weights
