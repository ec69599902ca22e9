"""Paths and films: what is drawn is where the agent was."""

import jaxtyping
import numpy as np
import pytest

from neurula.environments import Arena
from neurula.pictures import path, walking

PLACES = np.stack([np.linspace(0.1, 0.9, 500), np.full(500, 0.3)], 1).astype(np.float32)
WALLS = Arena(walls=[((0.5, 0.0), (0.5, 0.2))]).segments


def test_spikes_lie_on_the_path_and_walls_are_drawn():
    fired = np.zeros(500, bool)
    fired[[3, 7]] = True
    walls, line, spikes = path(PLACES, walls=WALLS, fired=fired, title="<b>").data
    assert len(walls.x) == 5 * 3  # two ends and a gap for every wall
    np.testing.assert_array_equal(line.x, PLACES[:, 0])
    np.testing.assert_array_equal(spikes.x, PLACES[[3, 7], 0])


def test_a_film_shows_the_place_of_its_second():
    film = walking(PLACES, dt=0.1, walls=WALLS, every=100)
    assert [frame.name for frame in film.frames] == ["0.0", "10.0", "20.0", "30.0", "40.0"]
    trail, place = film.frames[2].data
    assert place.x[0] == PLACES[200, 0]
    assert len(trail.x) == 201
    assert len(walking(PLACES, dt=0.1).frames) == 200


@pytest.fixture
def unchecked():
    """Types are checked in tests only: see what a user sees."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_spikes_of_other_steps_and_films_without_frames_are_refused(unchecked):
    with pytest.raises(ValueError, match=r"each of 5 steps.*got \[4\].*fired=spikes\[:, 0\]"):
        path(np.zeros((5, 2)), fired=np.zeros(4, bool))
    for films in ({"every": 0, "dt": 0.1}, {"dt": 0.0}):
        with pytest.raises(ValueError, match=r"A film has a position or more, dt above 0 s"):
            walking(np.zeros((5, 2)), **films)


def test_a_long_title_has_two_lines():
    figure = path(np.zeros((5, 2)), title="a title that goes on and on " * 3)
    assert figure.layout.annotations[0].text.count("<br>") == 1
    assert figure.layout.margin.t > path(np.zeros((5, 2)), title="short").layout.margin.t
