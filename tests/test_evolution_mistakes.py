"""Bad input to evolution gets one clear sentence, before anything is compiled."""

import errno
import json
import os
import pathlib
import re
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

import neurula as nl
from neurula.environments import CartPole
from neurula.evolvable import check_evolution
from neurula.evolvers import (
    SNES,
    CoSyNE,
    GeneticAlgorithm,
    NeatSearch,
    RandomSearch,
    ScoreFunction,
)
from neurula.genomes import (
    Bits,
    Development,
    Neat,
    Vector,
    WeightAgnostic,
    Weights,
)
from neurula.rules import Backprop
from neurula.tasks import Digits

KEY = jax.random.key(0)
BRAIN = nl.layered([4, 3, 1], key=KEY)
EVOLVER = GeneticAlgorithm(population=4)


def height(developed, *, key):
    return -jnp.sum(developed**2)


LIVES = {
    "world": nl.InWorld(CartPole(), limit=2),
    "task": nl.OnTask(Digits()),
    "connected": nl.Connected(height),
    "shared": nl.SharedWeights(height),
}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (lambda x: x, r"one number.*gave \(3,\) numbers.*who is fitter.*mean"),
        (lambda x: (x[0], x[1]), r"gave \(2,\) numbers"),
        (lambda x: "good", "gave str 'good'"),
        (lambda x: None, "gave NoneType None"),
        (lambda x: {"score": x[0]}, "gave dict"),
        (lambda x: nl.Life(x), r"gave \(3,\) numbers"),
    ],
)
def test_a_fitness_is_one_number(found, words):
    with pytest.raises(ValueError, match=words):
        check_evolution(Vector(3), EVOLVER, lambda x, *, key: found(x), 1)


def test_what_cannot_evolve():
    with pytest.raises(ValueError, match=r"got generations=0.*generations=100"):
        check_evolution(Vector(3), EVOLVER, height, 0)
    with pytest.raises(
        ValueError, match=r"called as `fitness\(developed, key=key\)`.*'key'.*def f"
    ):
        check_evolution(Vector(3), EVOLVER, lambda x: x[0], 1)


# Types that the checks of the test session refuse before the library can: tried by a process
# without them, as those of users are.
TYPES = {
    "evolve(Vector, SNES(4), height)": "class Vector itself where an AbstractGenome was expected",
    "evolve(BRAIN, SNES(4), height)": "got Network where an AbstractGenome was expected.*evolve",
    "evolve(Vector(3), SNES, height)": "class SNES itself where an AbstractEvolver was expected",
    "evolve(Vector(3), SNES(4), 3.0)": "got float 3.0.*not a callable",
    "evolve(Vector(3), SNES(4), height, 2.5)": "whole numbers, but got generations=2.5",
    "evolve(Vector(3), SNES(4.5), height)": "whole numbers, but got population=4.5",
    "evolve(Vector(3), SNES(4), lambda x, *, key: x[0] + 1j)": "gave a complex number",
    "evolve(Vector(3), SNES(4), lambda x, *, key: 1)": "nothing",
    "evolve(Vector(3), SNES(4), lambda x, *, key: x[0] > 0)": "nothing",
    "Weights(3)": r"needs brain to be of type AbstractBlock, but got int.*Weights\(layered",
    "Weights(Vector(3))": "but got Vector, out of which",
    "RandomProjection(3, 2)": "type AbstractBlock, but got int",
    "Bottleneck(3)": "type Network, but got int",
    "HyperNeat(3)": "needs substrate to be of type Network, but got int",
    "WeightAgnostic(3)": "needs graph to be of type Neat",
    "LearnedOptimiser(optax.adam(0.1))": "AbstractLearnedOptimiser, but got GradientTransf",
    "OpenAIES(optimiser=3)": "needs optimiser to be of type GradientTransformation",
    "Bottleneck(BRAIN, code='grey')": "'gray' or 'binary', but got code='grey'",
    "Neat(2, 1, start='full')": "NEAT starts 'minimal'.*got start='full'.*`start='minimal'`",
    "nl.OnTask(Digits(), split='all')": "splits of a task are.*got split='all'",
    "evolve(Vector(3), SNES(4), LIVES['world'])": r"got an array of \(3,\).*no senses.*Weights",
    "evolve(Vector(3), SNES(4), LIVES['task'])": r"got an array of \(3,\)",
    "evolve(Vector(3), SNES(4), LIVES['shared'])": r"into type Network, got an array of \(3,\)",
    "evolve(Plasticity(), SNES(4), LIVES['connected'])": "type Network, got LocalPolynomial",
}
CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from neurula.evolvers import *
from neurula.genomes import *
from test_evolution_mistakes import *

def evolve(genome, evolver, fitness, generations=1):
    return nl.evolve(genome, evolver, fitness, generations=generations, key=KEY)

said = {}
for case in TYPES:
    try:
        eval(case)
        said[case] = "ValueError: nothing"
    except Exception as error:
        said[case] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


def test_types_that_do_not_fit():
    here = os.path.dirname(__file__)
    child = [sys.executable, "-c", CHILD, here]
    told = json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout)
    for case, words in TYPES.items():
        assert re.search(f"^ValueError: .*{words}", told[case]), f"{case}: {told[case]}"


def test_lamarck_inherits_the_block_that_was_born():
    def refused(words, genome, learned):
        life = lambda x, *, key: nl.Life(jnp.zeros(()), learned(x))  # noqa: E731
        with pytest.raises(ValueError, match=words):
            check_evolution(genome, EVOLVER, life, 1, lamarck=True)

    other = nl.layered([4, 5, 1], key=KEY)
    refused(r"gave no `learned`.*Life\(score, learned=block\)", Weights(BRAIN), lambda x: None)
    refused(r"genes of \[\(19,\)\].*gives genes of \[\(31,\)\]", Weights(BRAIN), lambda x: other)
    refused(r"gives none \(.*another block", Weights(BRAIN, around=True), lambda x: other)
    refused("cannot be written back", Neat(4, 1), lambda x: None)


@pytest.mark.parametrize(
    ("part", "setting", "value", "words"),
    [
        (Neat, "add_cell", -0.1, "add_cell to be from 0 to 1.*got add_cell=-0.1.*add_cell=0.03"),
        (Neat, "averaged", 1.5, "averaged to be from 0 to 1"),
        (Neat, "toggle", float("nan"), "got toggle=nan"),
        (Neat, "step", -1.0, "step to be at least 0.*step=2.5"),
        (NeatSearch, "mutants", 2.0, "mutants to be from 0 to 1"),
        (NeatSearch, "threshold", -1.0, "threshold to be at least 0"),
        (NeatSearch, "crisis", 0, r"crisis to be at least 1.*NeatSearch\(..., crisis=1\)"),
        (SNES, "rate_mean", -1.0, "rate_mean to be at least 0"),
        (CoSyNE, "noise", -1.0, "noise to be at least 0"),
        (ScoreFunction, "rate", -1.0, "rate to be at least 0"),
        (ScoreFunction, "deviation", 0.0, "deviation to be above 0"),
        (Bits, "mutation", 2.0, "mutation to be from 0 to 1"),
        (Bits, "order", jnp.arange(3), "order of shape.*bits would be missing.*permutation"),
        (Vector, "size", 0, "size to be at least 1"),
        (Vector, "mutation", -1.0, "mutation to be at least 0"),
        (Development, "states", 0, r"states to be at least 1"),
        (Development, "axon", -1.0, r"axon to be at least 0"),
        (WeightAgnostic, "born", 1.5, "born to be from 0 to 1"),
        (nl.InWorld, "limit", 0, "limit to be at least 1"),
        (nl.InWorld, "updates", 0, "updates to be at least 1"),
        (nl.OnTask, "steps", -1, "steps to be at least 0"),
    ],
)
def test_settings_out_of_range(part, setting, value, words):
    first = {Neat: (2, 1), Development: (2, 1), WeightAgnostic: (Neat(2, 1),)}
    first |= {nl.InWorld: (CartPole(),), nl.OnTask: (Digits(),)}
    with pytest.raises(ValueError, match=words):
        part(*first.get(part, ()), **{setting: value})


def test_settings_that_only_the_compiled_program_knows_pass():
    spread = jax.vmap(lambda rate: Vector(2, rate, rate).spread)(jnp.array([-1.0, 1.0]))
    assert spread.tolist() == [-1.0, 1.0]


def test_a_task_asks_for_its_sizes_before_a_life_without_learning():
    """A network with one output where ten are asked for would answer all alike."""
    born = nl.layered([64, 5, 1], key=KEY)
    with pytest.raises(ValueError, match=r"64 numbers and wants 10, but the brain takes 64 and gi"):
        check_evolution(Weights(born), EVOLVER, nl.OnTask(Digits()), 1)


def test_shared_weights_are_a_list():
    with pytest.raises(ValueError, match=r"array of shape \(0,\).*jnp\.array"):
        nl.SharedWeights(height, jnp.zeros(0))


def run(folder, **more):
    given = {"generations": 2, "every": 1, "progress": False, "key": KEY, **more}
    return nl.evolve_on_disk(folder, Vector(3), RandomSearch(2), height, **given)


def test_a_full_disk_says_what_is_kept(tmp_path, monkeypatch):
    run(tmp_path)
    write = pathlib.Path.write_bytes

    def full(path, content):
        write(path, content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pathlib.Path, "write_bytes", full)
        with pytest.raises(OSError, match=r"No space left.*2 generations are kept.*same call goes"):
            run(tmp_path, generations=4)
    assert sorted(x.name for x in tmp_path.iterdir()) == [".lock", "evolution.safetensors"]
    on, never_stopped = run(tmp_path, generations=4), run(tmp_path / "other", generations=4)
    assert (on.genes == never_stopped.genes).all()


def test_folders_and_drawings(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"lives in a folder, but .*file is a file"):
        run(tmp_path / "file")
    with pytest.raises(ValueError, match=r"should give a Plotly figure, but gave NoneType"):
        run(tmp_path / "drawn", draw=lambda developed: None)


def test_a_tissue_that_outgrows_its_capacity_says_so():
    small = Development(2, 1, capacity=4, steps=4)
    genes = small.sample(key=KEY)
    assert small.grow(genes, key=KEY)[0].alive.all()
    (said,) = small.advice(genes)
    assert "at capacity=4, while 4 cells still wanted to divide" in said
    assert "capacity=8" in said
    roomy = Development(2, 1, capacity=32, steps=4)  # one founder: at most 16 cells
    assert roomy.advice(genes) == ()


@pytest.mark.parametrize("lamarck", [False, True])
def test_learning_that_diverges_is_a_broken_life_and_is_not_inherited(lamarck):
    """Argmax reads a digit even from NaN, so that accuracy alone would not tell."""
    life = nl.OnTask(Digits(), Backprop(), optax.sgd(float("inf")), steps=3, batch=2)
    born = Weights(nl.layered([64, 3, 10], key=KEY))
    given = {"generations": 2, "lamarck": lamarck, "key": KEY}
    found = eqx.filter_jit(lambda: nl.evolve(born, SNES(4), life, **given))()
    assert found.curves["broken"].tolist() == [4, 4]
    assert found.fitness == -jnp.inf
    assert jnp.isfinite(found.state.mean).all()
    assert found.state.refused == 0
