"""Learning rules that evolve, against the rules of the shelf and published equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.genomes import ABCD, CHALMERS, LocalPolynomial, Plasticity
from neurula.genomes.plasticity import HEBB, OJA, TAUGHT
from neurula.rules import Backprop, Hebb, Oja, OutputOnly, direction
from neurula.tasks import Squared

KEY = jax.random.key(0)
DELTA = {TAUGHT: 1.0, HEBB: -1.0}


def proposed(rule, brain, sample, error):
    state = rule.init(brain, key=KEY)
    found, _ = direction(rule, state, brain, sample, error, key=KEY)
    return [p.weight for p in found.projections]


def lesson(inputs, outputs, time=3):
    keys = jax.random.split(KEY)
    draw = lambda k, n: jax.random.normal(k, (4, time, n))  # noqa: E731
    return nl.Sample(draw(keys[0], inputs), draw(keys[1], outputs))


@pytest.mark.parametrize(
    ("terms", "rule"), [({HEBB: 1.0}, Hebb()), ({HEBB: 1.0, OJA: -1.0}, Oja())], ids=["Hebb", "Oja"]
)
def test_coefficients_of_rules_of_the_shelf_are_these_rules(terms, rule):
    brain = nl.looped(nl.layered([3, 4, 2], key=KEY), [("hidden1", "hidden1")], key=KEY)
    error = Squared().error
    mine = proposed(LocalPolynomial.of(terms), brain, lesson(3, 2), error)
    for a, b in zip(mine, proposed(rule, brain, lesson(3, 2), error), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_coefficients_of_the_delta_rule_are_descent_in_the_last_layer():
    # Widrow & Hoff: the gradient of half the squared distance, for a linear layer.
    error = Squared().error
    one, deep = nl.layered([3, 2], key=KEY), nl.layered([3, 4, 2], key=KEY)
    (mine,) = proposed(LocalPolynomial.of(DELTA), one, lesson(3, 2), error)
    (theirs,) = proposed(Backprop(), one, lesson(3, 2), error)
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    hidden, last = proposed(LocalPolynomial.of(DELTA), deep, lesson(3, 2), error)
    np.testing.assert_allclose(
        last, proposed(OutputOnly(), deep, lesson(3, 2), error)[1], rtol=1e-4, atol=1e-6
    )
    np.testing.assert_array_equal(hidden, jnp.zeros((4, 3)))  # nobody tells hidden cells


def test_four_coefficients_are_those_of_najarro_and_risi():
    rule = LocalPolynomial(jnp.array([0.5, -1.0, 2.0, 0.1]), ABCD)
    brain = nl.layered([2, 1], key=KEY)
    living = nl.Plastic(brain, rule, rate=0.2)
    state, said = living.step(living.init(), jnp.array([0.3, -0.4]))
    pre, post = np.array([[0.3, -0.4]]), float(said[0])
    change = 0.5 * pre * post - pre + 2.0 * post + 0.1
    expected = np.asarray(brain.projections[0].weight) + 0.2 * change
    np.testing.assert_allclose(state.weights[0], expected.astype(np.float32), rtol=1e-5)


def test_a_reward_is_what_plastic_synapses_are_told():
    rule = LocalPolynomial.of({(1, 1, 1, 0): 1.0})
    brain = nl.layered([2, 1], key=KEY)
    living = nl.Plastic(brain, rule, rate=1.0, rewarded=True)
    state, said = living.step(living.init(), jnp.array([1.0, 2.0, -3.0]))
    moved = state.weights[0] - brain.projections[0].weight
    np.testing.assert_allclose(moved[0], -3.0 * said[0] * jnp.array([1.0, 2.0]), rtol=1e-5)


def test_genes_are_coefficients_and_come_back():
    genome = Plasticity(CHALMERS, scale=0.5)
    genes = genome.sample(key=KEY)
    rule = genome.develop(genes, key=KEY)
    assert genome.size == len(CHALMERS) == 10
    np.testing.assert_allclose(rule.coefficients, 0.5 * genes)
    np.testing.assert_allclose(genome.encode(rule), genes, rtol=1e-6)


def test_what_does_not_fit_is_refused():
    brain = nl.layered([3, 2], key=KEY)
    blind = nl.Sample(lesson(3, 2).stimuli)
    with pytest.raises(ValueError, match="the sample has no target"):
        proposed(LocalPolynomial.of(DELTA), brain, blind, Squared().error)
    with pytest.raises(ValueError, match="a coefficient for each"):
        LocalPolynomial(jnp.zeros(2), CHALMERS)
    with pytest.raises(ValueError, match="a term or more"):
        Plasticity(())
