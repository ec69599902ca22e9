"""Gabor fits, gratings and summaries of receptive fields against filters that are known."""

import jax
import numpy as np
import pytest

from neurula import measures, pictures
from neurula.measures.gabors import Gabors, fit_gabors
from neurula.measures.linear_responses import linear_responses
from neurula.measures.modulation import modulation_ratio
from neurula.measures.orientation import orientation_tuning
from neurula.measures.receptive_fields import receptive_fields

grating = jax.jit(measures.grating, static_argnums=(0, 1))


def gabors(count, seed=0):
    rng = np.random.default_rng(seed)
    draw = lambda low, high: rng.uniform(low, high, count)  # noqa: E731
    return Gabors(
        draw(0.5, 3), draw(-np.pi, np.pi), draw(0, np.pi), draw(0.1, 0.35), draw(1, 3), draw(1, 3),
        draw(-3, 3), draw(-3, 3), np.ones(count),
    )  # fmt: skip


def one(**settings):
    start = {name: np.array([value]) for name, value in zip(
        Gabors._fields, (1.0, 0.0, 0.0, 0.2, 2.0, 2.0, 0.0, 0.0, 1.0), strict=True)}  # fmt: skip
    return Gabors(**start | {name: np.array([value]) for name, value in settings.items()})


def test_fits_recover_gabors_to_the_last_digits():
    known = gabors(60)
    found = fit_gabors(known.draw(12))
    np.testing.assert_allclose(found.explained, 1, atol=1e-9)
    turn = np.abs(np.exp(2j * found.orientation) - np.exp(2j * known.orientation))
    np.testing.assert_allclose(turn, 0, atol=1e-5)
    for name in ("amplitude", "frequency", "across", "along", "right", "up", "n_x", "n_y"):
        np.testing.assert_allclose(getattr(found, name), getattr(known, name), atol=1e-4)
    np.testing.assert_allclose(found.draw(12), known.draw(12), atol=1e-6)
    same = np.abs(found.orientation - known.orientation) < 1
    ahead = np.exp(1j * (found.phase - known.phase))[same]
    np.testing.assert_allclose(ahead, 1, atol=1e-4)


def test_fits_survive_noise_and_do_not_see_gabors_in_it():
    known, rng = gabors(60, seed=1), np.random.default_rng(0)
    clean = known.draw(12)
    clean /= clean.std((1, 2), keepdims=True)
    found = fit_gabors(clean + 0.5 * rng.standard_normal(clean.shape))
    np.testing.assert_allclose(found.explained, 1 / 1.25, atol=0.08)  # 1 / (1 + noise variance)
    turn = np.abs(np.exp(2j * found.orientation) - np.exp(2j * known.orientation)) / 2
    assert np.median(np.degrees(turn)) < 3
    waves = known.n_x > 0.3  # narrower envelopes hold too little of a wave to tell its length
    assert np.mean(np.abs(found.frequency - known.frequency)[waves] < 0.03) > 0.95
    noise = fit_gabors(rng.standard_normal((100, 12, 12))).explained
    assert np.median(noise) < 0.15
    assert noise.max() < 0.3


def test_scale_matters_for_the_amplitude_only():
    known = gabors(5)
    found, larger = (fit_gabors(known.draw(10) * factor) for factor in (1.0, 1e3))
    np.testing.assert_allclose(larger.amplitude, 1e3 * found.amplitude, rtol=1e-6)
    np.testing.assert_allclose(larger.frequency, found.frequency, rtol=1e-6)


def test_bandwidth_is_where_the_spectrum_falls_to_half():
    """Read off the Fourier transform of a drawn function, far from the picture's edges."""
    drawn = one(frequency=0.15, across=4.0, along=4.0)
    frequencies = np.linspace(0.02, 0.4, 2000)
    wave = np.exp(-2j * np.pi * frequencies[:, None] * np.arange(64)[None])
    curve = np.abs(wave @ drawn.draw(64)[0].sum(0))
    above = frequencies[curve > curve.max() / 2]
    assert drawn.bandwidth[0] == pytest.approx(np.log2(above[-1] / above[0]), abs=0.02)
    assert np.isinf(one(frequency=0.05, across=1.0).bandwidth[0])


def test_direction_is_that_of_gratings():
    """A Gabor function of orientation 30 degrees likes gratings that drift to 30 degrees."""
    drawn = one(orientation=np.radians(30), frequency=0.2).draw(13)
    told = linear_responses(drawn, ways=36)
    tuning = orientation_tuning(told.amplitude)
    assert np.degrees(tuning.preferred[0]) == pytest.approx(30, abs=0.5)
    assert told.frequency[0] == pytest.approx(0.2, abs=0.03)
    shown = [
        np.asarray(grating(13, 16, direction=np.radians(way), frequency=float(told.frequency[0]),
                           tempo=1 / 16))
        for way in (30, 80)
    ]  # fmt: skip
    driven = [2 * np.abs(np.fft.fft((film * drawn).sum((1, 2)))[1]) / 16 for film in shown]
    np.testing.assert_allclose(driven, told.amplitude[[3, 8], 0], rtol=1e-3)


def test_tuning_is_that_of_von_mises_curves():
    """exp(k (cos 2a - 1)): circular variance 1 - I1(k) / I0(k), half width by hand."""
    from scipy.special import i0, i1

    k, ways = np.array([1.0, 3.0, 8.0]), 2 * np.pi * np.arange(180)[:, None] / 180
    found = orientation_tuning(np.exp(k[None] * (np.cos(2 * (ways - 0.5)) - 1)))
    np.testing.assert_allclose(found.circular_variance, 1 - i1(k) / i0(k), atol=1e-6)
    np.testing.assert_allclose(found.preferred, 0.5, atol=1e-6)
    exact = np.arccos(1 - np.log(2) / 2 / k) / 2
    np.testing.assert_allclose(found.half_width, exact, atol=0.01)
    half = orientation_tuning(np.exp(k[None] * (np.cos(2 * (ways - 0.5)) - 1)), height=0.5)
    np.testing.assert_allclose(half.half_width, np.arccos(1 - np.log(2) / k) / 2, atol=0.01)


def test_tuning_of_round_and_silent_cells():
    found = orientation_tuning(np.stack([np.ones(12), np.zeros(12), -np.ones(12)], 1))
    np.testing.assert_allclose(found.circular_variance, [1, np.nan, np.nan], atol=1e-12)
    assert np.isnan(found.half_width).all()
    with pytest.raises(ValueError, match=r"6 or more.*got 7.*directions\(12\)"):
        orientation_tuning(np.ones((7, 1)))
    with pytest.raises(ValueError, match=r"between 0 and 1.*got 1.5.*height=0.5"):
        orientation_tuning(np.ones((12, 1)), height=1.5)


def test_modulation_of_simple_and_complex_cells():
    """Half-rectified sines pi / 2, one bin 2, a sine on a pedestal its contrast, squares near 0."""
    wave = np.cos(2 * np.pi * np.arange(400) / 100)[:, None] * np.array([1.0, 5.0])
    np.testing.assert_allclose(modulation_ratio(np.maximum(wave, 0), 0.01), np.pi / 2, rtol=1e-3)
    np.testing.assert_allclose(modulation_ratio(wave**2, 0.01), 0, atol=1e-9)
    assert modulation_ratio(10 + wave[:, 1], 0.01) == pytest.approx(0.5)
    assert modulation_ratio(10 + wave[:, 1], 0.01, spontaneous=8.0) == pytest.approx(2.5)
    spike = np.zeros(400)
    spike[::100] = 1
    assert modulation_ratio(spike, 0.01) == pytest.approx(2)
    assert np.isnan(modulation_ratio(np.zeros(400), 0.01))
    with pytest.raises(ValueError, match=r"350 bins at 0.01 .* hold 3.5.*responses\[:300\]"):
        modulation_ratio(np.ones(350), 0.01)


def test_pixels_blobs_and_whole_gratings_are_fitted_but_not_counted():
    along = np.arange(12) - 5.5
    grid = np.cos(2 * np.pi * 0.2 * along)[None, :] * np.ones((12, 1))
    blob = np.exp(-(along[:, None] ** 2 + along[None, :] ** 2) / 8)
    pixel = np.zeros((12, 12))
    pixel[5, 5] = 1
    known = one(frequency=0.2, across=1.8, along=2.2).draw(12)[0]
    fields = receptive_fields(np.stack([grid, blob, pixel, known]))
    assert np.all(fields.gabors.explained > 0.95)
    np.testing.assert_array_equal(fields.local, [False, True, True, True])
    np.testing.assert_array_equal(fields.oriented, [True, False, False, True])
    np.testing.assert_array_equal(fields.gabor_like(), [False, False, False, True])
    told = fields.summary()
    assert told["filters"] == 4
    assert told["share fitted"] == 1
    assert told["share like Gabors"] == 0.25
    assert {"n_x", "bandwidth", "circular_variance"} <= set(fields.table())


def test_filters_without_a_pattern_and_refusals():
    fields = receptive_fields(np.stack([np.zeros((8, 8)), np.ones((8, 8))]))
    assert np.isnan(fields.gabors.explained).all()
    assert not fields.gabor_like().any()
    with pytest.raises(ValueError, match=r"square pictures.*got the shape \(3, 8, 9\).*reshape"):
        fit_gabors(np.ones((3, 8, 9)))
    with pytest.raises(ValueError, match=r"1 of 3 have NaN or inf, the first is 2"):
        fit_gabors(np.where(np.arange(3)[:, None, None] == 2, np.nan, np.ones((3, 8, 8))))


def test_pictures_scale_each_filter_alone_with_its_fit_beside():
    known = gabors(5)
    drawn = known.draw(12) * np.array([1, 10, 100, 1, 1])[:, None, None]
    figure = pictures.receptive_fields(drawn)
    assert np.nanmax(np.abs(figure.data[0].z)) == 1
    assert np.isfinite(figure.data[0].z).sum() == 5 * 144
    rows = {"a<b": drawn[:3], "c": drawn[3:]}
    fits = {name: fit_gabors(x) for name, x in rows.items()}
    figure = pictures.receptive_fields(rows, fits, columns=2)
    assert np.isfinite(figure.data[0].z).sum() == 2 * 5 * 144
    words = [note.text for note in figure.layout.annotations]
    assert words.count("1.00") == 5
    assert {"a&lt;b", "c"} <= set(words)
    nothing = pictures.receptive_fields({})
    assert nothing.layout.annotations[0].text == "There are no filters."
