"""What the fast-and-slow experiment is made of: equal memories, fair lessons, votes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.cls_fast_slow import (
    BOTH,
    CLASSES,
    DREAMS,
    JOINT,
    LESSONS,
    NEAREST,
    PIXELS,
    RETAUGHT,
    SHAM,
    SLOW,
    WIDE,
    ClsFastSlow,
    sit,
)
from neurula.experiment import Outcome
from neurula.live import parameters
from neurula.memories import FastStore
from neurula.tasks import Digits, Interleaved, SomeClasses

CLAIM = ClsFastSlow()


@pytest.fixture
def kept(key):
    """A store after all classes have come by, and what a store of one lesson holds."""
    data = Digits().exam("train", key=key)
    labels = jnp.argmax(data.target[:, 0], -1)
    store = CLAIM.memory(BOTH)
    see = eqx.filter_jit(lambda state, classes: store.see(state, data, labels, classes, key=key))
    empty = store.init(jax.tree.map(lambda x: x[0], data))
    return see(empty, jnp.arange(CLASSES))


def numbers(tree, without=()):
    return sum(x.size for name, x in vars(tree).items() if name not in without)


def test_the_wide_network_has_the_memory_of_both(key):
    make = eqx.filter_jit(lambda arm: parameters(CLAIM.network(arm, key=key)))
    slow, wide = make(SLOW), make(WIDE)
    store = CLAIM.places * CLASSES * PIXELS
    per_cell = PIXELS + 1 + CLASSES
    assert slow == CLAIM.width * per_cell + CLASSES
    assert 0 <= wide - (slow + store) < per_cell


def test_dreams_take_as_many_numbers_as_the_store(key):
    example = jax.tree.map(lambda x: x[0], Digits().exam("tune", key=key))
    dreams = CLAIM.memory(DREAMS).init(example)
    store = CLAIM.memory(BOTH).init(example)
    assert numbers(dreams, without=("seen",)) == store.examples.stimuli.size == 6400


def test_old_classes_are_rehearsed_as_often_as_they_are_many(kept):
    """In lesson n (from 0) n pairs of classes are old, and one is new."""
    taught = jnp.zeros(CLASSES, bool).at[:2].set(True)
    for number in range(LESSONS):
        task = CLAIM.task(BOTH, taught, jnp.array(number), kept)
        assert isinstance(task, Interleaved)
        assert task.share == pytest.approx(2 * number / (2 * number + 2))
        assert not task.shuffled
    assert CLAIM.task(SHAM, taught, jnp.array(1), kept).shuffled
    assert CLAIM.task(RETAUGHT, taught, jnp.array(1), kept).share == 1
    assert isinstance(CLAIM.task(SLOW, taught, jnp.array(1), kept), SomeClasses)
    assert isinstance(CLAIM.task(JOINT, taught, jnp.array(1), kept), Digits)


@pytest.mark.parametrize("neighbours", [1.7, 5.0])
def test_the_nearest_kept_examples_vote_as_in_scikit_learn(neighbours, kept):
    from sklearn.neighbors import KNeighborsClassifier

    stimuli = np.asarray(kept.examples.stimuli).reshape(-1, PIXELS)
    assert FastStore(CLASSES, CLAIM.places).there(kept).all()
    weights = lambda d: 1 / (d**2 + 1e-6)  # noqa: E731
    known = KNeighborsClassifier(int(neighbours), weights=weights)
    known.fit(stimuli, np.repeat(np.arange(CLASSES), CLAIM.places))
    exam = np.asarray(Digits().exam("tune", key=jax.random.key(0)).stimuli)[:, 0]
    vote = eqx.filter_jit(jax.vmap(lambda x: CLAIM.vote(kept, x, jnp.float32(neighbours))))
    said = np.asarray(vote(jnp.asarray(exam))).argmax(1)
    assert (said == known.predict(exam)).mean() > 0.99  # rounding may swap equals


def test_accuracy_is_of_all_digits_and_of_classes_met():
    """Who always says 3 gets the threes, which are all where nothing else was met."""
    always = lambda x: jax.nn.one_hot(3, CLASSES)  # noqa: E731
    met = jnp.arange(CLASSES) == 3
    found = sit(always, met)
    assert found["met"] == 1
    assert found["test"] == pytest.approx(0.1, abs=0.005)
    assert sit(always, ~met)["met"] == 0


@pytest.mark.slow
def test_a_lesson_alone_is_forgotten_in_the_next(key):
    """Short lives: without a store only the last two classes are known."""
    claim = ClsFastSlow(updates=100)
    run = lambda arm: eqx.filter_jit(claim.run)(arm, {"rate": jnp.float32(3e-3)}, key=key)  # noqa: E731
    alone, joint = run(SLOW), run(JOINT)
    np.testing.assert_allclose(
        alone.kept["classes met"], [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5], atol=0.05
    )
    assert joint.score > 0.85


@pytest.mark.parametrize(
    ("wide", "nearest", "ruling"),
    [(0.2, 0.80, "supported"), (0.2, 0.89, "refuted"), (0.89, 0.80, "refuted")],
)
def test_both_leads_have_to_hold(wide, nearest, ruling):
    noise = np.random.default_rng(0).normal(0, 0.005, (len(ClsFastSlow.arms), 20))
    means = {WIDE: wide, NEAREST: nearest, SHAM: 0.5, SLOW: 0.2, JOINT: 0.97}
    outcomes = {
        arm: Outcome(jnp.asarray(means.get(arm, 0.9) + noise[i], jnp.float32))
        for i, arm in enumerate(ClsFastSlow.arms)
    }
    evidence = CLAIM.evidence(outcomes)
    assert evidence.primary.decide().ruling == ruling
    assert all(gate.held for gate in evidence.gates)
    bad = outcomes | {SHAM: outcomes[BOTH], SLOW: outcomes[BOTH], JOINT: outcomes[SHAM]}
    assert not any(gate.held for gate in CLAIM.evidence(bad).gates)
