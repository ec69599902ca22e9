"""The pieces of the experiment: arms of equal size, the delay at 90 % recall, the LSTM."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.potential_memory import DELAYS, PotentialMemory, cell, play, reach
from neurula.live import parameters
from neurula.memories import LSTM

CLAIM = PotentialMemory()
MIDDLE = {"rate": jnp.array(0.01), "gain": jnp.array(4.0)}
MIDDLE |= {"loop": jnp.array(0.5), "keep": jnp.array(2.0)}


def made(arm):
    return eqx.filter_jit(lambda k: CLAIM.brain(arm, MIDDLE, key=k))(jax.random.key(0))


def test_arms_have_the_parameters_that_they_say():
    small = {arm: float(parameters(made(arm))) for arm in ("ALIF 700", "LIF 20", "leaky")}
    assert set(small.values()) == {3 * 60 + 60 + 2 * 60 + 2}
    loops = float(parameters(made("ALIF 700, loops")))
    assert loops == small["LIF 20"] + 60**2
    for arm, wanted in (("small LSTM", small["LIF 20"]), ("LSTM", loops)):
        found = float(parameters(made(arm)))
        cells = made(arm).cells.hidden_size
        assert found == 4 * cells * (3 + cells + 1) + 2 * cells + 2
        assert wanted <= found < wanted + 8 * cells + 22  # one cell less would be too few


@pytest.mark.parametrize("arm", PotentialMemory.arms)
def test_every_arm_has_the_cells_that_it_says(arm):
    if "LSTM" in arm:
        return
    found = cell(arm, 4)
    named = float(arm.split(",")[0].split()[1]) if "LIF" in arm else 20.0
    assert (found.tau, getattr(found, "tau_adaptation", None)) == (
        (20.0, named) if "ALIF" in arm else (named, None)
    )


def test_reach_is_where_recall_crosses_90_percent():
    recall = {
        25.0: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
        50.0: [1.0, 0.9, 0.5, 0.5, 0.5, 0.5],
        800.0: [1.0, 1.0, 0.95, 0.9, 0.9, 0.99],
        100 * 2**0.5: [1.0, 1.0, 1.0, 0.8, 1.0, 1.0],  # halfway on a logarithmic scale
    }
    for wanted, shares in recall.items():
        assert float(jax.jit(reach)(jnp.array(shares))) == pytest.approx(wanted, rel=1e-4)
    assert len(DELAYS) == 6


def test_a_leaky_cell_keeps_what_its_time_constant_says():
    """What is left of a cue is exp(-delay / tau): nothing but the potential remembers."""
    task = PotentialMemory(noise=0.0, exam=12).task
    exam = task.exam("test", key=jax.random.key(0))
    lines = exam.stimuli.at[:, :, 2].set(0.0)  # without the call
    brain = made("leaky")
    weights = brain.projections[0].weight[:, 0]
    answers, active = jax.jit(jax.vmap(lambda x: play(brain, x)))(lines)
    drive = (1 - np.exp(-5.0 / 20)) * np.sum(np.exp(-5.0 / 20 * np.arange(20)))
    left = np.tanh(np.asarray(weights) * drive * np.exp(-(25 + 5) / 20))
    said = brain.projections[1].weight @ left
    np.testing.assert_allclose(answers[0, -10], said, rtol=1e-3)  # delay 25 ms, first step of call
    assert active.shape == (12, 60)


def test_lstm_keeps_what_its_forget_gates_say():
    """Without inputs to the gates c falls by sigmoid(keep) a step."""
    block = LSTM(1, 2, 1, keep=3.0, key=jax.random.key(0))
    nothing = jnp.zeros((8, 1)), jnp.zeros((8, 2))
    still = eqx.tree_at(lambda b: (b.cells.weight_ih, b.cells.weight_hh), block, nothing)
    state = (jnp.zeros(2), jnp.array([1.0, -2.0]))
    (_, kept), _ = still.step(state, jnp.zeros(1))
    share = 1 / (1 + np.exp(-3.0))
    np.testing.assert_allclose(kept, share * np.array([1.0, -2.0]), rtol=1e-5)
