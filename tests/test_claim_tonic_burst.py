"""The pieces of the experiment: stimuli, matching of rates, bursts, resting potentials."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.tonic_burst import FRAME, ONSET, RESTS, TonicBurst, play, relay

SMALL = TonicBurst(trials=60, repeats=16, seconds=1, dt=0.5)
ONE = jnp.ones(len(RESTS))


def test_the_step_is_in_half_of_the_trials_after_the_onset(key):
    claim = TonicBurst(trials=3000)
    frames = np.asarray(claim.trial(key))
    there, absent = frames[:, :3000].mean(1), frames[:, 3000:].mean(1)
    np.testing.assert_allclose(there[:ONSET], 0.0, atol=0.1)
    np.testing.assert_allclose(there[ONSET:], 0.5, atol=0.1)
    np.testing.assert_allclose(absent, 0.0, atol=0.1)
    dark = np.asarray(claim.trial(key, dark=True))[:, :3000].mean(1)
    np.testing.assert_allclose(dark[ONSET - 10 : ONSET], -0.5, atol=0.1)


@pytest.mark.parametrize("arm", TonicBurst.arms)
def test_a_constant_current_sets_the_resting_potential(arm):
    network = relay(arm, 1, 0.25)
    state = jax.jit(
        lambda: jax.lax.fori_loop(
            0, 4000, lambda _, s: network.step(s, jnp.zeros(len(RESTS)))[0], network.init()
        )
    )()
    np.testing.assert_allclose(state.cells["relay"][0], RESTS, atol=0.01)


def test_bursts_are_counted_as_they_are_defined():
    """A hyperpolarised cell thrown up after long silence fires a burst: all spikes belong to it."""
    step = jnp.zeros((40, 1)).at[20:22].set(1.5)
    counts, share = play("with T-current", step, ONE, 0.25)
    assert counts[:, 0].sum() == 5
    assert share[0] == pytest.approx(0.8)  # the last comes more than 8 ms after the others
    plain, none = play("without", jnp.zeros((60, 1)).at[20:].set(1.7), ONE, 0.25)
    assert plain[:, 0].sum() > 3
    assert none[0] == 0.0


def test_without_memory_a_t_current_is_no_burst():
    step = jnp.zeros((40, 1)).at[20:22].set(1.5)
    assert play("no memory", step, ONE, 0.25)[0][:, 0].sum() == 0


@pytest.mark.parametrize("arm", ["with T-current", "without"])
def test_rates_are_matched(arm, key):
    frames = SMALL.trial(key)
    gain = jax.jit(lambda x: SMALL.matched(arm, x))(frames)
    counts, _ = play(arm, frames, gain, 0.5)
    rate = counts[10:].mean((0, 2)) * 1000 / FRAME
    np.testing.assert_allclose(rate, 10.0, atol=0.7)  # one spike in 3,600 frames is 0.03 Hz
