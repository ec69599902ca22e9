"""The pieces of the experiment: arms of equal size, tasks of every lag, the longest one learned."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.lstm_long_lag import LstmLongLag
from neurula.experiment import Outcome
from neurula.tasks import Adding

CLAIM = LstmLongLag()


def size(claim, arm):
    made = eqx.filter_eval_shape(lambda k: claim.brain(arm, key=k), jax.random.key(0))
    leaves = [x for x in jax.tree.leaves(made) if isinstance(x, jax.ShapeDtypeStruct)]
    return sum(leaf.size for leaf in leaves)


def test_arms_have_equal_parameters_up_to_a_cell():
    sizes = {arm: size(CLAIM, arm) for arm in CLAIM.arms}
    assert min(sizes.values()) >= CLAIM.parameters
    assert max(sizes.values()) <= 1.2 * CLAIM.parameters, sizes


def test_every_lag_is_the_adding_problem_of_that_length():
    claim = LstmLongLag(lags=(4, 8))
    sample = jax.jit(lambda i: claim.task(i).sample("test", key=jax.random.key(0)))
    for place, lag in enumerate((4, 8)):
        found = sample(jnp.array(place))
        own = Adding(lag).sample("test", key=jax.random.key(0))
        np.testing.assert_array_equal(found.stimuli[8 - lag :], own.stimuli)
        assert not np.asarray(found.stimuli[: 8 - lag]).any()
        assert list(found.counts) == [0] * 7 + [1]
        np.testing.assert_array_equal(found.target[-1], own.target[-1])


def test_the_longest_sequence_learned_is_the_last_without_a_gap():
    reach = jax.jit(CLAIM.reach)
    good, bad = 0.009, 0.011
    for errors, wanted in (
        ([bad] * 4, 8), ([good, bad, bad, bad], 16), ([good, good, bad, good], 32),
        ([good, good, good, bad], 64), ([good] * 4, 128), ([bad, good, good, good], 8),
    ):  # fmt: skip
        assert float(reach(jnp.array(errors))) == pytest.approx(np.log2(wanted))


def made(reaches, window=0.1):
    """Outcomes in which every arm learned up to a lag that all seeds share, or one for each."""
    outcomes = {}
    for arm in CLAIM.arms:
        lags = np.broadcast_to(
            np.asarray(reaches.get(arm, 16 if arm != "window" else 8), np.float64), 8
        )
        error = np.where(np.array(CLAIM.lags) <= lags[:, None], 0.001, window)
        kept = {"error": jnp.asarray(error), "progress": jnp.asarray(1.0 - error)}
        outcomes[arm] = Outcome(score=jnp.asarray(np.log2(lags)), kept=kept)
    return outcomes


def test_the_strongest_ungated_cells_rule():
    lags = np.array([32, 64, 64, 32, 64, 32, 64, 64])
    weak = {"LSTM": 128, "Elman": lags // 2, "Elman, orthogonal": lags // 2, "leaky": lags // 2}
    firm = CLAIM.evidence(made(weak | {"identity": lags // 2}))
    assert all(gate.held for gate in firm.gates)
    assert firm.primary.find().ruling == "supported"
    beaten = CLAIM.evidence(made(weak | {"identity": lags})).primary.find()
    assert beaten.estimate == pytest.approx(np.mean(np.log2(128 / lags)))
    equal = CLAIM.evidence(made({**weak, "LSTM": lags, "identity": lags})).primary.find()
    assert (equal.estimate, equal.ruling) == (0.0, "refuted")


def test_a_ladder_that_is_too_short_says_nothing():
    gates = CLAIM.evidence(made({"LSTM": 128, "identity": 128})).gates
    assert [gate.held for gate in gates] == [True, True, False]
    assert "identity" in gates[2].found
    assert not CLAIM.evidence(made({"window": 32})).gates[1].held
    assert not CLAIM.evidence(made({"LSTM": 8})).gates[0].held
