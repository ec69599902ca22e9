"""Pictures of rooms: every number stands in its cell, walls are empty, arrows lead to the goal."""

import jax.numpy as jnp
import numpy as np
import pytest

from neurula.environments import GridWorld
from neurula.pictures import room

WORLD = GridWorld("S.#\n..G")


def test_numbers_stand_in_their_cells_and_walls_are_empty():
    figure = room(WORLD, np.array([[1.0, 2.0, 3.0, 4.0, 5.0]] * 2), titles=["one", "two"])
    first, second = (trace for trace in figure.data if trace.type == "heatmap")
    np.testing.assert_array_equal(first.z, [[1, 2, np.nan], [3, 4, 5]])
    assert min(second.x) > max(first.x)  # side by side
    assert len(figure.layout.shapes) == 2  # one wall in each
    assert [note.text for note in figure.layout.annotations] == ["one", "two"]


def test_arrows_letters_and_walks():
    moves = jnp.array([1, 2, 1, 1, 0])
    figure = room(WORLD, jnp.arange(5.0), moves=moves, walk=jnp.array([0, 1, 3, 4]))
    text, walk = (trace for trace in figure.data if trace.type == "scatter")
    assert "".join(text.text) == "→↓→→G"  # no arrow where the episode is over
    assert list(walk.x) == [0, 1, 1, 2]
    assert list(walk.y) == [0, 0, 1, 1]


def test_values_of_another_room_are_refused():
    with pytest.raises(ValueError, match=r"5 states.*got 4"):
        room(WORLD, np.zeros(4))


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ({"moves": np.full(5, 7)}, r"a move from 0 to 3.*5 moves, the first \[7, 7, 7\]"),
        ({"walk": np.array([0, 9])}, r"states from 0 to 4.* the walk \[0, 9\]"),
        ({"titles": ["one", "two"]}, r"1 rooms of 5 states need a title each.*'one', 'two'"),
    ],
)
def test_what_does_not_fit_a_room_is_refused(odd, says):
    with pytest.raises(ValueError, match=says):
        room(WORLD, np.zeros(5), **odd)


def test_a_state_without_a_value_is_no_wall_and_a_long_title_has_room():
    values = np.array([1.0, np.nan, 3.0, 4.0, 5.0])
    figure = room(WORLD, values, titles=["a title of two lines"])
    assert len(figure.layout.shapes) == 1
    assert "<br>" in figure.layout.annotations[0].text
    one = room(WORLD, values, titles=["short"])
    assert figure.layout.margin.t > one.layout.margin.t
