"""Cells against closed forms: step responses, firing rates, frequencies, surrogate gradients."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from compiled import respond

from neurula import Network, Population
from neurula.neurons import LIF, Binary, Leaky, Rate
from neurula.neurons.lif import spike


def play(neuron, drive, *, dt=1.0):
    """States and activities of one cell, driven from rest: (time,) to (time, ...)."""

    def step(state, now):
        state, activity = neuron.step(state, now[None, None], None, dt=dt)
        return state, (state, activity)

    return jax.lax.scan(step, neuron.init(1), jnp.asarray(drive, jnp.float32))[1]


@pytest.fixture
def unchecked():
    """Types are checked in tests only: see what a user sees."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


# ---- rate cells ----------------------------------------------------------------------------------

FORMULAS = {
    "identity": lambda x: x,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "sign": lambda x: np.where(x >= 0, 1.0, -1.0),
}
POINTS = np.array([-3.0, -0.5, 0.0, 0.25, 2.0])


@pytest.mark.parametrize("kind", FORMULAS)
def test_non_linearities(kind):
    bias = jnp.linspace(-1.0, 1.0, POINTS.size)
    drive = jnp.asarray(POINTS, jnp.float32)[None]
    _, plain = Rate(kind).step(None, drive, None, dt=1.0)
    _, biased = Rate(kind, bias).step(None, drive, None, dt=1.0)
    np.testing.assert_allclose(plain, FORMULAS[kind](POINTS), rtol=1e-5, atol=1e-6)
    shifted = FORMULAS[kind](POINTS + np.asarray(bias))
    np.testing.assert_allclose(biased, shifted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", [Rate, Leaky])
def test_unknown_non_linearity(cell, unchecked):
    message = r"one of identity, .*, but got 'cube'\. .*add_a_part"
    with pytest.raises(ValueError, match=message):
        cell("cube")


# ---- leaky accumulators --------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [0.25, 1.0, 4.0])
def test_leaky_step_response(dt):
    time = dt * np.arange(1, 41)
    _, activity = play(Leaky("tanh", 7.0, jnp.array([0.2])), np.full(40, 0.5), dt=dt)
    expected = np.tanh(0.7 * (1 - np.exp(-time / 7.0)))
    np.testing.assert_allclose(activity[:, 0], expected, rtol=1e-5)


def test_leaky_forgets():
    (potential, _) = play(Leaky("identity", 3.0), np.r_[np.ones(5), np.zeros(20)])
    decay = potential[4, 0] * np.exp(-np.arange(1, 21) / 3.0)
    np.testing.assert_allclose(potential[5:, 0], decay, rtol=1e-5)


def test_leaky_time_constants_by_cell_and_their_gradient():
    tau = jnp.array([0.5, 2.0, 10.0])

    def potential(tau):
        state, cell = jnp.zeros(3), Leaky("identity", tau)
        for _ in range(4):
            state, _ = cell.step(state, jnp.ones((1, 3)), None, dt=1.0)
        return state

    np.testing.assert_allclose(potential(tau), 1 - np.exp(-4 / tau), rtol=1e-5)
    slope = jax.grad(lambda tau: potential(tau).sum())(tau)
    np.testing.assert_allclose(slope, -4 / tau**2 * np.exp(-4 / tau), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("tau", [0.0, -1e-4, -2.0])
def test_leaky_survives_a_time_constant_that_learning_pushed_below_zero(tau):
    def answer(tau):
        return Leaky("identity", tau).step(jnp.ones(1), jnp.full((1, 1), 0.3), None, dt=1.0)[1][0]

    value, slope = jax.value_and_grad(answer)(jnp.array([tau]))
    assert value == pytest.approx(0.3)  # as a cell without memory
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("tau", [0.0, -3.0, float("nan")])
def test_leaky_needs_time(tau):
    with pytest.raises(ValueError, match=rf"tau > 0, but got tau={tau} ms\. .*`Rate\(\)`"):
        Leaky(tau=tau)


# ---- integrate and fire --------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [0.1, 1.0, 3.0])
def test_lif_step_response_below_threshold(dt):
    time = dt * np.arange(1, 61)
    neuron = LIF(tau=12.0, rest=-65.0, threshold=-50.0, reset=-70.0, bias=jnp.array([2.0]))
    (potential, _), spikes = play(neuron, np.full(60, 10.0), dt=dt)
    np.testing.assert_allclose(potential[:, 0], -65 + 12 * (1 - np.exp(-time / 12.0)), rtol=1e-5)
    assert not spikes.any()


@pytest.mark.parametrize("refractory", [0.0, 0.1, 2.0, 5.0])
@pytest.mark.parametrize("current", [1.05, 1.5, 4.0])
def test_lif_rate_curve(current, refractory):
    """From reset to threshold takes tau ln((I - reset) / (I - threshold)), then the cell rests."""
    dt, reset = 0.1, -0.5
    neuron = LIF(tau=20.0, reset=reset, refractory=refractory)
    _, spikes = play(neuron, np.full(6000, current), dt=dt)
    intervals = np.diff(np.flatnonzero(spikes[:, 0]))
    climb = 20.0 * np.log((current - reset) / (current - 1.0))
    steps = np.floor(climb / dt) + 1 + round(refractory / dt)
    assert len(intervals) > 5
    np.testing.assert_array_equal(intervals, np.full(len(intervals), steps))
    assert intervals.mean() * dt == pytest.approx(climb + refractory, rel=0.03)


def test_lif_is_silent_at_threshold():
    _, spikes = play(LIF(tau=1.0), np.full(200, 1.0))
    assert not spikes.any()


def test_lif_rests_at_reset():
    neuron = LIF(tau=5.0, rest=0.0, reset=0.3, refractory=3.0)
    (potential, _), spikes = play(neuron, np.full(100, 3.0))
    first = int(np.flatnonzero(spikes[:, 0])[0])
    np.testing.assert_allclose(potential[first : first + 4, 0], 0.3, rtol=1e-6)
    assert potential[first + 4, 0] > 0.3


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"tau": 0.0}, "tau=0.0 ms"),
        ({"reset": 1.0}, "reset=1.0 mV, threshold=1.0 mV"),
        ({"refractory": -1.0}, "refractory=-1.0 ms"),
        ({"tau": float("nan")}, "tau=nan ms"),
    ],
)
def test_lif_refuses(settings, found):
    with pytest.raises(ValueError, match=rf"LIF needs tau > 0, .*{found}.*Start from `LIF\(\)`"):
        LIF(**settings)


def test_surrogate_gradient():
    above = jnp.linspace(-0.5, 0.5, 11)
    np.testing.assert_array_equal(spike(above, 10.0), np.asarray(above) > 0)
    slope = jax.vmap(jax.grad(lambda x: spike(x[None], 10.0)[0]))(above)
    np.testing.assert_allclose(slope, 1 / (1 + 10 * np.abs(above)) ** 2, rtol=1e-5)


@pytest.mark.parametrize("current", [0.8, 30.0])
def test_gradients_through_a_spiking_step(current):
    """The spike passes the surrogate, a reset passes nothing."""
    neuron = LIF(tau=20.0, surrogate_slope=4.0)

    def step(drive):
        (potential, _), fired = neuron.step(neuron.init(1), drive[None, None], None, dt=1.0)
        return fired[0], potential[0]

    move = 1 - np.exp(-1 / 20.0)
    above = current * move - 1
    for_spike, for_potential = jax.jacrev(step)(jnp.float32(current))
    assert for_spike == pytest.approx(move / (1 + 4 * abs(above)) ** 2, rel=1e-4)
    assert for_potential == pytest.approx(move if above < 0 else 0.0, rel=1e-4)


# ---- stochastic binary cells ---------------------------------------------------------------------


def test_binary_cells_are_on_as_often_as_they_should(key):
    drive, bias, steps = np.array([-2.0, 0.0, 0.5, 3.0]), jnp.array([0.0, 0.1, 0.0, -1.0]), 20_000
    cells = Population(4, Binary(temperature=2.0, bias=bias))
    network = Network({"cells": cells}, [], senses=["cells"], voices=["cells"])
    stimuli = jnp.tile(jnp.asarray(drive, jnp.float32), (steps, 1))
    on = np.asarray(jax.jit(lambda x: respond(network, x, key=key))(stimuli))
    assert set(np.unique(on)) == {0.0, 1.0}
    wanted = 1 / (1 + np.exp(-(drive + np.asarray(bias)) / 2.0))
    error = np.sqrt(wanted * (1 - wanted) / steps)
    assert (np.abs(on.mean(0) - wanted) < 4 * error).all()
    assert np.abs(np.corrcoef(on.T) - np.eye(4)).max() < 4 / np.sqrt(steps)  # cells are independent
    assert abs(np.corrcoef(on[1:, 1], on[:-1, 1])[0, 1]) < 4 / np.sqrt(steps)  # and so are steps


def test_binary_cells_compare_noise_with_their_probability():
    drive = jnp.zeros((1, 3))
    _, on = Binary().step(None, drive, jnp.array([0.0, 0.499, 0.501]), dt=1.0)
    np.testing.assert_array_equal(on, [1.0, 1.0, 0.0])


def test_binary_cells_need_a_key():
    network = Network({"c": Population(2, Binary())}, [], senses=["c"], voices=["c"])
    message = r"Binary cells need chance: `noise` is None\. .*init\(key=jax.random.key\(0\)\)"
    with pytest.raises(ValueError, match=message):
        respond(network, jnp.zeros((3, 2)))
