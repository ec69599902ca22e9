"""Tasks whose targets are what is seen: the encoder problem, and copies of other tasks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.tasks import Copied, Digits, Encoder


def draw(task, split, keys):
    """Samples as NumPy arrays."""
    found = eqx.filter_jit(jax.vmap(lambda k: task.sample(split, key=k)))(keys)
    return jax.tree.map(np.asarray, found)


def test_encoder_shows_every_pattern_once_and_draws_them_all(key):
    task = Encoder(4, copies=2, lost=0.15, added=0.05)
    exam = task.exam("test", key=key)
    assert exam.stimuli.shape == (4, *task.shape[:2]) == (4, 1, 8)
    np.testing.assert_array_equal(exam.stimuli[:, 0], np.tile(np.eye(4), (1, 2)))
    np.testing.assert_array_equal(exam.target, exam.stimuli)
    drawn = draw(task, "tune", jax.random.split(key, 400)).stimuli
    shares = drawn[:, 0].mean(0)
    np.testing.assert_allclose(shares, 0.25, atol=0.08)  # 4 standard errors
    assert (drawn.sum((1, 2)) == 2).all()  # no noise but in training


def test_encoder_noise_has_the_chances_that_it_is_told(key):
    """A cell is on with chance (1 - lost) / n + added (n - 1) / n, and every bit by itself."""
    task = Encoder(4, copies=2, lost=0.15, added=0.05)
    drawn = draw(task, "train", jax.random.split(key, 20_000))
    assert set(np.unique(drawn.stimuli)) == {0.0, 1.0}
    np.testing.assert_allclose(drawn.stimuli[:, 0].mean(0), 0.85 / 4 + 0.05 * 3 / 4, atol=0.013)
    both = drawn.stimuli[:, 0, 0] * drawn.stimuli[:, 0, 4]  # the same cell of the two copies
    assert float(both.mean()) == pytest.approx(0.85**2 / 4 + 0.05**2 * 3 / 4, abs=0.012)
    assert (drawn.target == drawn.stimuli).all()


def test_encoder_refuses_nonsense():
    with pytest.raises(ValueError, match=r"2 cells or more and 1 copy or more, got 1, 1"):
        Encoder(1)
    with pytest.raises(ValueError, match=r"lost and added from 0 to 1, got 1\.5 and 0"):
        Encoder(4, lost=1.5)


def test_copies_ask_for_what_is_seen(key):
    task, digits = Copied(Digits()), Digits()
    sample, plain = (draw(t, "train", key[None]) for t in (task, digits))
    np.testing.assert_array_equal(sample.stimuli, plain.stimuli)
    np.testing.assert_array_equal(sample.target, sample.stimuli)
    sample = jax.tree.map(lambda x: jnp.asarray(x[0]), sample)
    assert task.shape == (1, 64, 64)
    assert task.exam("tune", key=key).target.shape == (200, 1, 64)
    assert float(task.error(sample.stimuli, sample)) == 0.0
    assert float(task.score(sample.stimuli + 1.0, sample)) == pytest.approx(-32.0)
