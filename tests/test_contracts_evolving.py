"""Every genome and every evolver keeps its promises. New parts are found by themselves."""

import inspect

import jax
import pytest

import neurula as nl
from neurula import evolvers, genomes
from neurula.heredity import AbstractEvolver, AbstractGenome
from neurula.learned_optimiser import CoordinateLSTM
from neurula.testing import check_evolver, check_genome

BRAIN = nl.layered([2, 3, 1], key=jax.random.key(0))

# Genomes that cannot be made without settings. All others are tested as they come.
EXAMPLES = {
    genomes.Development: lambda: genomes.Development(4, 1, capacity=16),
    genomes.Bottleneck: lambda: genomes.Bottleneck(BRAIN, hidden=(3,)),
    genomes.RandomProjection: lambda: genomes.RandomProjection(BRAIN, 5),
    genomes.HyperNeat: lambda: genomes.HyperNeat(
        genomes.sandwich([(1, 3), (2, 1)]), genomes.cppn(4, cells=4, connections=16, add_cell=0.3)
    ),
    genomes.Neat: lambda: genomes.Neat(2, 1, cells=4, connections=12, add_cell=0.3, spread=1.0),
    genomes.LearnedOptimiser: lambda: genomes.LearnedOptimiser(
        CoordinateLSTM((3,), key=jax.random.key(1))
    ),
    genomes.WeightAgnostic: lambda: genomes.WeightAgnostic(
        genomes.Neat(2, 1, cells=4, connections=12, add_cell=0.5, add_connection=0.5)
    ),
    genomes.Weights: lambda: genomes.Weights(BRAIN),
}
EVOLVERS = {  # that need settings
    evolvers.EvosaxStrategy: lambda: evolvers.EvosaxStrategy("SNES"),
    evolvers.NoveltySearch: lambda: evolvers.NoveltySearch(2),
}
# Every generation starts anew, or looks for something else than fitness.
FORGETFUL = {evolvers.NoveltySearch, evolvers.RandomSearch}
# What an evolver is tried on: a vector, unless it is named here. NEAT's weights move by up to 2.5
# as they come, too far for a hill that is 1 wide.
HOMES = {evolvers.NeatSearch: lambda: genomes.Neat(2, 1, cells=4, connections=12, step=0.3)}


def shelf(module, kind):
    parts = vars(module).values()
    return [p for p in parts if inspect.isclass(p) and issubclass(p, kind) and is_leaf(p)]


def is_leaf(part):
    return not inspect.isabstract(part) and not part.__name__.startswith("Abstract")


@pytest.mark.parametrize("genome", shelf(genomes, AbstractGenome), ids=lambda x: x.__name__)
def test_genome(genome):
    check_genome(EXAMPLES.get(genome, genome)())


@pytest.mark.parametrize("evolver", shelf(evolvers, AbstractEvolver), ids=lambda x: x.__name__)
def test_evolver(evolver):
    if evolver is evolvers.EvosaxStrategy:
        pytest.importorskip("evosax", reason="the extra `evosax` is not installed")
    home = HOMES.get(evolver, EXAMPLES[genomes.Weights])
    check_evolver(EVOLVERS.get(evolver, evolver)(), home(), rises=evolver not in FORGETFUL)
