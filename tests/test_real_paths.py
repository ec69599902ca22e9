"""Cells whose firing is known, along the path of a real rat: measures give back what was put in.

The path is that of Sargolini et al. (2006), Science 312:758, ten minutes in a box of one metre.
"""

import numpy as np
import pytest
from real_data import real

from neurula.measures import (
    grid_score,
    place_fields,
    rate_map,
    spatial_information,
    visits,
)
from neurula.measures.grid_lattice import grid_lattice

BIN = 0.025  # m
PEAK = 20.0  # Hz
CENTRE, WIDTH = np.array([0.62, 0.35]), 0.09  # m, of the place field


def grid_rates(position, spacing, turn):
    """Three plane waves 60 degrees apart: 0 to `PEAK`, with fields `spacing` apart."""
    angles = np.radians(turn + 30 + 60 * np.arange(3))
    waves = np.stack([np.cos(angles), np.sin(angles)]) * 4 * np.pi / (3**0.5 * spacing)
    total = np.cos((position - 0.5) @ waves).sum(1)  # -1.5 to 3
    return PEAK * (total + 1.5) / 4.5


def place_rates(position):
    away = np.sum((position - CENTRE) ** 2, 1)
    return PEAK * np.exp(-away / (2 * WIDTH**2))


@pytest.fixture(scope="module")
def walked():
    found = real("trajectories")
    times, position = found["sargolini_time"], found["sargolini_position"]
    return (
        visits(position, times, bin_width=BIN, extent=(0.0, 1.0, 0.0, 1.0)),
        times,
        np.asarray(position, float),
    )


def fired(rates, times, seed=0):
    """Spike times of a Poisson process with these rates at these times."""
    rng, step = np.random.default_rng(seed), np.median(np.diff(times))
    counts = rng.poisson(rates * step)
    return np.repeat(times, counts) + step * rng.uniform(0, 0.99, counts.sum())


def test_the_rat_went_everywhere(walked):
    path, times, position = walked
    assert 595 < times[-1] - times[0] < 600
    assert np.mean(path.seconds > 0) > 0.8  # it rarely touches the walls
    assert 0.05 < np.median(np.hypot(*np.diff(position, axis=0).T)) / 0.02 < 0.4  # m/s


@pytest.mark.parametrize(("spacing", "turn"), [(0.3, 10.0), (0.4, 40.0)])
def test_grid_cells_keep_their_spacing_and_turn(walked, spacing, turn):
    path, times, position = walked
    spikes = fired(grid_rates(position, spacing, turn), times)
    found = rate_map(path, spikes=spikes)
    lattice = grid_lattice(found, bin_width=BIN)
    assert lattice.spacing == pytest.approx(spacing, rel=0.05)
    off = (float(lattice.orientation) - turn + 30) % 60 - 30
    assert abs(off) < 4
    assert grid_score(found) > 0.8
    shuffled = np.random.default_rng(1).permutation(len(times))
    noise = rate_map(path, rates=grid_rates(position, spacing, turn)[shuffled])
    assert grid_score(noise) < 0.5


def test_a_place_cell_keeps_its_field_and_tells_as_much_as_its_rates_say(walked):
    path, times, position = walked
    rates = place_rates(position)
    found = rate_map(path, spikes=fired(rates, times), sigma=1.0)
    field = place_fields(found)[0]
    centre = (np.array(field.peak[::-1]) + 0.5) * BIN
    np.testing.assert_allclose(centre, CENTRE, atol=0.04)
    share = rates / rates.mean()  # time step by time step: Skaggs' sum over the path itself
    known = np.mean(share * np.log2(np.maximum(share, 1e-300)))
    told = spatial_information(found, path.seconds)
    assert told.per_spike == pytest.approx(known, rel=0.1)
    assert told.per_second == pytest.approx(known * rates.mean(), rel=0.1)
    everywhere = rate_map(path, spikes=fired(np.full(len(times), rates.mean()), times))
    assert spatial_information(everywhere, path.seconds).per_spike < 0.15 * known
