"""Spike-triggered stimulation: what the pieces of the experiment are known to do."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.claims import BciSpikeTriggered
from neurula.claims.bci_spike_triggered import effects, scattered
from neurula.claims.three_sites import (
    CELLS,
    DEAF,
    GROUP,
    OPEN,
    brain,
    bursts,
    evoked,
    mean,
    triggered,
    turn,
    when,
)
from neurula.experiment import Outcome


@pytest.fixture(scope="module")
def network():
    return brain(jax.random.key(5))


def with_weights(network, weights):
    return eqx.tree_at(lambda n: n.projections[0].weight, network, weights)


def test_bursts_have_their_rate_and_are_shared_within_a_site():
    drive = bursts(400_000, np.random.default_rng(0))
    assert drive.mean() == pytest.approx(2 + 3 * 2, rel=0.05)
    sites = drive.reshape(-1, 3, GROUP)
    np.testing.assert_array_equal(sites[:, :, 0], sites[:, :, -1])
    assert abs(np.corrcoef(sites[:, 0, 0], sites[:, 1, 0])[0, 1]) < 0.05


def test_two_cells_of_a_site_are_correlated_over_the_17_ms_of_the_model():
    """A Gaussian of 12 ms, correlated with itself, is one of 12 sqrt(2) = 17 ms."""
    rate = bursts(400_000, np.random.default_rng(0))[:, 0]
    rate = rate - rate.mean()
    lags = [0, 17, 34]
    found = [np.mean(rate[: rate.size - lag] * rate[lag:]) for lag in lags]
    np.testing.assert_allclose(found[1:] / found[0], np.exp([-0.5, -2.0]), atol=0.03)


def test_random_stimuli_are_as_far_apart_as_the_device_needs():
    times = scattered(900, 10_000, np.random.default_rng(0))
    assert times.size == 900
    assert np.diff(times).min() >= DEAF
    assert 0 <= times[0] < times[-1] < 10_000


@pytest.mark.slow
def test_the_device_makes_all_cells_of_b_fire_after_its_delay(network):
    device = triggered(network, 0, 20.0)
    lived = nl.simulate(device, bursts(20_000, np.random.default_rng(1)), key=jax.random.key(2))
    fired = np.zeros((20_000, CELLS), bool)
    spikes = lived.spikes["cells"]
    fired[np.rint(spikes.times).astype(int) - 1, spikes.cells] = True
    at = when(lived)
    at = at[at < 19_900]
    assert at.size > 100
    assert fired[at, 0].all()
    assert fired[at + 20][:, GROUP : 2 * GROUP].mean() > 0.98
    assert fired[at + 20][:, 2 * GROUP :].mean() < 0.1


@pytest.mark.slow
def test_what_a_site_evokes_is_what_linear_theory_says(network):
    """One more spike of every cell of a site, many times over, against Hawkes' formula."""
    bare = nl.closed_loop(network, None, ("cells", range(GROUP)), strength=20.0, delay=1.0)
    steps = 200_000
    quiet = np.full((steps, CELLS + 1), 8.0, np.float32)
    spikes = []
    for told in (0.0, 1.0):
        quiet[:, -1] = told
        lived = nl.simulate(bare, quiet, key=jax.random.key(3))
        spikes.append(lived.rates(bare)["cells"])
    more = (spikes[1] - spikes[0]) / 20.0  # Hz for each Hz of drive into the site
    np.testing.assert_allclose(more.reshape(3, GROUP).mean(1), _by_site(network), rtol=0.1)


def _by_site(network):
    return evoked(network, 0).reshape(3, GROUP).mean(1)


def test_the_output_of_a_turns_to_b_when_a_speaks_louder_to_b(network):
    wiring, weight = network.projections[0].wiring, network.projections[0].weight
    way = (np.asarray(wiring.source) < GROUP) & (np.asarray(wiring.target) // GROUP == 1)
    louder = with_weights(network, weight * np.where(way, 1.5, 1.0).astype(np.float32))
    assert turn(network, network) == 0
    assert turn(network, louder) > 0.005
    np.testing.assert_allclose(mean(louder) / mean(network), [1.5, 1.0, 1.0], rtol=1e-5)
    assert float(weight[0]) * OPEN / 1000 * CELLS * 0.3 < 0.5  # far from an avalanche


def test_changes_are_measured_from_the_network_left_alone_with_the_same_rule():
    found = {"none": 0.1, "random": 0.3, "rate": 0.5, "rate, none": 0.2, "soft, none": 0.0}
    outcomes = {
        arm: Outcome(jnp.zeros(2), kept={"change": jnp.full((2, 3), x)}) for arm, x in found.items()
    }
    assert {arm: round(x[0], 6) for arm, x in effects(outcomes).items()} == {
        "random": 0.2,
        "rate": 0.3,
    }


@pytest.mark.slow
def test_one_seed_of_every_kind_of_control():
    claim = BciSpikeTriggered(seconds=20, warm_up=2, speed=3e-3)
    key = jax.random.key(1000)
    arms = ("none", "after 20 ms", "random", "replayed", "tetanic", "off")
    found = {arm: claim.run(arm, {}, key=key).kept for arm in arms}
    counts = [float(found[arm]["stimuli"]) for arm in ("after 20 ms", "random", "tetanic")]
    assert counts[0] == counts[1] == counts[2] > 5
    assert not np.asarray(found["off"]["change"]).any()
    assert found["after 20 ms"]["change"][0] > found["random"]["change"][0] + 0.1
