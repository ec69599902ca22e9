"""Recipes that grow. To add one: a file here, and a line below."""

from .weights import Weights as Weights
