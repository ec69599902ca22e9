"""Murphy & Miller's two populations by closed form and by the network engine, and their ring."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from neurula.claims import balanced_amplification as pieces
from neurula.claims.balanced_amplification import STEP, TAU, BalancedAmplification, network
from neurula.response import respond

balanced_strength, engine_error, population_circuit, response = (
    eqx.filter_jit(getattr(pieces, name))
    for name in ("balanced_strength", "engine_error", "population_circuit", "response")
)

W, RATIO = 30 / 7, 1.1  # Murphy & Miller's: 4 2/7 and 1.1


def pulse_response(weight, dt=0.02, length=20.0):
    """Excitatory response of the network engine to a pulse, times and dt in tau."""
    steps = round(length / dt)
    stimuli = jnp.zeros((steps, len(weight))).at[0, 0].set(1 / (1 - np.exp(-dt)))
    play = jax.jit(lambda s: respond(network(weight, dt=dt * TAU), s)[:, 0])
    return np.arange(steps) * dt, np.asarray(play(stimuli), np.float64)


def half_decay(times, rates):
    peak = rates.argmax()
    return times[peak + np.argmax(rates[peak:] < rates[peak] / 2)]


@pytest.fixture
def pair():
    weight, pulse = population_circuit("balanced", jnp.float32(RATIO), jnp.float32(0))
    return W * weight, pulse


def test_hidden_feed_forward_weight_is_9(pair):
    weight, _ = pair
    weight, difference, total = np.asarray(weight), np.array([1, -1]) / 2**0.5, np.ones(2) / 2**0.5
    assert total @ weight @ difference == pytest.approx(9.0, abs=1e-5)
    assert difference @ weight @ total == pytest.approx(0.0, abs=1e-5)


def test_the_published_pair_has_the_gain_of_mutual_excitation_with_075(pair):
    assert response(*pair)[0] == pytest.approx(4.0, abs=1e-4)
    assert response(0.75 * jnp.ones((1, 1)), jnp.ones((1, 1)))[0] == pytest.approx(4.0, abs=1e-4)
    strength = balanced_strength(jnp.float32(4), jnp.float32(RATIO), jnp.float32(0))
    assert strength == pytest.approx(W, abs=1e-4)


def test_the_engine_shows_the_published_pulse_response(pair):
    times, balanced = pulse_response(pair[0])
    _, hebbian = pulse_response(0.75 * jnp.ones((1, 1)))
    assert balanced.max() == pytest.approx(1.79, abs=0.02)
    assert times[balanced.argmax()] == pytest.approx(0.61, abs=0.03)
    assert half_decay(times, balanced) == pytest.approx(2.03, abs=0.03)
    assert half_decay(times, hebbian) == pytest.approx(4 * np.log(2), abs=0.03)
    for rates in (balanced, hebbian):
        assert rates.sum() * 0.02 == pytest.approx(4.0, rel=0.02)


def test_the_engine_converges_to_the_exact_response(pair):
    weight = np.asarray(pair[0])
    exact = solve_ivp(
        lambda _, r: weight @ r - r, (0, 20), [1, 0], rtol=1e-8, atol=1e-10, dense_output=True
    )
    errors = []
    for dt in (0.04, 0.02, 0.01):
        times, rates = pulse_response(pair[0], dt)
        errors.append(np.abs(rates - exact.sol(times)[0]).max())
    assert errors[2] < 0.01
    np.testing.assert_allclose(np.divide(errors[:2], errors[1:]), 2, rtol=0.1)  # first order


def test_engine_error_is_small_and_notices_other_weights(pair):
    weight, pulses = pair
    advance = response(weight, pulses)[2]
    assert engine_error(weight, pulses[:, 0], advance) < 0.01
    assert engine_error(1.1 * weight, pulses[:, 0], advance) > 0.03


def test_response_time_of_mutual_excitation_is_log_2_times_its_gain():
    for gain in (2.0, 5.0, 20.0):
        found, time, _ = response((1 - 1 / gain) * jnp.ones((1, 1)), jnp.ones((1, 1)))
        assert found == pytest.approx(gain, rel=1e-4)
        assert time == pytest.approx(gain * np.log(2), rel=1e-3)


def test_response_time_against_an_ordinary_solver(pair):
    weight, pulses = np.asarray(pair[0], float), np.asarray(pair[1], float)[:, 0]
    half = np.linalg.solve(np.eye(2) - weight, pulses)[0] / 2
    reach = lambda _, r: r[0] - half  # noqa: E731
    reach.terminal = True
    lasting = lambda _, r: weight @ r - r + pulses  # noqa: E731
    solved = solve_ivp(lasting, (0, 50), [0, 0], events=reach, rtol=1e-9, atol=1e-12)
    assert response(*pair)[1] == pytest.approx(solved.t_events[0][0], abs=STEP / 20)


@pytest.mark.parametrize("ratio", [1.0, 1.03])
@pytest.mark.parametrize("leak", [0.0, 0.2])
@pytest.mark.parametrize("gain", [2.0, 20.0])
def test_strength_gives_the_gain_wanted(ratio, leak, gain):
    ratio, leak = jnp.float32(ratio), jnp.float32(leak)
    weight, pulses = population_circuit("balanced", ratio, leak)
    strength = balanced_strength(jnp.float32(gain), ratio, leak)
    assert response(strength * weight, pulses)[0] == pytest.approx(gain, rel=2e-3)


def test_symmetric_sham_has_no_hidden_feed_forward_weight():
    weight, _ = population_circuit("symmetric", jnp.float32(RATIO), jnp.float32(0))
    weight = np.asarray(weight)
    np.testing.assert_allclose(weight @ weight.T, weight.T @ weight, atol=1e-6)  # normal


def test_ring_without_scatter_is_the_pair_and_keeps_dales_principle(key):
    claim = BalancedAmplification(columns=24, scatter=0.0)
    weight, pulses = eqx.filter_jit(claim.columnar_circuit)(False, jnp.float32(RATIO), key=key)
    gain, time, _ = response(W * weight, pulses)
    pair, pulse = population_circuit("balanced", jnp.float32(RATIO), jnp.float32(0))
    assert gain == pytest.approx(4.0, rel=1e-3)
    assert time == pytest.approx(float(response(W * pair, pulse)[1]), rel=1e-3)
    assert (weight[:, :24] >= 0).all()
    assert (weight[:, 24:] <= 0).all()


def test_random_wiring_only_moves_weights_within_rows_and_signs(key):
    claim = BalancedAmplification(columns=24, scatter=0.0)
    wire = eqx.filter_jit(claim.columnar_circuit)
    ring, _ = map(np.asarray, wire(False, jnp.float32(1), key=key))
    wild, pulses = map(np.asarray, wire(True, jnp.float32(1), key=key))
    assert not np.allclose(ring, wild)
    for half in (slice(24), slice(24, None)):
        np.testing.assert_allclose(np.sort(ring[:, half]), np.sort(wild[:, half]), rtol=1e-6)
    np.testing.assert_allclose(pulses.sum(0), 0, atol=1e-5)


def test_noise_alone_resembles_no_map_in_unconnected_columns(key):
    claim = BalancedAmplification(columns=24, duration=5000)
    grating = jnp.append(jnp.cos(jnp.arange(24.0) * 2 * jnp.pi / 24), jnp.zeros(24))
    found = eqx.filter_jit(claim.at_rest)(jnp.zeros((48, 48)), grating, key=key)
    chance = 1 / np.sqrt(23)  # spread of the correlation of white noise with any map
    assert found["likeness"] == pytest.approx(chance, rel=0.15)
    assert found["likeness by chance"].mean() == pytest.approx(chance, rel=0.05)


def test_seeds_differ_in_gains_and_balance():
    claim = BalancedAmplification(gains=4)
    live = jax.jit(jax.vmap(lambda key: claim.run("balanced", {}, key=key)))
    runs = live(jax.random.split(jax.random.key(1), 3))
    assert len(np.unique(runs.score)) == 3
    assert (runs.kept["gain"] >= 2 * 0.99).all()
    assert (runs.kept["gain"] <= 20 * 1.01).all()
