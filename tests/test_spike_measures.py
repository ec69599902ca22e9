"""Bursts, adaptation, detection and linearity against what is known beforehand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from neurula.measures import (
    adaptation_index,
    first_burst,
    linear_share,
    pauses,
    roc_area,
    spike_times,
    variation,
)


def test_spike_times_are_those_of_the_ends_of_steps():
    np.testing.assert_allclose(spike_times(np.array([0, 1, 0, 1]), dt=0.5), [1.0, 2.0])


def test_bursts_and_pauses():
    times = np.cumsum([0.0, 3, 4, 50, 3, 3, 40, 9, 20])
    assert first_burst(times, close=4.0) == 3
    assert pauses(times, close=4.0, longer=3.0) == 2
    assert pauses(times, close=10.0, longer=2.0) == 3
    assert pauses(np.cumsum([0.0, 3, 10, 40]), close=10.0, longer=3.0) == 1  # one burst, one pause
    assert first_burst(np.array([1.0, 9.0]), close=4.0) == 1
    assert first_burst(np.array([1.0, 2.0]), close=4.0) == 2
    assert first_burst(np.zeros(0), close=4.0) == 0


def test_adaptation_and_variation():
    assert adaptation_index(np.arange(10.0)) == 0
    growing = np.cumsum(2.0 ** np.arange(8))
    assert adaptation_index(growing) == pytest.approx(1 / 3)  # (2 - 1) / (2 + 1)
    assert variation(np.arange(10.0)) == 0
    random = np.cumsum(np.random.default_rng(0).exponential(size=20_000))
    assert variation(random) == pytest.approx(1, abs=0.03)
    assert np.isnan(adaptation_index(np.array([1.0, 2.0])))
    assert np.isnan(variation(np.array([1.0, 2.0])))


def test_roc_area_is_that_of_sklearn_and_of_theory():
    rng = np.random.default_rng(0)
    there, absent = rng.poisson(3, (2, 300)), rng.poisson(2, (2, 400))
    found = roc_area(jnp.asarray(there, jnp.float32), jnp.asarray(absent, jnp.float32))
    truth = np.r_[np.ones(300), np.zeros(400)]
    for row in range(2):
        wanted = roc_auc_score(truth, np.r_[there[row], absent[row]])
        assert found[row] == pytest.approx(wanted, abs=1e-5)
    a, b = rng.normal(1, 1, 3000), rng.normal(0, 1, 3000)
    area = roc_area(jnp.asarray(a, jnp.float32), jnp.asarray(b, jnp.float32))
    assert area == pytest.approx(norm.cdf(1 / 2**0.5), abs=0.02)


def share(stimulus, responses):
    """In JAX and compiled; arrays are NumPy's."""
    arrays = (jnp.asarray(x, jnp.float32) for x in (stimulus, responses))
    return np.asarray(jax.jit(lambda x, y: linear_share(x, y, lags=10))(*arrays))


def test_linear_share_is_1_for_a_filter_known_for_a_square_and_0_for_another():
    """x + c x^2 has the variance 1 + 2 c^2, of which a filter can have 1."""
    rng = np.random.default_rng(0)
    stimulus, other = rng.normal(size=(2, 4000))
    smooth = np.convolve(stimulus, [0.2, 1.0, 0.5])[:4000]
    square = stimulus + 0.7 * stimulus**2
    clean = np.stack([smooth, square, other], axis=1)
    found = share(stimulus, clean[:, :, None] + 2 * rng.normal(size=(4000, 3, 20)))
    np.testing.assert_allclose(found, [1.0, 1 / (1 + 2 * 0.49), 0.0], atol=0.06)
