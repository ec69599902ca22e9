"""A fast store, dreams of a generator, and a task that mixes them with what is new."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from sklearn.decomposition import PCA

from neurula.contracts import Sample
from neurula.memories import ClassGaussians, FastStore
from neurula.tasks import Digits, Interleaved, SomeClasses

CLASSES, PLACES, LONG = 3, 4, 30


@eqx.filter_jit
def keep(store, examples, labels, key, when=None):
    return store.add_all(store.init(examples[0]), examples, labels, when=when, key=key)


@eqx.filter_jit
def rehearse(memory, state, keys):
    return jax.vmap(lambda k: memory.sample(state, key=k))(keys)


@eqx.filter_jit
def draw(task, keys, split="train"):
    return jax.vmap(lambda k: task.sample(split, key=k))(keys)


def numbered(labels):
    """Examples that are told by their number."""
    return jnp.arange(len(labels), dtype=jnp.float32), jnp.array(labels)


def test_every_example_of_a_class_is_kept_equally_often(key):
    """Vitter's reservoir, in each class by itself: chances are places / examples seen."""
    store = FastStore(CLASSES, PLACES)
    labels = [2] * 2 + [0] * LONG + [2] * 6
    examples, labels = numbered(labels)
    run = jax.vmap(lambda k: keep(store, examples, labels, k))
    kept = run(jax.random.split(key, 2000))
    np.testing.assert_array_equal(kept.seen[0], [LONG, 0, 8])
    for label, count in ((0, LONG), (2, 8)):
        members = np.flatnonzero(np.asarray(labels) == label)
        found = np.asarray(kept.examples)[:, label].astype(int).ravel()
        times = np.bincount(found, minlength=len(labels))
        assert times.sum() == times[members].sum()  # none of another class
        assert scipy.stats.chisquare(times[members]).pvalue > 1e-3, (label, count)
    assert (np.diff(np.sort(np.asarray(kept.examples)[:, 0]), axis=1) > 0).all()  # none twice


def test_few_examples_are_all_kept(key):
    store = FastStore(CLASSES, PLACES)
    examples, labels = numbered([1, 1, 0, 1, 2])
    kept = keep(store, examples, labels, key, jnp.array([True, True, True, True, False]))
    np.testing.assert_array_equal(kept.examples[1, :3], [0, 1, 3])
    np.testing.assert_array_equal(kept.seen, [1, 3, 0])
    np.testing.assert_array_equal(store.there(kept).sum(1), [1, 3, 0])
    np.testing.assert_array_equal(store.known(kept), [True, True, False])


def test_classes_come_back_equally_often_whatever_was_seen(key):
    store = FastStore(CLASSES, PLACES)
    examples, labels = numbered([0] * LONG + [2])
    kept = keep(store, examples, labels, key)
    found, classes = map(np.asarray, rehearse(store, kept, jax.random.split(key, 2000)))
    times = np.bincount(classes, minlength=CLASSES)
    assert times[1] == 0
    assert scipy.stats.chisquare(times[[0, 2]]).pvalue > 1e-3
    assert set(found[classes == 2]) == {LONG}
    assert set(found[classes == 0]) == set(np.asarray(kept.examples[0]))


def test_dreams_look_like_what_was_seen(key):
    """Mean, and principal directions as scikit-learn finds them; nothing of other classes."""
    rng = np.random.default_rng(0)
    memory = ClassGaussians(classes=3, factors=2)
    stimuli = rng.normal(size=(80, 6)) * [3, 2, 1, 0.5, 0.5, 0] + 1
    member = np.arange(80) < 60
    stimuli[~member] = 99
    examples = Sample(jnp.array(stimuli, jnp.float32)[:, None])
    state = memory.init(Sample(jnp.zeros((1, 6))))
    labels = jnp.where(jnp.array(member), 2, 1)
    fitted = eqx.filter_jit(memory.see)(state, examples, labels, jnp.array([2]), key=key)
    pca = PCA(2).fit(stimuli[member])
    parts = np.asarray(fitted.factors[2])[::-1]  # largest first
    np.testing.assert_allclose(fitted.mean[2], pca.mean_, rtol=1e-4, atol=1e-5)
    variances = (parts**2).sum(1)
    np.testing.assert_allclose(variances, pca.explained_variance_ * 59 / 60, rtol=1e-3)
    along = np.abs((parts * pca.components_).sum(1)) / variances**0.5
    np.testing.assert_allclose(along, 1, atol=1e-3)
    dreams, labels = rehearse(memory, fitted, jax.random.split(key, 5000))
    assert set(np.asarray(labels)) == {2}
    seen = np.asarray(dreams.stimuli)[:, 0]
    np.testing.assert_allclose(seen.var(0), stimuli[member].var(0), rtol=0.1, atol=1e-4)
    np.testing.assert_allclose(seen.mean(0), pca.mean_, atol=0.15)


def test_only_some_classes_are_taught_and_all_are_asked(key):
    task = SomeClasses(Digits(), (3, 7))
    found = draw(task, jax.random.split(key, 400))
    classes = np.asarray(found.target)[:, 0].argmax(-1)
    assert set(classes) == {3, 7}
    exam = Digits().exam("train", key=key)
    labels = np.asarray(exam.target)[:, 0].argmax(-1)
    known = {np.asarray(x).tobytes() for x in exam.stimuli[np.isin(labels, [3, 7])]}
    assert len(known) > 150
    drawn = {np.asarray(x).tobytes() for x in found.stimuli}
    assert drawn <= known
    assert len(drawn) > 0.8 * len(known) * (1 - np.exp(-400 / len(known)))
    asked = task.exam("test", key=key).target
    assert set(np.asarray(asked)[:, 0].argmax(-1)) == set(range(10))
    mask = jnp.zeros(10, bool).at[jnp.array([3, 7])].set(True)
    again = draw(SomeClasses(Digits(), mask), jax.random.split(key, 400))
    assert eqx.tree_equal(found, again)


def stored(key, classes=(0, 1)):
    exam = Digits().exam("train", key=key)
    labels = jnp.argmax(exam.target[:, 0], -1)
    store = FastStore(10, 5)
    first = jax.tree.map(lambda x: x[0], exam)
    see = eqx.filter_jit(store.see)
    return store, see(store.init(first), exam, labels, jnp.array(classes), key=key)


def test_a_share_of_examples_is_brought_back(key):
    store, kept = stored(key)
    keys = jax.random.split(key, 1000)
    fresh = SomeClasses(Digits(), (8, 9))
    mixed = draw(Interleaved(fresh, store, kept, 0.25), keys)
    classes = np.asarray(mixed.target)[:, 0].argmax(-1)
    old = classes < 2
    assert set(classes) == {0, 1, 8, 9}
    assert scipy.stats.binomtest(int(old.sum()), 1000, 0.25).pvalue > 1e-3
    there = {np.asarray(x).tobytes() for x in kept.examples.stimuli[:2].reshape(10, 1, 64)}
    assert {np.asarray(x).tobytes() for x in mixed.stimuli[old]} == there
    plain = draw(fresh, keys)  # what is fresh is what would have come without a memory
    np.testing.assert_array_equal(mixed.stimuli[~old], plain.stimuli[~old])
    empty = Interleaved(fresh, store, jax.tree.map(jnp.zeros_like, kept), 0.25)
    assert eqx.tree_equal(draw(empty, keys), plain)
    asked = draw(Interleaved(fresh, store, kept, 1.0), keys, "tune")
    assert eqx.tree_equal(asked, draw(fresh, keys, "tune"))


def test_shuffled_rehearsal_keeps_stimuli_and_loses_what_they_are(key):
    store, kept = stored(key)
    keys = jax.random.split(key, 1000)
    fresh = SomeClasses(Digits(), (8, 9))
    true = draw(Interleaved(fresh, store, kept, 1.0), keys)
    sham = draw(Interleaved(fresh, store, kept, 1.0, shuffled=True), keys)
    np.testing.assert_array_equal(true.stimuli, sham.stimuli)
    a, b = (np.asarray(x.target)[:, 0].argmax(-1) for x in (true, sham))
    table = np.array([[((a == i) & (b == j)).sum() for j in (0, 1)] for i in (0, 1)])
    assert table.sum() == 1000
    assert scipy.stats.chi2_contingency(table).pvalue > 1e-3


def test_refusals():
    with pytest.raises(ValueError, match=r"classes=0, places=10.*FastStore\(classes"):
        FastStore(0)
    with pytest.raises(MemoryError, match=r"10 x 10,000,000,000 examples of 4 bytes.*GiB"):
        FastStore(10, 10_000_000_000).init(jnp.zeros(()))
    with pytest.raises(ValueError, match=r"factors=-1.*ClassGaussians\(classes=10"):
        ClassGaussians(factors=-1)
    with pytest.raises(ValueError, match=r"at least 8 numbers.*2 steps of 4.*factors=4"):
        ClassGaussians().init(Sample(jnp.zeros((2, 4))))
    with pytest.raises(ValueError, match=r"from 0 to 9, got \(3, 10\).*never shown"):
        SomeClasses(Digits(), (3, 10))
