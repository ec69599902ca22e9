"""Shares of runs, where lives ended, and two figures on a sheet."""

import numpy as np
from scipy.stats import binomtest

from neurula.pictures import beside, endings, shares

RUNS = {
    "genetic": {"trap": np.array([1, 1, 0, 1]), "maze": np.zeros(4)},
    "novelty": {"maze": np.ones(4)},
}


def test_shares_show_wilsons_intervals_and_leave_gaps():
    figure = shares(["trap", "maze"], RUNS)
    one, other = figure.data
    expected = binomtest(3, 4).proportion_ci(method="wilson")
    np.testing.assert_allclose(one.y, [0.75, 0.0])
    up, down = np.array(one.error_y.array), np.array(one.error_y.arrayminus)
    np.testing.assert_allclose(0.75 + up[0], expected.high)
    np.testing.assert_allclose(0.75 - down[0], expected.low)
    assert (list(other.y), round(other.x[0])) == ([1.0], 1), "only the maze"
    assert list(one.text) == ["3 of 4 runs", "0 of 4 runs"]
    assert shares([], {}).layout.annotations[0].text == "No values were recorded."


def test_endings_leave_out_lives_that_never_were():
    places = np.array([[0.1, 0.2], [np.nan, np.nan], [0.3, 0.4]])
    walls = np.array([[[0.0, 0.0], [1.0, 0.0]]])
    figure = endings({"genetic": places}, walls=walls, start=(0.5, 0.1), goal=(0.5, 0.9))
    drawn = {trace.name: trace for trace in figure.data}
    np.testing.assert_allclose(drawn["genetic"].x, [0.1, 0.3], rtol=1e-6)
    assert list(drawn["start and goal"].text) == ["<b>S</b>", "<b>G</b>"]


def test_beside_keeps_both():
    left, right = shares(["trap", "maze"], RUNS), endings({"genetic": np.ones((3, 2))})
    figure = beside(left, right)
    assert len(figure.data) == len(left.data) + len(right.data)
    assert {trace.xaxis for trace in figure.data[2:]} == {"x2"}
    legend = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert legend.count("genetic") == 1
    assert figure.layout.yaxis2.scaleanchor == "x2", "a metre is a metre"
    assert figure.layout.xaxis.domain[1] < figure.layout.xaxis2.domain[0]
