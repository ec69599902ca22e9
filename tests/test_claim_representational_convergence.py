"""The pieces of the experiment on convergent representations; not its verdict."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims import RepresentationalConvergence
from neurula.claims.representational_convergence import (
    BOTH_OTHER,
    CLASSES,
    MAKES,
    OTHER,
    RANDOM,
    SAME,
    UNTRAINED,
    labels,
    looked,
    network,
    pictures,
)
from neurula.experiment import Outcome

KEY = jax.random.key(1000)
SEEDS, COUNT = 10, len(MAKES)


def outcomes(alike, *, digits=0.95, partner=0.7, told=0.4, within=0.0, curve=None):
    """Networks of every make with these means of CKA, by arm, and a little noise."""
    rng, found = np.random.default_rng(0), {}
    right = np.linspace(0.5, 0.95, 4)
    for arm in RepresentationalConvergence.arms:
        table = alike.get(arm, 0.3) + 0.02 * rng.normal(size=(SEEDS, COUNT, COUNT))
        table[:, range(COUNT), range(COUNT)] = 50.0  # of the same make: no pair
        ones = lambda value: np.full((SEEDS, COUNT), value)  # noqa: E731
        kept = {"alike": table, "within": table * 0 + within, "digits": ones(digits)}
        kept |= {"partner": ones(partner), "train": ones(1.0), "told": np.full(SEEDS, told)}
        cka = np.tile(right if curve is None else curve, (SEEDS, 1))
        curves = {"CKA": cka, "accuracy": np.tile(right, (SEEDS, 1))}
        arrays = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), [curves, {}, kept])
        found[arm] = Outcome(jnp.full(SEEDS, 0.5), None, *arrays)
    return found


def test_both_comparisons_have_to_hold_and_the_same_make_is_no_pair():
    claim = RepresentationalConvergence()
    found = claim.evidence(outcomes({SAME: 0.7, OTHER: 0.4, UNTRAINED: 0.5}))
    assert all(gate.held for gate in found.gates)
    decided = {name: test.decide() for name, test in found.secondary.items()}
    assert decided["same task - other labels"].estimate == pytest.approx(0.3, abs=0.01)
    assert decided["same task - untrained"].estimate == pytest.approx(0.2, abs=0.01)
    assert decided["same task - untrained"].n == COUNT
    assert found.primary.decide().ruling == "supported"
    alike = outcomes({SAME: 0.7, OTHER: 0.4, UNTRAINED: 0.69})
    weak = claim.evidence(alike).primary.decide()
    assert weak.ruling == "refuted"
    assert weak.estimate == pytest.approx(0.01, abs=0.01)


def test_the_slope_is_that_of_a_line():
    curve = 0.2 + 0.8 * np.linspace(0.5, 0.95, 4)
    found = RepresentationalConvergence().evidence(outcomes({}, curve=curve)).secondary
    [slope] = [test for name, test in found.items() if "grows with accuracy" in name]
    assert slope.decide().estimate == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("wrong", "gate"), [({"digits": 0.8}, 0), ({"partner": 0.4}, 1), ({"told": 0.6}, 2)]
)
def test_gates_fall_alone(wrong, gate):
    gates = RepresentationalConvergence().evidence(outcomes({}, **wrong)).gates
    assert [each.held for each in gates] == [k != gate for k in range(3)]


def test_labels_of_every_arm():
    own = pictures().labels
    for arm in (SAME, UNTRAINED):
        assert all((labels(arm, key=KEY)[s] == own[s]).all() for s in own)
    other, random = (labels(arm, key=KEY) for arm in (OTHER, RANDOM))
    assert all((labels(BOTH_OTHER, key=KEY)[s] == other[s]).all() for s in own)
    assert (np.bincount(np.asarray(other["train"]), minlength=CLASSES) > 20).all()
    again = labels(OTHER, key=jax.random.key(1001))
    for names in (random, again, other):
        assert jnp.mean((names["train"] == own["train"]).astype(jnp.float32)) < 0.35


@pytest.mark.parametrize("name", MAKES)
def test_the_last_hidden_layer_is_all_that_the_output_hears(name):
    brain = network(name, key=KEY)
    picture = jnp.asarray(pictures().by_split["test"].stimuli[0, 0])
    hidden, output = looked(brain, picture)
    assert hidden.shape == (MAKES[name].hidden[-1],)
    if name == "convolution":
        heard = brain.readout(hidden)
    else:
        heard = brain.projections[-1].weight @ hidden + brain.populations["output"].neuron.bias
    np.testing.assert_allclose(output, heard, atol=1e-5)


def test_untrained_networks_learn_nothing_and_others_do():
    claim = RepresentationalConvergence(makes=2, updates=60, stages=2, shown=40)
    still, taught = (claim.run(arm, {}, key=KEY) for arm in (UNTRAINED, SAME))
    assert np.ptp(np.asarray(still.curves["CKA"])) == 0
    assert still.costs["updates"] == 0
    assert taught.kept["digits"].min() > 0.6 > 0.3 > still.kept["digits"].max()
