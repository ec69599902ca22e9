"""Traces, rate curves and phase planes show what the cells do."""

import numpy as np
import pytest

from neurula import pictures
from neurula.neurons import IFB, LIF, Izhikevich, Poisson
from neurula.pictures.phase_plane import flow_at, life
from neurula.pictures.rate_curve import lasting_rates


def test_traces_draw_a_stroke_for_every_spike():
    potential, spikes = np.linspace(-70, -50, 100), np.zeros(100)
    spikes[[20, 60]] = 1
    figure = pictures.traces({"a": potential, "b": potential}, {"a": spikes}, dt=0.5, peak=30.0)
    line, strokes, _, none = figure.data
    np.testing.assert_allclose(line.y, potential, rtol=1e-6)
    np.testing.assert_allclose(np.reshape(strokes.x, (2, 3))[:, :2], [[10, 10], [30, 30]])
    np.testing.assert_allclose(np.reshape(strokes.y, (2, 3))[:, 1], 30.0)
    assert len(none.x) == 0
    assert figure.layout.xaxis2.title.text == "time (ms)"
    assert pictures.traces({}, dt=1.0).layout.annotations[0].text == "No values were recorded."


def test_rates_are_those_of_the_closed_form():
    currents = np.array([0.5, 1.5, 3.0])
    found = lasting_rates(LIF(refractory=2.0), currents, dt=0.05)
    wanted = 1000 / (20 * np.log(currents[1:] / (currents[1:] - 1)) + 2)
    assert found[0] == 0
    np.testing.assert_allclose(found[1:], wanted, rtol=0.02)
    figure = pictures.rate_curve({"LIF": LIF()}, currents, dt=0.5)
    assert figure.layout.xaxis.title.text == "input (mV)"


def test_rates_of_chance():
    found = lasting_rates(Poisson(), np.array([50.0]), dt=0.5, duration=20_000.0)
    assert found[0] == pytest.approx(50 * (1 - 0.0125), rel=0.15)


def test_flow_is_that_of_the_equations():
    v, u = np.meshgrid(np.linspace(-80, -40, 5), np.linspace(-20, 0, 4))
    first, second = flow_at(Izhikevich(), v, u, current=3.0)
    np.testing.assert_allclose(first, 0.04 * v**2 + 5 * v + 140 - u + 3, atol=0.6)
    np.testing.assert_allclose(second, 0.02 * (0.2 * v - u), atol=0.02)


def test_a_life_jumps_at_spikes():
    path = life(Izhikevich(), (-50.0, -14.0), current=10.0, dt=0.1, duration=100.0)
    np.testing.assert_allclose(path[0], [-50.0, -14.0])
    gaps = np.flatnonzero(np.isnan(path[:, 0]))
    assert len(gaps) > 1
    np.testing.assert_allclose(path[gaps + 1, 0], -65.0)  # reset


def test_phase_plane_of_two_variables_of_three():
    figure = pictures.phase_plane(
        IFB(), current=0.2, x=(-80.0, -40.0), y=(0.0, 1.0), dt=0.1, names=("v (mV)", "h"),
        starts=[(-75.0, 0.9)],
    )  # fmt: skip
    names = [trace.name for trace in figure.data if trace.name]
    assert names == ["v stands still", "h stands still", "from rest", "from -75, 0.9"]
