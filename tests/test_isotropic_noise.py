"""Isotropic noise keeps a map's spectrum and no more; grids stand out of it, noise does not."""

import numpy as np
import pytest

from neurula.measures import against_noise, grid_score, isotropic_noise

SIDE = 24
X, Y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))


def lattice(turn, period=8.0):
    """A hexagonal sum of three waves, rectified."""
    waves = [
        np.cos(2 * np.pi / period * (X * np.cos(a) + Y * np.sin(a)))
        for a in turn + np.pi / 3 * np.arange(3)
    ]
    return np.maximum(np.sum(waves, 0), 0)


def rings(maps):
    """The mean power of waves of about the same length."""
    k = np.rint(np.hypot(*np.meshgrid(*[np.fft.fftfreq(SIDE) * SIDE] * 2))).astype(int)
    power = np.abs(np.fft.fft2(maps)) ** 2
    return np.bincount(k.ravel(), power.mean(tuple(range(maps.ndim - 2))).ravel())[1:8]


def test_mean_variance_and_spectrum_are_kept():
    signed = np.stack([lattice(0.2) - 1.0])
    noise = isotropic_noise(signed, 400, rng=np.random.default_rng(0))
    np.testing.assert_allclose(noise.mean((2, 3)), signed.mean(), atol=1e-12)
    np.testing.assert_allclose(noise.std((2, 3)), signed.std(), rtol=1e-9)
    np.testing.assert_allclose(rings(noise - noise.mean()), rings(signed - signed.mean()), rtol=0.2)


def test_silent_bins_and_mean_are_kept_where_nothing_is_negative():
    maps = np.stack([lattice(0.0), lattice(0.5, 6.0)])
    noise = isotropic_noise(maps, 5, rng=np.random.default_rng(1))
    assert (noise >= 0).all()
    np.testing.assert_array_equal((noise == 0).sum((2, 3)), [(maps == 0).sum((1, 2))] * 5)
    np.testing.assert_allclose(noise.mean((2, 3)), [maps.mean((1, 2))] * 5)


def test_grids_stand_out_and_noise_of_the_same_spectrum_does_not():
    rng = np.random.default_rng(2)
    score = lambda maps: grid_score(maps, definition="spatial_maps")  # noqa: E731
    maps = np.stack([lattice(t) for t in (0.0, 0.3, 0.7)])
    found = against_noise(score, maps, surrogates=49, rng=rng)
    assert (found.p_value == 0.02).all()
    noise = isotropic_noise(maps[:1], 60, rng=rng)[:, 0]
    p = against_noise(score, noise, surrogates=49, rng=rng).p_value
    assert np.mean(p <= 0.1) < 0.25  # 0.1 expected; binomial: above 0.25 in one of 1,000


def test_maps_with_gaps_are_refused():
    maps = lattice(0.0)[None]
    maps[0, 3, 4] = np.nan
    with pytest.raises(ValueError, match=r"1 of 576 bins are NaN.*Fill unvisited bins"):
        isotropic_noise(maps, 2, rng=np.random.default_rng(0))
