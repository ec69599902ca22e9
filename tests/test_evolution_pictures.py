"""Pictures of evolution show every run, every species and every ancestor."""

import jax
import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go
import pytest

import neurula as nl
from neurula import pictures
from neurula.network import Network, Population, Projection
from neurula.neurons import Heterogeneous, Rate
from neurula.wirings import Dense


def texts(figure):
    return " ".join(each.text for each in figure.layout.annotations)


def test_every_run_ends_with_a_mark_that_says_whether_it_got_there():
    best = np.array([[0.0, 3.0, np.nan], [1.0, 0.5, 2.0], [0.0, -np.inf, 1.0]])
    figure = pictures.evolution({"one": best}, population=10, target=2.5)
    thin, middle, there, censored = figure.data
    np.testing.assert_array_equal(thin.y[4:7], np.float32([1, 1, 2]))  # the best so far
    assert np.isnan(thin.y[2])  # the first run is over
    assert (list(there.x), list(there.y)) == ([20], [3.0])
    assert (list(censored.x), list(censored.y)) == ([30, 30], [2.0, 1.0])
    assert "open" in censored.marker.symbol
    assert "1 of 3 got there" in middle.name
    np.testing.assert_array_equal(middle.y, [0, 1, 2])
    assert "censored" in texts(figure)


def test_populations_may_differ_and_nothing_is_said_to_be_nothing():
    arms = {"a": np.ones((1, 2)), "b": np.ones((1, 2))}
    figure = pictures.evolution(arms, population={"a": 10, "b": 30})
    assert [trace.x[-1] for trace in figure.data if trace.name] == [20, 60]
    assert "No values" in texts(pictures.evolution({}, population=1))


def test_areas_of_species_sum_to_the_population():
    rng = np.random.default_rng(0)
    members = rng.integers(0, 30, size=(9, 50))
    figure = pictures.species(members)
    assert np.array_equal(sum(np.array(trace.y) for trace in figure.data), np.full(9, 50))
    assert len(figure.data) == 13
    assert "18 smaller species" in figure.data[-1].name
    first = figure.data[0]
    assert np.array_equal(first.y, (members == int(first.name.split()[-1])).sum(1))


def test_a_line_of_descent_is_followed_to_its_beginning():
    fitness = np.array([[0.0, 1.0, np.nan], [2.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    parents = np.full((3, 3, 2), -1)
    parents[2, 2] = [0, 1]
    parents[1, 0] = [1, -1]
    parents[1, 1] = [1, 2]
    everybody, line, ancestors = pictures.lineage(fitness, parents).data
    assert len(everybody.x) == 8
    found = sorted(zip(ancestors.x, np.nan_to_num(ancestors.y, nan=-9), strict=True))
    assert found == [(0, -9), (0, 1), (1, 0), (1, 2), (2, 5)]
    assert np.isnan(line.x).sum() == 5  # two lines to parents, three to theirs


def unplayed(weights, table=("sin", "tanh")):
    cells = Heterogeneous(table, jnp.array([0, 1, 0], jnp.int32))
    populations = {"in": Population(1, Rate("identity")), "mid": Population(3, cells)}
    populations["out"] = Population(1, Rate("identity"))
    joins = [("in", "mid", 3, 1, 0), ("mid", "mid", 3, 3, 1), ("mid", "out", 1, 3, 0)]
    projections = [
        Projection(a, b, Dense(post, pre), jnp.asarray(w, jnp.float32), delay=delay)
        for (a, b, post, pre, delay), w in zip(joins, weights, strict=True)
    ]
    return Network(populations, projections, senses=["in"], voices=["out"])


@pytest.mark.parametrize("loop", [0.0, 1.0])
def test_cells_stand_as_deep_as_they_are_and_idle_ones_are_left_out(loop):
    inside = [[0, loop, 0], [2, 0, 0], [0, 0, 0]]
    network = unplayed([[[1.0], [0], [0]], inside, [[0, -1.0, 0]]])
    figure = pictures.network(network)
    marks = {t.name: t for t in figure.data if isinstance(t, go.Scatter) and t.mode == "markers"}
    assert set(marks) == {"in", "sin", "tanh", "out"}
    assert [len(trace.x) for trace in marks.values()] == [1, 1, 1, 1]  # the second sine is idle
    x = [marks[name].x[0] for name in ("in", "sin", "tanh", "out")]
    assert x == [0, 1, 2, 3]
    assert "left out: 1" in texts(figure)
    assert {"positive weight", "negative weight"} <= {trace.name for trace in figure.data}


def test_layers_are_columns():
    figure = pictures.network(nl.layered([2, 3, 1], key=jax.random.key(0)))
    marks = {t.name: sorted(t.x) for t in figure.data if t.mode == "markers"}
    assert marks == {"input": [0, 0], "tanh": [1, 1, 1], "output": [2]}
