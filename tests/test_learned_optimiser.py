"""Optimisers that are learned or evolved, against NumPy, optax and closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import neurula as nl
from neurula.genomes import LearnedOptimiser
from neurula.learned_optimiser import CoordinateLSTM, StepSizes, numbers
from neurula.meta import after_learning, descend, follow, learn_to_optimise
from neurula.rules import Backprop
from neurula.tasks import Parity

KEY = jax.random.key(0)
WEIGHTS = {"a": jnp.array([[0.5, -1.0]]), "b": jnp.array([2.0])}


def logistic(x):
    return 1 / (1 + np.exp(-x))


def by_hand(layer, x, h, c):
    """One step of an LSTM for one coordinate; gates in the order of equinox."""
    gates = np.asarray(layer.weight_ih) @ x + np.asarray(layer.weight_hh) @ h
    i, f, g, o = np.split(gates + np.asarray(layer.bias), 4)
    c = logistic(f) * c + logistic(i) * np.tanh(g)
    return logistic(o) * np.tanh(c), c


def test_two_steps_of_the_lstm_are_those_of_numpy():
    optimiser = CoordinateLSTM((3, 4), scale=0.5, key=KEY)
    directions = [{"a": jnp.array([[0.1, -3.0]]), "b": jnp.array([1e-6])}]
    directions.append({"a": jnp.array([[0.0, 7.0]]), "b": jnp.array([-0.2])})
    state, memory = optimiser.init(WEIGHTS), {}
    for direction in directions:
        change, state = optimiser.update(direction, state, WEIGHTS)
        flat = np.concatenate([np.ravel(direction["a"]), direction["b"]]).astype(np.float64)
        expected = []
        for coordinate, d in enumerate(flat):
            loud = abs(d) >= np.exp(-10)
            x = np.array([np.log(abs(d)) / 10, np.sign(d)] if loud else [-1, np.exp(10) * d])
            for level, layer in enumerate(optimiser.layers):
                zeros = np.zeros(layer.hidden_size), np.zeros(layer.hidden_size)
                before = memory.get((coordinate, level), zeros)
                memory[coordinate, level] = by_hand(layer, x, *before)
                x = memory[coordinate, level][0]
            readout = optimiser.readout
            expected.append(0.5 * (np.asarray(readout.weight)[0] @ x + readout.bias[0]))
        found = np.concatenate([np.ravel(change["a"]), change["b"]])
        np.testing.assert_allclose(found, np.array(expected, np.float32), rtol=1e-4, atol=1e-6)


def test_a_still_readout_moves_nothing():
    optimiser = CoordinateLSTM((3,), still=True, key=KEY)
    brain = nl.layered([1, 3, 2], key=KEY)
    lived = eqx.filter_jit(
        lambda o: nl.learn(brain, Backprop(), Parity(4), o, steps=3, batch=2, key=KEY)
    )(optimiser.transformation)
    np.testing.assert_array_equal(lived.brain.projections[0].weight, brain.projections[0].weight)
    with pytest.raises(ValueError, match="at least one cell"):
        CoordinateLSTM((), key=KEY)


def test_genes_that_say_plain_descent_are_optax_sgd():
    brain = nl.layered([1, 3, 2], key=KEY)
    genome = LearnedOptimiser(StepSizes.like(nl.trainable(brain), 0.1))
    grown = genome.develop(jnp.zeros(genome.size), key=KEY)

    @eqx.filter_jit
    def life(optimiser):
        return nl.learn(brain, Backprop(), Parity(4), optimiser, steps=5, batch=4, key=KEY).brain

    for mine, theirs in zip(
        jax.tree.leaves(nl.trainable(life(grown))),
        jax.tree.leaves(nl.trainable(life(optax.sgd(0.1)))),
        strict=True,
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)


def test_a_step_size_belongs_to_its_weight():
    sizes = {"a": jnp.log(jnp.array([[0.5, 0.25]])), "b": jnp.log(jnp.array([2.0]))}
    change, _ = StepSizes(sizes).update(WEIGHTS, None)
    np.testing.assert_allclose(change["a"], [[-0.25, 0.25]], rtol=1e-6)
    np.testing.assert_allclose(change["b"], [-4.0], rtol=1e-6)
    with pytest.raises(ValueError, match="no logarithm"):
        StepSizes.like(WEIGHTS, 0.0)
    with pytest.raises(ValueError, match="each needs its own"):
        StepSizes(sizes).init({"a": jnp.zeros(3)})


def test_evolution_finds_the_step_size_and_counts_those_that_diverge():
    # After one step on w^2 / 2 from 1, w = 1 - s: best at s = 1; fitness is NaN beyond s = 2.
    genome = LearnedOptimiser(StepSizes.like(jnp.ones(1), 0.2), scale=1.0)

    def fitness(optimiser, *, key):
        way = follow(jnp.ones(1), lambda w, key: jnp.sum(w**2) / 2, optimiser, steps=1, key=key)
        left = jnp.abs(way.weights[0])
        return jnp.where(left > 1, jnp.nan, -left)

    run = lambda: nl.evolve(  # noqa: E731
        genome, nl.evolvers.SNES(16, deviation=2.0), fitness, generations=40, key=KEY
    )
    found = eqx.filter_jit(run)()
    size = jnp.exp(numbers(genome.optimiser)[0] + found.genes)
    np.testing.assert_allclose(size, [1.0], atol=0.02)
    assert found.curves["broken"].sum() > 0
    with pytest.raises(ValueError, match="scale above 0"):
        LearnedOptimiser(genome.optimiser, scale=0.0)


def test_the_gradient_of_maml_on_linear_regression_is_the_closed_form():
    # One step on |Xw - y|^2 / 2n: w' = w - a H w + a X'y / n, H = X'X / n, so the
    # gradient of the exam's error after learning is (I - a H)' times that at w', or just that.
    rng = np.random.default_rng(0)
    x, y, exam_x, exam_y = (jnp.asarray(rng.normal(size=s), jnp.float32)
                            for s in ((6, 3), (6,), (5, 3), (5,)))  # fmt: skip
    w, rate = jnp.array([0.3, -0.2, 1.0]), 0.3
    lessons = lambda w, key: jnp.mean((x @ w - y) ** 2) / 2  # noqa: E731
    exam = lambda w, key: jnp.mean((exam_x @ w - exam_y) ** 2) / 2  # noqa: E731

    def gradient(second_order):
        return jax.grad(
            lambda w: after_learning(
                w, lessons, exam, optax.sgd(rate), steps=1, second_order=second_order, key=KEY
            )
        )(w)

    x, exam_x, y, exam_y, w = (np.asarray(a, np.float64) for a in (x, exam_x, y, exam_y, w))
    hessian = x.T @ x / 6
    learned = w - rate * (hessian @ w - x.T @ y / 6)
    first = exam_x.T @ (exam_x @ learned - exam_y) / 5
    x, y, exam_x, exam_y, w = (jnp.asarray(a, jnp.float32) for a in (x, y, exam_x, exam_y, w))
    expected = (np.eye(3) - rate * hessian) @ first
    np.testing.assert_allclose(gradient(True), expected.astype(np.float32), rtol=1e-4)
    np.testing.assert_allclose(gradient(False), first.astype(np.float32), rtol=1e-4)


def bowl(key):
    """From 1 on each side down to a bottom at 0."""
    del key
    return jnp.ones(2), lambda w, key: jnp.sum(w**2) / 2


def test_step_sizes_are_learned_by_descent_through_descent():
    start = StepSizes.like(jnp.ones(2), 0.1)
    learned = eqx.filter_jit(
        lambda: learn_to_optimise(
            start, bowl, optax.adam(0.1), ways=60, steps=4, unroll=2, batch=2, key=KEY
        )
    )()
    np.testing.assert_allclose(jnp.exp(learned.learned.logarithms), [1.0, 1.0], atol=0.15)
    assert learned.errors[-1] < 1e-3 * learned.errors[0]
    assert learned.broken == 0
    with pytest.raises(ValueError, match="divides 5"):
        learn_to_optimise(start, bowl, optax.sgd(1.0), ways=1, steps=5, unroll=2, key=KEY)


def test_updates_without_a_finite_gradient_are_left_out_and_counted():
    loss = lambda w, key: jnp.where(jax.random.uniform(key) < 0.5, jnp.nan, 1.0) * w**2  # noqa: E731
    run = lambda: descend(  # noqa: E731
        jnp.ones(()), loss, optax.sgd(0.1), updates=40, batch=1, key=KEY
    )
    found = eqx.filter_jit(run)()
    assert 0 < found.broken < 40
    assert int(found.broken) == np.isnan(found.errors).sum()
    np.testing.assert_allclose(found.learned, 0.8 ** (40 - float(found.broken)), rtol=1e-3)
    with pytest.raises(ValueError, match="at least one update"):
        follow(jnp.ones(1), loss, optax.sgd(0.1), steps=0, key=KEY)
