"""Counts of spikes in bins, how irregular they are, who fires after whom: closed forms."""

import numpy as np
import pytest

import neurula as nl
from neurula.measures import correlogram, fano_factor, spike_counts, variation
from neurula.populations import NetworkState
from neurula.simulation import Simulated, Spikes


def poisson(rate=20.0, seconds=400.0, seed=0):
    """Spike times of a Poisson process, ms."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, 1000 * seconds, rng.poisson(rate * seconds)))


def counts(times, *, bin_width=100.0, duration=400_000.0):
    cells = np.zeros(len(times), int)
    return spike_counts(times, cells, size=1, duration=duration, bin_width=bin_width)


@pytest.mark.parametrize("bin_width", [10.0, 100.0, 1000.0])
def test_poisson_has_a_fano_factor_and_a_variation_of_1(bin_width):
    """The factor's standard error is sqrt(2 / bins)."""
    times = poisson()
    found = counts(times, bin_width=bin_width)
    assert fano_factor(found)[0] == pytest.approx(1, abs=4 * np.sqrt(2 / len(found)))
    assert variation(times) == pytest.approx(1, abs=4 / np.sqrt(len(times)))
    assert found.sum() == len(times)


def test_a_clock_has_neither_and_a_gamma_process_a_quarter():
    """Long counts of a renewal process vary by the squared variation of its intervals."""
    clock = np.arange(1, 4001) * 100.0
    assert fano_factor(counts(clock, bin_width=1000.0))[0] == 0
    assert variation(clock) == 0
    gamma = np.cumsum(np.random.default_rng(0).gamma(4, 2.5, 40_000))
    assert variation(gamma) == pytest.approx(0.5, abs=0.01)
    assert fano_factor(counts(gamma, bin_width=500.0))[0] == pytest.approx(0.25, abs=0.06)


def test_silent_cells_have_no_fano_factor():
    assert np.isnan(fano_factor(np.zeros((5, 2)))).all()


def test_bins_take_spikes_up_to_their_end_and_drop_what_is_left():
    times = np.array([0.0, 10.0, 10.1, 20.0, 30.0, 34.9])
    cells = np.array([0, 1, 0, 0, 1, 0])
    found = spike_counts(times, cells, size=3, duration=35.0, bin_width=10.0)
    np.testing.assert_array_equal(found, [[1, 1, 0], [2, 0, 0], [0, 1, 0]])
    # 0.1 and 0.3 are no binary fractions: edges hold all the same.
    steps = np.arange(1, 3001) * 0.1
    assert (counts(steps, bin_width=0.3, duration=300.0) == 3).all()


def test_the_correlogram_of_independent_cells_is_flat_at_the_rate():
    lags, rate = correlogram(poisson(seed=1), poisson(50.0, seed=2), longest=50.0, bin_width=5.0)
    np.testing.assert_allclose(lags, np.arange(-50, 51, 5))
    np.testing.assert_allclose(rate, 50.0, atol=5 * np.sqrt(50 / (8000 * 0.005)))


def test_the_correlogram_finds_a_delay_and_leaves_out_the_spike_itself():
    times = poisson(5.0)
    lags, rate = correlogram(times, times + 7.0, longest=20.0, bin_width=1.0)
    assert lags[rate.argmax()] == 7.0
    assert rate.max() == pytest.approx(1005, abs=25)  # once for each spike, in 1 ms, and by chance
    _, own = correlogram(times, times, longest=20.0, bin_width=1.0)
    np.testing.assert_allclose(own, own[::-1])
    assert own[20] == pytest.approx(5, abs=5)
    assert correlogram(np.zeros(0), times, longest=2.0, bin_width=1.0)[1].sum() == 0


def lived():
    times, cells = np.array([0.5, 1.0, 2.5, 19.5]), np.array([0, 2, 0, 1])
    spikes = {"a": Spikes(times, cells), "b": Spikes(np.zeros(0), np.zeros(0, int))}
    state = NetworkState({}, {}, None)
    return Simulated(spikes, {}, state, 20.0, "events", (), {"a": 3, "b": 2}, 0.5)


def test_a_simulation_becomes_a_recording_of_counts():
    found = lived().recording("a", bin_width=2.0)
    assert found.responses.shape == (10, 3)
    np.testing.assert_array_equal(found.responses[0], [1, 0, 1])
    np.testing.assert_array_equal(found.responses[9], [0, 1, 0])
    assert found.responses.sum() == 4
    assert (found.name, found.source) == ("a", "neurula simulation")
    assert lived().recording("b").responses.shape == (2, 2)


def test_a_whole_life_is_counted(key):
    """A cell whose drive never changes fires every tau ln(I / (I - threshold)), in whole steps."""
    cells = nl.Population(2, nl.neurons.LIF(tau=10.0))
    network = nl.Network({"a": cells}, [], senses=["a"], voices=["a"], dt=0.1)
    drive = np.tile(np.array([[0.5, 2.0]], np.float32), (10_000, 1))
    found = nl.simulate(network, drive, engine="jax").recording("a", bin_width=100.0)
    assert (np.asarray(found.responses[:, 0]) == 0).all()
    assert 0.1 * np.ceil(10 * np.log(2) / 0.1) == pytest.approx(7.0)
    assert int(found.responses[:, 1].sum()) == 1000 // 7


def test_bins_and_lags_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"up to the duration of 20 ms, but got 50 ms.*width=2`"):
        lived().recording("a", bin_width=50.0)
    with pytest.raises(ValueError, match=r"of \['a', 'b'\], but got 'c'.*neurula\.record"):
        lived().recording("c")
    with pytest.raises(ValueError, match=r"0 < bin_width <= longest"):
        correlogram(np.zeros(1), np.zeros(1), longest=1.0, bin_width=2.0)
