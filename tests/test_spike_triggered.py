"""Spike-triggered averages and axes against cells whose filters are known."""

import numpy as np
import pytest

from neurula.measures.spike_triggered import spike_triggered

BINS, PIXELS = 8_000, 8


def stimuli(seed=0, bins=BINS):
    return np.random.default_rng(seed).standard_normal((bins, PIXELS))


def cosine(a, b):
    return abs(np.sum(a * b)) / np.linalg.norm(a) / np.linalg.norm(b)


def unit(k):
    return np.eye(PIXELS)[k]


def test_average_of_a_linear_cell_is_its_filter_with_its_length():
    """For exp(w x) and white noise of variance 1 the average is w itself (Schwartz et al. 2006)."""
    rng = np.random.default_rng(1)
    shown, weight = stimuli(), 0.5 * unit(1) - 0.3 * unit(4)
    found = spike_triggered(shown, rng.poisson(0.3 * np.exp(shown @ weight)), shuffles=50, rng=rng)
    np.testing.assert_allclose(found.average[0], weight, atol=0.06)
    assert found.average_p == pytest.approx(1 / 51)


def test_lags_tell_when():
    rng = np.random.default_rng(2)
    shown = stimuli()
    drive = np.zeros(BINS)
    drive[2:] = shown[:-2, 3]  # two bins before
    found = spike_triggered(shown, rng.poisson(np.exp(drive - 1)), lags=4, shuffles=20, rng=rng)
    assert np.unravel_index(np.abs(found.average).argmax(), (4, PIXELS)) == (2, 3)


def test_energy_model_has_no_average_but_two_exciting_axes_and_one_that_suppresses():
    """A complex cell: sums of squares (Rust et al. 2005), divided by another one."""
    rng = np.random.default_rng(3)
    shown = stimuli()
    energy = shown[:, 0] ** 2 + shown[:, 1] ** 2
    rate = 0.5 * energy / (1 + 2 * shown[:, 5] ** 2)
    found = spike_triggered(shown, rng.poisson(rate), shuffles=60, rng=rng)
    assert found.average_p > 0.05
    assert found.exciting.shape == (2, 1, PIXELS)
    assert found.suppressing.shape == (1, 1, PIXELS)
    plane = found.exciting[:, 0]
    assert np.linalg.norm(plane[:, :2]) ** 2 == pytest.approx(2, rel=0.05)
    assert cosine(found.suppressing[0, 0], unit(5)) > 0.98
    assert np.all(np.diff(found.variances) <= 0)
    assert len(found.variances) == PIXELS  # no average to take out


def test_variance_before_spikes_is_that_of_the_closed_form():
    """For exp(a x^2 / 2) the variance before spikes is 1 / (1 - a) along x, 1 elsewhere."""
    rng = np.random.default_rng(4)
    shown, a = stimuli(bins=20_000), -1.0
    rate = np.exp(a * shown[:, 2] ** 2 / 2)
    found = spike_triggered(shown, rng.poisson(rate), shuffles=20, rng=rng)
    assert found.variances[-1] == pytest.approx(1 / (1 - a) - 1, abs=0.03)
    np.testing.assert_allclose(found.variances[:-1], 0, atol=0.06)
    assert cosine(found.suppressing[0, 0], unit(2)) > 0.98


def test_spikes_without_a_cause_have_no_axes():
    """Bursts would fool a test that shuffles bins one by one; shifts keep them."""
    hits = 0
    for seed in range(8):
        rng = np.random.default_rng(seed + 10)
        slow = np.repeat(rng.gamma(0.5, 1.0, 200), 10)
        found = spike_triggered(stimuli(seed, 2000), rng.poisson(slow), shuffles=60, rng=rng)
        hits += len(found.exciting) + len(found.suppressing) > 0
    assert hits <= 2


def test_refusals_say_what_to_do():
    rng = np.random.default_rng(0)
    shown, ones = stimuli(bins=100), np.ones(100)
    with pytest.raises(ValueError, match=r"got 99 counts and 100 stimuli.*np\.histogram"):
        spike_triggered(shown, ones[1:], rng=rng)
    with pytest.raises(ValueError, match=r"2 spikes for 32 directions"):
        spike_triggered(shown, np.eye(100)[-1] * 2, lags=4, rng=rng)
    with pytest.raises(ValueError, match=r"1 values are NaN.*Cut these bins"):
        spike_triggered(shown, np.where(np.arange(100) == 5, np.nan, 1.0), rng=rng)
    with pytest.raises(ValueError, match=r"got 200 and 80.*least=10"):
        spike_triggered(shown, ones, least=80, rng=rng)
