"""Examples of one's own are shown as they were given, under other names if asked."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.contracts import Sample
from neurula.tasks import Digits, Examples
from neurula.tasks.examples import SPLITS, teacher_labels

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def digits():
    return Examples.of(Digits())


def test_they_are_those_of_the_task(digits):
    for split in SPLITS:
        ours, theirs = digits.exam(split, key=KEY), Digits().exam(split, key=KEY)
        np.testing.assert_array_equal(ours.stimuli, theirs.stimuli)
        np.testing.assert_array_equal(ours.target, theirs.target)
        np.testing.assert_array_equal(digits.labels[split], jnp.argmax(theirs.target[:, 0], 1))
    assert digits.shape == Digits().shape


def test_samples_come_from_their_split_with_their_target(digits):
    known = digits.by_split["tune"]
    for k in range(5):
        one = digits.sample("tune", key=jax.random.key(k))
        [row] = np.flatnonzero((np.asarray(known.stimuli) == np.asarray(one.stimuli)).all((1, 2)))
        np.testing.assert_array_equal(one.target, known.target[row])


def test_other_names_for_the_same_pictures(digits):
    names = {split: (each + 1) % 10 for split, each in digits.labels.items()}
    other = digits.renamed(names)
    for split in SPLITS:
        np.testing.assert_array_equal(other.labels[split], names[split])
        np.testing.assert_array_equal(other.by_split[split].stimuli, digits.by_split[split].stimuli)


def test_a_teacher_of_low_gain_names_by_the_largest_of_ten_weighted_sums(digits):
    """Next to no gain leaves a linear network: ten sums, each compared with its usual size."""
    names = teacher_labels(digits, gain=1e-2, key=KEY)
    again = teacher_labels(digits, gain=1e-2, key=KEY)
    pictures = {s: np.asarray(digits.by_split[s].stimuli[:, 0]) for s in SPLITS}
    assert all((names[s] == again[s]).all() for s in SPLITS)
    at_first, at_second = jax.random.split(KEY)
    weight = np.asarray(
        jax.random.normal(at_first, (64, 64)) @ jax.random.normal(at_second, (64, 10))
    )
    sums = {s: x @ weight for s, x in pictures.items()}
    sums = {s: (x - sums["train"].mean(0)) / sums["train"].std(0) for s, x in sums.items()}
    for split in SPLITS:
        assert np.mean(sums[split].argmax(1) == np.asarray(names[split])) > 0.99


@pytest.mark.parametrize(
    ("by_split", "message"),
    [
        (
            {"train": Sample(jnp.ones((2, 1, 3)), jnp.ones((2, 1, 2)))},
            "the splits train, tune, test",
        ),
        (dict.fromkeys(SPLITS, Sample(jnp.ones((2, 1, 3)))), r"got \(2, 1, 3\) and None to train"),
    ],
)
def test_examples_that_do_not_fit_are_refused(by_split, message):
    with pytest.raises(ValueError, match=message):
        Examples(by_split)
