"""Rate maps, information, fields and borders: closed forms and simulated cells."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from neurula.measures import (
    autocorrelogram,
    border_score,
    grid_lattice,
    grid_score,
    place_fields,
    rate_map,
    shifted_maps,
    shuffled,
    spatial_information,
    visits,
)

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks import drawn_maps

ARENA = (0.0, 1.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def path():
    positions, times = drawn_maps.walk(600.0)
    return positions, times, visits(positions, times, extent=ARENA)


def poisson(rates, times, seed=0):
    """Spike times of a cell that fires at `rates` (Hz), one for each time (s)."""
    step = times[1] - times[0]
    fired = np.random.default_rng(seed).poisson(np.broadcast_to(rates, times.shape) * step)
    return np.repeat(times, fired) + step / 2


def test_every_second_is_somewhere_and_gaps_are_not():
    positions = np.array([[0.01, 0.01], [0.03, 0.01], [np.nan, 0.0], [0.03, 0.04], [0.05, 0.05]])
    times = np.array([0.0, 1.0, 2.0, 3.0, 60.0])
    path = visits(positions, times, bin_width=0.025, extent=(0.0, 0.05, 0.0, 0.05))
    # Rows are y. The step of 57 s is a gap; the far edge belongs to the last bin.
    np.testing.assert_array_equal(path.seconds, [[1, 1], [0, 2]])
    np.testing.assert_array_equal(path.bins, [0, 1, -1, 3, 3])


def test_a_map_is_spikes_over_seconds_and_unvisited_bins_are_nan():
    positions = np.array([[0.01, 0.01], [0.03, 0.01], [0.03, 0.04], [0.03, 0.04]])
    path = visits(positions, np.arange(4) * 0.5, extent=(0.0, 0.05, 0.0, 0.05))
    spikes = np.array([-3.0, 0.1, 0.2, 1.1, 1.6, 1.7, 9.0])
    found = rate_map(path, spikes=spikes, sigma=0.0)
    np.testing.assert_array_equal(found, [[4, 0], [np.nan, 3]])
    both = rate_map(path, spikes=[spikes, np.zeros(0)], sigma=0.0)
    np.testing.assert_array_equal(both, [found, [[0, 0], [np.nan, 0]]])
    rates = np.array([[4.0, 1], [0, 1], [2, 1], [4, 1]])
    found = rate_map(path, rates=rates, sigma=0.0)
    np.testing.assert_array_equal(found, [[[4, 0], [np.nan, 3]], [[1, 1], [np.nan, 1]]])
    g = np.exp(-1 / 2 / 1.5**2)  # a neighbour's weight, and g² across the corner
    left = (4 * 0.5 + 0 + 3 * g**2) / (0.5 + 0.5 * g + g**2)
    assert rate_map(path, spikes=spikes, sigma=1.5)[0, 0] == pytest.approx(left)


def test_smoothing_keeps_a_constant_rate_up_to_the_edges_of_what_was_visited(path):
    positions, times, _ = path
    inside = ~((positions < 0.5).all(1))  # a quarter is never visited
    quarter = visits(positions[inside], times[inside], extent=ARENA)
    found = rate_map(quarter, rates=np.full(inside.sum(), 3.0))
    assert np.isnan(found[:20, :20]).all()
    np.testing.assert_allclose(found[quarter.seconds > 0], 3.0)
    assert (np.isnan(found) == (quarter.seconds == 0)).all()


@pytest.mark.slow
def test_an_unvisited_quarter_stays_out_all_through(path):
    """NaN in the map, no part in information and fields, and lags with few pairs are NaN."""
    positions, times, _ = path
    inside = ~((positions < 0.5).all(1))
    kept = positions[inside], times[inside]
    quarter = visits(*kept, extent=ARENA)
    hexagons = 2 * (drawn_maps.hexagonal(*kept[0].T, 0.3, 0.3) + 1.5)
    rates = rate_map(quarter, spikes=poisson(hexagons, kept[1]))
    assert np.isnan(rates[:20, :20]).all()
    picture = autocorrelogram(rates)
    assert np.isnan(picture[0]).all()
    assert np.isfinite(picture[39 - 15 : 39 + 16, 39 - 15 : 39 + 16]).all()
    assert grid_score(rates) > 0.7
    assert not any(field.bins[:20, :20].any() for field in place_fields(rates))
    filled = np.where(np.isnan(rates), 1e6, rates)
    assert spatial_information(rates, quarter.seconds) == spatial_information(
        filled, quarter.seconds
    )


def test_information_has_its_closed_form():
    """A cell that fires in one of four quarters tells 2 bits a spike, Skaggs' own example."""
    rates, seconds = np.zeros((4, 4)), np.ones((4, 4))
    rates[:2, :2] = 8.0
    found = spatial_information(rates, seconds)
    assert (float(found.per_spike), float(found.per_second)) == pytest.approx((2.0, 4.0))
    # Half of the time in one half at 9 Hz, else at 1 Hz: below the mean counts, too.
    two = np.array([[9.0, 1.0]])
    bits = 0.9 * np.log2(1.8) + 0.1 * np.log2(0.2)
    assert float(spatial_information(two, np.ones((1, 2))).per_spike) == pytest.approx(bits)
    uneven = spatial_information(two, np.array([[1.0, 3.0]]))
    mean = 9 / 4 + 3 / 4
    bits = (9 / 4 * np.log2(9 / mean) + 3 / 4 * np.log2(1 / mean)) / mean
    assert float(uneven.per_spike) == pytest.approx(bits)
    assert np.isnan(spatial_information(np.zeros((2, 3, 3)), np.ones((3, 3))).per_spike).all()


def test_a_uniform_cell_tells_nothing_once_its_bias_is_off(path):
    _, times, visited = path
    spikes = [poisson(1.0, times, seed) for seed in range(20)]
    bits = lambda maps: spatial_information(maps, visited.seconds).per_spike  # noqa: E731
    found = shuffled(
        bits, visited, spikes=spikes, shuffles=50, sigma=0.0, rng=np.random.default_rng(0)
    )
    assert found.observed.min() > 0.5  # bits that are not there
    error = found.shuffles.std() / np.sqrt(20)
    assert found.corrected.mean() == pytest.approx(0, abs=4 * error)
    assert (found.observed > found.threshold).mean() <= 0.2  # 1 of 20 expected
    assert 0.2 < found.p_value.mean() < 0.8
    silent = shuffled(bits, visited, spikes=[np.zeros(0)], shuffles=3, rng=np.random.default_rng(0))
    assert np.isnan([silent.threshold[0], silent.corrected[0], silent.p_value[0]]).all()


def test_a_grid_cell_on_a_walk_is_found_with_its_spacing_and_orientation(path):
    positions, times, visited = path
    waves = drawn_maps.hexagonal(*positions.T, 0.35, np.radians(20 + 30), (0.4, 0.1))
    spikes = poisson(8 * (waves + 1.5) / 4.5, times)
    found = shuffled(grid_score, visited, spikes=[spikes], rng=np.random.default_rng(1))
    assert found.observed[0] > max(1.0, found.threshold[0])
    assert found.p_value[0] == pytest.approx(1 / 101)
    lattice = grid_lattice(rate_map(visited, spikes=spikes))
    assert float(lattice.spacing) == pytest.approx(0.35, rel=0.05)
    assert float(lattice.orientation) == pytest.approx(20, abs=4)


def test_shuffles_shift_in_a_circle_by_at_least_so_much(path):
    _, times, visited = path
    rates = np.zeros((len(times), 2))
    rates[1000, 0] = rates[2000, 1] = 1.0
    for cell, maps in enumerate(
        shifted_maps(visited, rates=rates, shuffles=20, sigma=0.0, rng=np.random.default_rng(2))
    ):
        assert maps.shape == (21, 40, 40)
        held = [1000, 2000][cell]
        expected = np.zeros(1600)
        expected[visited.bins[held]] = visited.lasting[held]
        seconds = np.nan_to_num(maps[0] * visited.seconds).ravel()
        np.testing.assert_allclose(seconds, expected, atol=1e-12)
        np.testing.assert_allclose(np.nansum(maps * visited.seconds, (1, 2)), 0.02)
    spikes = [np.array([10.01])]
    rng = np.random.default_rng(3)
    (maps,) = shifted_maps(visited, spikes=spikes, shuffles=5, sigma=0.0, rng=rng)
    shifts = np.random.default_rng(3).integers(1000, 29_000, 5, endpoint=True)
    at = [int(np.nan_to_num(one).argmax()) for one in maps[1:]]
    assert at == [int(visited.bins[(500 + shift) % 30_000]) for shift in shifts]


def test_fields_are_where_gaussians_are():
    """Two fields of 8 cm: each grows until it would take half of its height in one step."""
    y, x = (np.mgrid[:40, :40] + 0.5) * 0.025
    bump = lambda x0, y0: np.exp(-(np.square(x - x0) + np.square(y - y0)) / (2 * 0.08**2))  # noqa: E731
    rates = 12 * bump(0.2625, 0.3125) + 6 * bump(0.7625, 0.6625)
    rates[:3] = np.nan
    found = place_fields(rates)
    assert [field.peak for field in found] == [(12, 10), (26, 30)]
    assert [field.peak_rate for field in found] == pytest.approx([12, 6], abs=0.01)
    for field, height in zip(found, (12, 6), strict=True):
        # Bins at or above a fifth of the peak: a disc of radius sigma sqrt(2 ln 5), flat on top.
        edge = rates[field.bins].min()
        assert edge == pytest.approx(0.2 * height, rel=0.15)
        row, column = field.peak
        near = np.hypot(y - (row + 0.5) * 0.025, x - (column + 0.5) * 0.025) < 0.2
        assert field.area == ((rates >= edge) & near).sum()
        assert field.mean_rate == pytest.approx(rates[field.bins].mean())
    assert found[0].centre == pytest.approx((12, 10), abs=0.2)
    assert not (found[0].bins & found[1].bins).any()
    assert place_fields(rates / 20) == []  # 0.6 Hz at the peak
    assert len(place_fields(rates / 20, peak=0.1, mean=0.01)) == 2
    assert place_fields(rates, smallest=2000) == []
    assert place_fields(np.full((10, 10), np.nan)) == []


def test_border_scores_follow_their_formula():
    """A band of w bins along one wall of n: c = 1, d = w / n; a spot in the middle: c = 0."""
    for wide in (2, 4, 8):
        band = np.zeros((40, 40))
        band[:, :wide] = 5.0
        near = np.minimum(np.arange(40), np.arange(40)[::-1]) + 0.5  # to the other walls
        away = np.minimum(near[:, None], np.arange(wide)[None] + 0.5).mean() / 20
        assert float(border_score(band)) == pytest.approx((1 - away) / (1 + away))
    spot = np.zeros((40, 40))
    spot[15:25, 15:25] = 5.0
    assert float(border_score(spot)) == -1.0
    assert float(border_score(np.where(spot > 0, 5, 4.0))) > 0.2  # one field along all walls
    small = np.zeros((40, 40))
    small[0, :20] = 5.0
    assert float(border_score(small)) == -1.0  # 125 cm²
    band[:, 0] = np.nan  # a margin that was never visited is no gap
    assert float(border_score(band)) > 0.5
    assert np.isnan(border_score(np.zeros((2, 9, 9)))).all()


def test_bad_input_is_refused(path):
    positions, times, visited = path
    with pytest.raises(
        ValueError, match=r"ascending times, but got 3, of which number 2 .*argsort"
    ):
        visits(positions[:3], np.array([0.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match=r"wider than 0 m, but got bin_width=0.025 from 1 to 1 m"):
        visits(positions, times, extent=(1.0, 1.0, 0.0, 1.0))
    with pytest.raises(ValueError, match=r"either spikes or rates, but got neither"):
        rate_map(visited)
    with pytest.raises(ValueError, match=r"each of 30000 time steps of the path, but got 5"):
        rate_map(visited, rates=np.ones(5))
    with pytest.raises(ValueError, match=r"sigma of 0 bins or more, but got -1"):
        rate_map(visited, rates=np.ones(30_000), sigma=-1.0)
    shuffle = partial(shuffled, grid_score, visited, spikes=[times], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"but got 100 and 600 s for shifts of 400 s.*least=60"):
        shuffle(least=400.0)
    with pytest.raises(ValueError, match=r"between 0\.2 and 1, but got 0\.1"):
        place_fields(np.ones((9, 9)), first=0.1)
