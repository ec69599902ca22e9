"""Ways to evolve. To add one: a file here, and a line below."""

from .cma_es import CMAES as CMAES
from .genetic_algorithm import GeneticAlgorithm as GeneticAlgorithm
from .novelty_search import NoveltySearch as NoveltySearch
from .openai_es import OpenAIES as OpenAIES
from .random_search import RandomSearch as RandomSearch
from .snes import SNES as SNES
