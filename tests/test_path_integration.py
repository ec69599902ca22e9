"""Paths and codes of place: what is shown adds up to where the walker is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.tasks import PathIntegration

CODES = ("cartesian", "gaussian", "difference", "mixed difference")


def test_velocities_add_up_to_places_inside_the_box(key):
    task = PathIntegration("cartesian", steps=200, box=1.0, exam_size=5)
    exam = task.exam("test", key=key)
    start = exam.stimuli[:, 0, 2:]
    added = start[:, None] + np.cumsum(0.02 * exam.stimuli[:, :, :2], 1)
    np.testing.assert_allclose(added, exam.places, atol=1e-5)
    np.testing.assert_array_equal(exam.target, exam.places)
    assert (np.abs(exam.places) <= 0.5).all()
    assert np.abs(exam.places).max() > 0.45  # walls are reached
    np.testing.assert_array_equal(exam.stimuli[:, 1:, 2:], 0)


@pytest.mark.parametrize("readout", CODES[1:])
def test_a_code_is_read_out_near_its_place(readout, key):
    task = PathIntegration(readout)
    places = jax.random.uniform(key, (200, 2), minval=-1.0, maxval=1.0)
    code = jax.vmap(task.code)(places)
    np.testing.assert_allclose(code.sum(-1), 1, rtol=1e-4)
    assert (code >= 0).all()
    away = np.linalg.norm(jax.vmap(task.decode)(code) - places, axis=-1)
    assert away.mean() < 0.1  # m; a place in the middle of the box would be 0.77 m away


def test_a_code_by_hand():
    task = PathIntegration("difference", cells=3, width=0.5, surround=2.0)
    place = jnp.array([0.3, -0.2])
    d = np.sum((np.asarray(task.centres) - np.asarray(place)) ** 2, 1)
    near, far = np.exp(-d / 0.5), np.exp(-d / 1.0)
    raw = near / near.sum() - far / far.sum()
    np.testing.assert_allclose(task.code(place), (raw - raw.min()) / (raw - raw.min()).sum(), 1e-4)


def test_the_score_is_the_distance_in_metres(key):
    task = PathIntegration("cartesian")
    walk = task.sample("test", key=key)
    shifted = walk.places + jnp.array([[0.03, 0.04]])
    assert task.score(shifted, walk) == pytest.approx(-0.05, rel=1e-3)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="expects a readout of"):
        PathIntegration("polar")
    with pytest.raises(ValueError, match="surround > 1"):
        PathIntegration(surround=0.5)
