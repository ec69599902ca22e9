"""Pieces of `evolved-learning-rule`: its tasks, its terms, what its rules are."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.claims.evolved_learning_rule import (
    DISTRACTORS,
    KNOWN,
    TERMS,
    EvolvedLearningRule,
    cosine,
    newborn,
    separable,
)
from neurula.rules import Backprop, direction

KEY = jax.random.key(0)


def coefficients(name):
    return jnp.array([KNOWN[name].get(term, 0.0) for term in TERMS])


def test_a_plane_separates_every_task_and_both_sides_have_points():
    tasks = jax.vmap(lambda k: separable(20, key=k))(jax.random.split(KEY, 200))
    above = np.asarray(jnp.einsum("tpi,ti->tp", tasks.exams, tasks.plane)) > 0
    task = separable(20, key=KEY)
    exam = task.exam("test", key=KEY)
    np.testing.assert_array_equal(
        np.asarray(exam.target)[:, 0, 0], np.where(np.asarray(task.exams @ task.plane) > 0, 1, -1)
    )
    assert above.mean() == pytest.approx(0.5, abs=0.04)
    assert ((above.mean(1) > 0.1) & (above.mean(1) < 0.9)).mean() > 0.85


def test_no_two_terms_are_the_same_for_targets_of_one_and_minus_one():
    assert len(set(TERMS)) == len(TERMS) == 20
    assert all(sum(term) == 4 and term[2] < 2 for term in DISTRACTORS)


def test_cosines_with_the_delta_rule():
    assert cosine(coefficients("delta")) == pytest.approx(1.0, abs=1e-6)
    assert cosine(-3.0 * coefficients("delta")) == pytest.approx(-1.0, abs=1e-6)
    assert cosine(coefficients("Hebb")) == pytest.approx(-(0.5**0.5), abs=1e-6)
    assert cosine(coefficients("taught Hebb")) == pytest.approx(0.5**0.5, abs=1e-6)


def test_the_delta_rule_goes_downhill():
    # The cell is tanh, so the gradient is the delta rule times its slope: the same signs.
    task, brain = separable(20, key=KEY), newborn(KEY)
    rule = nl.genomes.LocalPolynomial(coefficients("delta"), TERMS)
    lesson = jax.tree.map(lambda x: x[:1], task.exam("train", key=KEY))
    mine, _ = direction(rule, None, brain, lesson, task.error, key=KEY)
    steepest, _ = direction(Backprop(), None, brain, lesson, task.error, key=KEY)
    said = jnp.tanh(brain.projections[0].weight @ lesson.stimuli[0, 0])
    expected = steepest.projections[0].weight / (1 - said**2)[:, None]
    np.testing.assert_allclose(mine.projections[0].weight, expected, rtol=1e-4, atol=1e-6)


def test_the_delta_rule_learns_and_nothing_learns_nothing():
    claim = EvolvedLearningRule()
    tasks = jax.random.split(jax.random.key(1), 20)  # with KEY brains would be born as planes

    @eqx.filter_jit
    def accuracy(coefficients):
        rule = nl.genomes.LocalPolynomial(coefficients, TERMS)
        return jnp.mean(claim.accuracies(rule, tasks, KEY))

    assert accuracy(0.3 * coefficients("delta")) > 0.8
    assert accuracy(0.0 * coefficients("delta")) == pytest.approx(0.5, abs=0.15)
    assert accuracy(jnp.nan * coefficients("delta")) == 0.5  # broken rules guess
