"""Ways to evolve. To add one: a file here, and a line below."""

from .cma_es import CMAES as CMAES
from .cosyne import CoSyNE as CoSyNE
from .evosax_strategy import EvosaxStrategy as EvosaxStrategy
from .genetic_algorithm import GeneticAlgorithm as GeneticAlgorithm
from .neat_search import NeatSearch as NeatSearch
from .novelty_search import NoveltySearch as NoveltySearch
from .openai_es import OpenAIES as OpenAIES
from .random_search import RandomSearch as RandomSearch
from .score_function import ScoreFunction as ScoreFunction
from .snes import SNES as SNES
