"""Recipes that grow. To add one: a file here, and a line below."""

from .bits import Bits as Bits
from .bottleneck import Bottleneck as Bottleneck
from .cppn import cppn as cppn, patterns as patterns
from .development import Development as Development
from .hyperneat import HyperNeat as HyperNeat
from .learned_optimiser import LearnedOptimiser as LearnedOptimiser
from .morphogens import Morphogens as Morphogens
from .neat import Neat as Neat
from .plasticity import (
    ABCD as ABCD,
    CHALMERS as CHALMERS,
    LocalPolynomial as LocalPolynomial,
    Plasticity as Plasticity,
)
from .random_projection import RandomProjection as RandomProjection
from .rewired import rewired as rewired
from .substrates import sandwich as sandwich, sheet as sheet
from .tissue import Tissue as Tissue
from .vector import Vector as Vector
from .weight_agnostic import WeightAgnostic as WeightAgnostic
from .weights import Weights as Weights
