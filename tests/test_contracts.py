"""Every part on every shelf keeps its promises. New parts are found by themselves."""

import inspect
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from neurula import claims, data, memories, neurons, rules, tasks, wirings
from neurula.contracts import (
    AbstractBlock,
    AbstractNeuron,
    AbstractRule,
    AbstractTask,
    AbstractWiring,
    Sample,
)
from neurula.experiment import AbstractClaim
from neurula.testing import (
    check_block,
    check_claim,
    check_neuron,
    check_rule,
    check_task,
    check_wiring,
)

KEY = jax.random.key(0)

# Parts that cannot be made without settings. All others are tested as they come.
EXAMPLES = {
    wirings.Dense: lambda: wirings.Dense(4, 3),
    wirings.Sparse: lambda: wirings.Sparse(jnp.array([0, 2, 1]), jnp.array([1, 1, 3]), 4, 3),
    wirings.Grid: lambda: wirings.Grid(3, 4),
    wirings.OneToOne: lambda: wirings.OneToOne(4),
    wirings.Transposed: lambda: wirings.Transposed(wirings.Dense(4, 3), 0.5),
    rules.Mixed: lambda: rules.Mixed({}, neurons=rules.Backprop()),
    tasks.Copied: lambda: tasks.Copied(tasks.Parity(4)),
    tasks.CurveTracing: lambda: tasks.CurveTracing(7, 1, exam_size=40),
    tasks.Examples: lambda: tasks.Examples.of(tasks.Digits()),
    tasks.Turned: lambda: tasks.Turned(tasks.Patches(size=6)),
    tasks.Shown: lambda: tasks.Shown(tasks.Parity(4), steps=2, past=3),
    tasks.Interleaved: lambda: tasks.Interleaved(
        tasks.Digits(),
        memories.ClassGaussians(),
        memories.ClassGaussians().init(Sample(jnp.zeros((1, 64)))),
    ),
    tasks.OneOf: lambda: tasks.OneOf((tasks.Lists(exam_size=9), tasks.Recall(exam_size=9)), 1),
    tasks.Spaced: lambda: tasks.Spaced(tasks.Recall(), pause=3),
    memories.Elman: lambda: memories.Elman(3, 4, 2, key=KEY),
    memories.GRU: lambda: memories.GRU(3, 4, 2, key=KEY),
    memories.LSTM: lambda: memories.LSTM(3, 4, 2, key=KEY),
    memories.LeakyStore: lambda: memories.LeakyStore(3, 4, 2, key=KEY),
    memories.SelfAttention: lambda: memories.SelfAttention(3, 8, 2, capacity=5, key=KEY),
    memories.Window: lambda: memories.Window(3, 4, 2, length=5, key=KEY),
}
VARIANTS = {
    "Dense with holes": lambda: wirings.patches((2, 2), (3, 3), radius=1.0),
    "Grid shared": lambda: wirings.Grid(3, 4, 4, shared=True),
    "Grid periodic": lambda: wirings.Grid(3, 4, 8, periodic=True),
    "Transposed grid": lambda: wirings.Transposed(wirings.Grid(3, 4, 4, shared=True)),
    "Transposed sparse": lambda: wirings.Transposed(EXAMPLES[wirings.Sparse]()),
    "random": lambda: wirings.random(5, 0.5, seed=0),
}


def shelf(module, contract):
    """All final parts of a shelf, made."""
    found = [p for _, p in inspect.getmembers(module, inspect.isclass) if issubclass(p, contract)]
    parts = [p for p in found if not inspect.isabstract(p)]
    assert parts, f"nothing on {module.__name__}"
    return [pytest.param(EXAMPLES.get(part, part), id=part.__name__) for part in parts]


@pytest.mark.parametrize("make", shelf(wirings, AbstractWiring))
def test_wiring(make):
    check_wiring(make())


@pytest.mark.parametrize("name", VARIANTS)
def test_wiring_variant(name):
    check_wiring(VARIANTS[name]())


@pytest.mark.parametrize("make", shelf(neurons, AbstractNeuron))
def test_neuron(make):
    check_neuron(make())


@pytest.mark.parametrize("make", shelf(rules, AbstractRule))
def test_rule(make):
    check_rule(make())


@pytest.mark.parametrize("make", shelf(memories, AbstractBlock))
def test_memory_that_is_a_block(make):
    check_block(make())


@pytest.mark.parametrize("make", shelf(tasks, AbstractTask))
def test_task(make):
    check_task(make())


@pytest.mark.parametrize("make", shelf(claims, AbstractClaim))
@pytest.mark.slow
def test_claim(make):
    claim = make()
    check_claim(claim)
    if missing := [name for name in claim.data if not data.available(name)]:
        pytest.skip(f"not run, for its data are not here: neurula data get {missing[0]}")


def test_a_wiring_that_lies_is_caught():
    class Deaf(wirings.Dense):
        def drive(self, weight, activity):
            return jnp.zeros(self.post)

    with pytest.raises(AssertionError, match="drive sums pre"):
        check_wiring(Deaf(4, 3))


def test_a_rule_that_learns_nothing_is_caught():
    class Lazy(rules.AbstractGradientRule):
        needs = frozenset()

        def init(self, brain, *, key):
            return None

        def surrogate(self, state, brain, sample, error, *, key):
            return jnp.zeros(()), None

        def remember(self, state, notes):
            return None

    with pytest.raises(AssertionError, match="something is learned"):
        check_rule(Lazy())


def test_a_block_that_forgets_its_shape_or_learns_nothing_is_caught():
    class Growing(memories.Window):
        def step(self, state, inputs):
            return jnp.concatenate([inputs[None], state]), jnp.zeros(2)

    with pytest.raises(AssertionError, match="leaves the shapes"):
        check_block(Growing(3, 4, 2, length=5, key=KEY))

    class Deaf(memories.Window):
        def step(self, state, inputs):
            return state, jnp.zeros(2)

    with pytest.raises(AssertionError, match="depends on something that learns"):
        check_block(Deaf(3, 4, 2, length=5, key=KEY))


def test_every_neuron_and_every_block_of_memories_shows_its_equations():
    parts = [p for _, p in inspect.getmembers(neurons, inspect.isclass)]
    blocks = [p for _, p in inspect.getmembers(memories, inspect.isclass)]
    for part in parts + [p for p in blocks if issubclass(p, AbstractBlock)]:
        text = inspect.getdoc(part) or ""
        assert "Equations:" in text, part.__name__
        assert "Units:" in text, part.__name__
        assert "Source:" in text, part.__name__


def test_every_public_part_says_where_it_comes_from():
    for module in (rules, neurons, wirings, tasks, memories):
        for name, part in inspect.getmembers(module, inspect.isclass):
            assert inspect.getdoc(part), f"{module.__name__}.{name} has no docstring"
            assert inspect.getdoc(inspect.getmodule(part)), f"{name}'s file has no docstring"


def test_no_module_hides_a_function_of_the_package():
    import neurula

    taken = {file.stem for file in Path(neurula.__file__).parent.glob("*.py")}
    assert not taken & set(neurula._WHERE), "importing the module would replace the function"
