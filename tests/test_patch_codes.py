"""Codes of patches against dictionaries that are known; scrambled pictures keep their spectrum."""

import numpy as np
import pytest

from neurula.data import load
from neurula.measures.codes import code_filters
from neurula.measures.sparse_coding import (
    coding_cost,
    random_dictionary,
    sparse_codes,
    sparse_dictionary,
)
from neurula.tasks.patches import draw_patches, flattened
from neurula.tasks.scrambled import phase_scrambled, white_noise


def sums_of_few(words, count=4000, active=2, seed=0):
    """Examples made of a few words each, so that their code is known to be sparse."""
    rng = np.random.default_rng(seed)
    codes = np.zeros((count, len(words)))
    for row in codes:
        chosen = rng.choice(len(words), active, replace=False)
        row[chosen] = rng.choice([-1, 1], active) * rng.uniform(1, 2, active)
    return codes @ words


def nearest(found, words):
    return np.abs(found @ words.T).max(0)


def test_codes_of_a_basis_are_soft_thresholds():
    """With words at right angles the best code of x is x less the penalty, towards 0."""
    x = np.random.default_rng(0).standard_normal((20, 6))
    found = sparse_codes(x, np.eye(6), penalty=0.4)
    np.testing.assert_allclose(found, np.sign(x) * np.maximum(np.abs(x) - 0.4, 0), atol=1e-5)


def test_codes_fulfil_the_conditions_of_a_minimum():
    """The slope of the error is the penalty where a cell is active, and no more elsewhere."""
    rng = np.random.default_rng(1)
    words, x = random_dictionary(30, 16, rng), rng.standard_normal((10, 16))
    found = sparse_codes(x, words, penalty=0.2, steps=3000)
    slope = (x - found @ words) @ words.T
    active = np.abs(found) > 1e-4
    np.testing.assert_allclose(slope[active], 0.2 * np.sign(found[active]), atol=2e-3)
    assert np.abs(slope).max() < 0.202
    assert 0 < active.mean() < 0.6


def test_a_sparse_code_finds_the_words_that_examples_are_made_of():
    rng = np.random.default_rng(2)
    words = random_dictionary(24, 16, rng)  # more words than pixels
    seen = sums_of_few(words)
    start = random_dictionary(24, 16, rng)
    found = sparse_dictionary(seen, start, penalty=0.3, passes=12, rng=rng)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert np.mean(nearest(start, words) > 0.95) < 0.1
    assert np.mean(nearest(found, words) > 0.95) > 0.8
    ours, first, true = (coding_cost(seen[:200], x, penalty=0.3) for x in (found, start, words))
    assert ours < 0.8 * first
    assert ours < 1.03 * true


def test_other_codes_find_what_they_are_for():
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.standard_normal((6, 6)))[0].T
    sources = rng.laplace(size=(4000, 6))
    ours = code_filters(sources @ axes, 6, "independent", rng=rng)
    assert nearest(ours, axes).min() > 0.98
    spread = rng.standard_normal((4000, 6)) * np.array([6.0, 5, 4, 3, 2, 1])
    ours = code_filters(spread @ axes, 3, "principal", rng=rng)
    np.testing.assert_allclose(np.abs(np.sum(ours * axes[:3], 1)), 1, atol=0.02)
    around = axes[rng.integers(0, 4, 2000)] + 0.1 * rng.standard_normal((2000, 6))
    ours = code_filters(around, 4, "clusters", rng=np.random.default_rng(0))
    assert np.mean(nearest(ours, axes[:4]) > 0.98) >= 0.75  # two starts may share a cluster


def test_codes_refuse_what_they_cannot_have():
    seen, rng = np.ones((50, 6)), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"1 to 6 filters of kind 'principal', but got 7"):
        code_filters(seen, 7, "principal", rng=rng)


def test_scrambled_pictures_keep_spectrum_and_mean_and_lose_edges():
    picture = load("photographs")["china"].mean(-1)[:301]  # an odd number of rows
    drawn = phase_scrambled(picture, np.random.default_rng(0))
    ours, theirs = np.abs(np.fft.fft2(drawn)), np.abs(np.fft.fft2(picture))
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * theirs.max())
    assert drawn.mean() == pytest.approx(picture.mean())
    assert drawn.std() == pytest.approx(picture.std())
    assert abs(np.corrcoef(drawn.ravel(), picture.ravel())[0, 1]) < 0.3
    edges = [flattened(x)[20:-20, 20:-20] for x in (picture, drawn)]
    kurtosis = [np.mean(x**4) / np.mean(x**2) ** 2 - 3 for x in edges]
    assert kurtosis[0] > 3
    assert abs(kurtosis[1]) < 0.5
    other = phase_scrambled(picture, np.random.default_rng(1))
    assert abs(np.corrcoef(drawn.ravel(), other.ravel())[0, 1]) < 0.5


def test_white_noise_has_a_flat_spectrum():
    picture = load("photographs")["flower"].mean(-1)
    drawn = white_noise(picture, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(picture.mean(), abs=1)
    assert drawn.std() == pytest.approx(picture.std(), rel=0.01)
    power = np.abs(np.fft.fft2(drawn - drawn.mean())) ** 2
    low = np.hypot(*np.meshgrid(np.fft.fftfreq(640), np.fft.fftfreq(427))) < 0.1
    assert power[low].mean() / power[~low].mean() == pytest.approx(1, abs=0.05)


def test_patches_come_from_their_own_part():
    views = np.tile(np.arange(640.0), (2, 30, 1))
    rng = np.random.default_rng(0)
    for split, (first, last) in {"train": (0, 448), "tune": (448, 544), "test": (544, 640)}.items():
        drawn = draw_patches(views, split, 12, 300, rng)
        assert drawn.shape == (300, 144)
        assert drawn.min() >= first
        assert drawn.max() < last
