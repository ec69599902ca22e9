"""Head direction: closed forms of the mean vector, and a calibrated test."""

import numpy as np
import pytest
from scipy.special import iv

from neurula.measures import head_direction


def poisson(rates, times, seed=0):
    """Spike times of a cell that fires at `rates` (Hz), one for each time (s)."""
    step = times[1] - times[0]
    fired = np.random.default_rng(seed).poisson(np.broadcast_to(rates, times.shape) * step)
    return np.repeat(times, fired) + step / 2


def test_head_direction_has_the_mean_vector_of_a_von_mises_cell():
    """R = I1(kappa) / I0(kappa), although the animal looks one way three times as often."""
    rng = np.random.default_rng(0)
    times = np.arange(150_000) * 0.02
    around = rng.random(times.size) < 0.5
    angles = np.where(around, rng.vonmises(1.0, 1.0, times.size), rng.uniform(0, 7, times.size))
    kappa, preferred = 1.5, 4.0
    rates = 6 * np.exp(kappa * (np.cos(angles - preferred) - 1))
    found = head_direction(angles, times, poisson(rates, times))
    assert found.length == pytest.approx(iv(1, kappa) / iv(0, kappa), abs=0.02)
    assert found.preferred == pytest.approx(preferred, abs=0.05)
    assert found.p_value < 1e-10
    np.testing.assert_allclose(np.nanmax(found.rates), 6, rtol=0.15)


def test_rayleighs_test_is_calibrated_and_silent_cells_are_nan():
    times = np.arange(15_000) * 0.02
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, times.size)
    p = [head_direction(angles, times, poisson(1.0, times, seed)).p_value for seed in range(200)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.05)
    assert np.mean(p) == pytest.approx(0.5, abs=0.09)
    assert np.isnan(head_direction(angles, times, np.zeros(0)).length)


def test_two_directions_are_too_few():
    times = np.arange(9.0)
    with pytest.raises(ValueError, match=r"3 bins of direction or more, but got 2"):
        head_direction(times, times, times, bins=2)
