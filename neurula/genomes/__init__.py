"""Recipes that grow. To add one: a file here, and a line below."""

from .learned_optimiser import LearnedOptimiser as LearnedOptimiser
from .plasticity import (
    ABCD as ABCD,
    CHALMERS as CHALMERS,
    LocalPolynomial as LocalPolynomial,
    Plasticity as Plasticity,
)
from .weights import Weights as Weights
