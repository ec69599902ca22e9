"""Grid scores by name: what their own programs say, and how far they are apart."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from neurula.measures import autocorrelogram, grid_lattice, grid_score

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks import drawn_maps  # noqa: E402

ANSWERS = json.loads((ROOT / "benchmarks" / "map_answers.json").read_text())
MAPS, KINDS = drawn_maps.draw(24)
DEFINITIONS = ("opexebo", "spatial_maps", "neural_playground", "deepmind")


@pytest.mark.parametrize("name", ["opexebo", "spatial_maps"])
def test_scores_are_those_of_the_programs(name):
    """Perfect, noisy, masked, square, place and noise maps; `python -m benchmarks.maps` asked."""
    found = grid_score(MAPS, definition=name)
    np.testing.assert_allclose(found, ANSWERS[name]["scores"], atol=1e-6)


def test_scores_are_nearly_those_of_neural_playground():
    """Its rounding decides at 90 degrees which bins beside the annulus are lost."""
    found = grid_score(MAPS, definition="neural_playground")
    apart = np.abs(found - ANSWERS["neural_playground"]["scores"])
    assert apart.max() < 0.02
    assert np.median(apart) < 1e-6


def test_definitions_disagree_on_the_same_map():
    """The same two maps, four numbers each: 0.25 to 1.25 apart."""
    y, x = np.mgrid[:40, :40]
    hexagons = np.maximum(drawn_maps.hexagonal(x, y, 14, np.pi / 4), 0)
    squares = np.maximum(drawn_maps.square(x, y, 12), 0)
    found = [grid_score(np.array([hexagons, squares]), definition=name) for name in DEFINITIONS]
    np.testing.assert_allclose(
        np.transpose(found), [[1.38, 1.11, 1.23, 1.55], [-0.01, -1.16, -1.25, -0.32]], atol=0.01
    )
    ours = grid_score(np.array([hexagons, squares]))
    assert ours[0] > 1.3
    assert ours[1] < -0.5


def test_a_single_field_or_no_variance_has_no_score():
    y, x = np.mgrid[:30, :30]
    spot = np.exp(-(np.square(x - 15) + np.square(y - 15)) / 50.0)
    flat = np.ones((30, 30))
    assert np.isnan(grid_score(spot, definition="neural_playground"))
    for name in (*DEFINITIONS, "langston"):
        found = grid_score(np.array([spot, flat, np.full_like(flat, np.nan)]), definition=name)
        assert np.isnan(found[1:]).all(), name


def test_an_unvisited_quarter_keeps_the_default_score_and_not_that_of_zeros():
    """Bins that are left out do not move the score by much; bins of rate zero do."""
    y, x = np.mgrid[:40, :40]
    full = drawn_maps.hexagonal(x, y, 12, 0.3) + 5
    part = full.copy()
    part[:20, :20] = np.nan
    whole, left_out = grid_score(np.array([full, part]))
    assert left_out == pytest.approx(whole, abs=0.05)
    zeros = grid_score(np.nan_to_num(part))
    assert zeros < whole - 0.1


def test_scores_do_not_depend_on_rate_scale_or_batch():
    for name in (*DEFINITIONS, "langston"):
        each = [float(grid_score(one, definition=name)) for one in MAPS[:4]]
        together = grid_score(7 * MAPS[:4].reshape(2, 2, 40, 40), definition=name)
        np.testing.assert_allclose(together.ravel(), each, atol=1e-6, err_msg=name)


def test_the_autocorrelogram_is_pearsons_r_for_every_shift():
    rng = np.random.default_rng(0)
    rates = rng.random((9, 7))
    rates[2:5, 1:3] = np.nan
    found = autocorrelogram(rates, overlap=4)
    assert found.shape == (17, 13)
    for down, across in [(0, 0), (1, 2), (-3, 1), (5, -4), (-6, -5), (8, 6), (7, -6)]:
        pairs = [
            (rates[i, j], rates[i + down, j + across])
            for i in range(9)
            for j in range(7)
            if 0 <= i + down < 9 and 0 <= j + across < 7
        ]
        pairs = np.array([pair for pair in pairs if np.isfinite(pair).all()]).reshape(-1, 2)
        r = np.corrcoef(pairs.T)[0, 1] if len(pairs) >= 4 else np.nan
        np.testing.assert_allclose(found[8 + down, 6 + across], r, atol=1e-9)
    strict = autocorrelogram(rates)  # 20 bins of overlap
    assert np.isnan(strict[8 + 6, 6])  # 3 x 7 bins, of which fewer than 20 visited twice


def test_spacing_and_orientation_of_a_lattice():
    y, x = np.mgrid[:40, :40] * 0.025
    for spacing, degrees in [(0.3, 0.0), (0.35, 17.0), (0.42, 55.0)]:
        # The waves' normals lie between the axes of the fields.
        rates = drawn_maps.hexagonal(x, y, spacing, np.radians(degrees + 30), (0.1, 0.2))
        found = grid_lattice(rates)
        assert float(found.spacing) == pytest.approx(spacing, rel=0.02)
        assert (float(found.orientation) - degrees + 30) % 60 - 30 == pytest.approx(0, abs=1.5)
        assert float(found.ellipticity) == pytest.approx(1, abs=0.06)
    assert np.isnan(grid_lattice(np.ones((3, 20, 20))).spacing).all()


def test_bad_names_and_sizes_are_refused():
    with pytest.raises(ValueError, match=r"of \['langston', .*'square'\], but got 'gridness'"):
        grid_score(MAPS[0], definition="gridness")
    with pytest.raises(ValueError, match=r"8 x 8 bins or more, but got 5 x 9.*bin_width"):
        grid_score(np.ones((5, 9)))
    with pytest.raises(ValueError, match=r"overlap of 2 bins or more, but got 1"):
        autocorrelogram(MAPS[0], overlap=1)
