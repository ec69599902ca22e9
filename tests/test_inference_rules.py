"""Predictive coding, target propagation, recirculation, BCM, Oja against closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from compiled import autoencoder, layered, learn
from toy_learning import (
    AHEAD,
    KEY,
    Copy,
    apart,
    branched,
    by_name,
    cosine,
    double,
    example,
    flat,
    half_square,
    propose,
)

from neurula.contracts import Sample
from neurula.network import Network, Population, Projection
from neurula.neurons import Rate
from neurula.plastic import Plastic
from neurula.rules import (
    BCM,
    Backprop,
    OjaSubspace,
    PredictiveCoding,
    Recirculation,
    TargetPropagation,
)
from neurula.rules.target_propagation import inverse
from neurula.wirings import Dense


@pytest.mark.parametrize("make", [lambda k: layered([4, 6, 5, 3], key=k), branched])
@pytest.mark.parametrize(("steps", "rate"), [(2, 1.0), (300, 0.1)])
def test_predictive_coding_with_fixed_predictions_is_backprop(make, steps, rate):
    brain, sample = make(KEY), example(4, 3)
    rule = PredictiveCoding(steps, rate, precision=2.0, fixed=True)
    found, truth = propose(rule, brain, sample), propose(Backprop(), brain, sample)
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(truth), strict=True)
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, atol=2e-6, rtol=1e-5)
    too_few = PredictiveCoding(1, rate, fixed=True)
    assert apart(flat(propose(too_few, brain, sample)), flat(truth)) > 0.1


def test_predictive_coding_nears_backprop_with_precision_and_small_errors():
    brain, sample = layered([4, 6, 5, 3], key=KEY), example(4, 3)
    with jax.enable_x64(True):
        brain, sample = double(brain), double(sample)
        outputs = brain.step(brain.init(), sample.stimuli[0])[1]

        def miss(precision, share):
            near = outputs + share * (sample.target[0] - outputs)
            task = Sample(sample.stimuli, near[None])
            rule = PredictiveCoding(2000, 0.1, precision)
            return apart(flat(propose(rule, brain, task)), flat(propose(Backprop(), brain, task)))

        precise = [miss(precision, 1.0) for precision in (1.0, 50.0, 100.0)]
        small = [miss(100.0, share) for share in (1.0, 0.01)]
    assert precise[0] > 0.2
    assert precise[1] / precise[2] == pytest.approx(2.0, rel=0.15)
    assert precise[2] < 0.05
    assert small[1] < small[0]


def test_target_propagation_with_one_hidden_layer_is_backprop():
    brain, sample = layered([4, 6, 3], key=KEY), example(4, 3)
    rule = TargetPropagation()
    state = rule.init(brain, key=KEY)
    assert state == {}
    found, truth = propose(rule, brain, sample, state), propose(Backprop(), brain, sample)
    np.testing.assert_allclose(flat(found), flat(truth), atol=1e-6)


@pytest.mark.parametrize("orthogonal", [True, False])
def test_target_propagation_through_linear_inverses_is_gauss_newton(orthogonal):
    """The inverse Jacobian sends targets down, not the transposed one (Meulemans et al. 2020).

    So it is backprop, up to scale, where the weights are orthogonal.
    """
    linear = layered([4, 4, 4, 3], neuron=lambda n: Rate("identity", jnp.zeros(n)), key=KEY)
    sample, rule = example(4, 3), TargetPropagation(step=0.5)
    middle = lambda net: net.projections[1].weight  # noqa: E731
    weight = 2.0 * jnp.linalg.qr(middle(linear))[0] if orthogonal else middle(linear) + jnp.eye(4)
    brain = eqx.tree_at(middle, linear, weight)
    # `inverse` sends back by the transpose of what it holds
    state = {"hidden1->hidden2": jnp.linalg.inv(weight).T}
    found = by_name(propose(rule, brain, sample, state))
    first, second, last = (np.asarray(p.weight) for p in brain.projections)
    stimulus = np.asarray(sample.stimuli[0])
    missed = last @ second @ first @ stimulus - np.asarray(sample.target[0])
    above = 0.5 * last.T @ missed
    below = np.linalg.inv(second) @ above
    np.testing.assert_allclose(found[AHEAD[0]], np.outer(below, stimulus), atol=1e-5)
    np.testing.assert_allclose(found[AHEAD[1]], np.outer(above, first @ stimulus), atol=1e-5)
    truth = by_name(propose(Backprop(), brain, sample))
    parallel = cosine(found[AHEAD[0]].ravel(), truth[AHEAD[0]].ravel())
    assert (parallel > 0.99999) == orthogonal


def test_inverses_learn_to_undo_their_layers():
    brain = layered([4, 4, 4, 3], key=KEY)
    middle = lambda net: net.projections[1].weight  # noqa: E731
    brain = eqx.tree_at(middle, brain, jnp.linalg.qr(middle(brain))[0])  # can be undone well
    rule = TargetPropagation(rate=0.2)
    state = rule.init(brain, key=KEY)
    p = brain.projections[1]

    @eqx.filter_jit
    def practise(state, key):
        at_task, at_noise = jax.random.split(key)
        task = Sample(jax.random.normal(at_task, (1, 4)), jnp.zeros((1, 3)))
        return rule.remember(state, rule.propose(state, brain, task, half_square, key=at_noise)[1])

    @eqx.filter_jit
    def lost(state):
        below = 0.5 * jax.random.normal(KEY, (20, 4))
        above = jax.vmap(lambda b: jnp.tanh(p.weight @ b))(below)
        back = jax.vmap(lambda a: inverse(brain, p, state[p.name], a))(above)
        return jnp.mean((back - below) ** 2)

    before = lost(state)
    for i in range(300):
        state = practise(state, jax.random.key(i))
    assert lost(state) < 0.25 * before


def reconstruction(outputs, sample):
    return 0.5 * jnp.sum((outputs[-1] - sample.stimuli[-1]) ** 2)


def test_recirculation_follows_the_gradient_in_the_restricted_case():
    """Linear visible cells, mirrored weights, activity that hardly changes."""
    brain, sample = autoencoder(6, 4, key=KEY), example(6, 6)
    with jax.enable_x64(True):
        brain, sample = double(brain), double(sample)
        truth = by_name(propose(Backprop(), brain, sample, error=reconstruction))
        misses = []
        for regression in (0.98, 0.99):
            found = by_name(propose(Recirculation(regression), brain, sample))
            down, up = found["hidden1->output"], found["input->hidden1"]
            new = 1 - regression
            assert apart(down / new, truth["hidden1->output"]) < 1e-9
            misses.append(apart(up / new**2, truth["input->hidden1"]))
    assert misses[0] / misses[1] == pytest.approx(2.0, rel=0.1)
    assert misses[1] < 0.03


def test_recirculation_points_down_for_nearly_mirrored_weights():
    brain = autoencoder(6, 4, key=KEY)
    noise = jax.random.normal(jax.random.key(3), (6, 4))
    down = lambda net: net.projections[1].weight  # noqa: E731
    scale = 0.3 * jnp.std(down(brain))
    brain = eqx.tree_at(down, brain, down(brain) + scale * noise)
    stimuli = jax.random.normal(KEY, (32, 1, 6))

    @eqx.filter_jit
    def mean(rule, **how):
        each = jax.vmap(lambda s: propose(rule, brain, Sample(s), **how))(stimuli)
        return jax.tree.map(lambda x: x.mean(0), each)

    found, truth = mean(Recirculation()), mean(Backprop(), error=reconstruction)
    for name in ("input->hidden1", "hidden1->output"):
        assert cosine(flat(found, [name]), flat(truth, [name])) > 0.8


def one_cell(weights):
    wiring = Dense(1, 2)
    populations = {"in": Population(2, Rate("identity")), "out": Population(1, Rate("relu"))}
    join = Projection("in", "out", wiring, jnp.array([weights]), delay=0)
    return Network(populations, [join], senses=["in"], voices=["out"])


def live(brain, stimuli):
    """What a living brain ends as, and its outputs."""
    return jax.jit(lambda: jax.lax.scan(lambda s, x: brain.step(s, x), brain.init(), stimuli))()


@pytest.mark.parametrize("seed", range(3))
def test_a_bcm_cell_becomes_selective(seed):
    patterns = jnp.array([[1.0, 0.2], [0.2, 1.0]])
    shown = patterns[jax.random.bernoulli(jax.random.key(seed), 0.5, (8000,)).astype(int)]
    first = [0.5, 0.55] if seed % 2 else [0.55, 0.5]
    brain = Plastic(one_cell(first), BCM(tau=50.0), rate=0.005)
    end, _ = live(brain, shown)
    answers = np.sort(np.maximum(patterns @ end.weights[0][0], 0.0))
    # fixed point: silent for one pattern, 1 / its probability for the other
    assert answers[0] < 0.1
    assert answers[1] == pytest.approx(2.0, rel=0.25)


def test_a_bcm_threshold_is_the_mean_square_of_the_activity():
    stimuli = jnp.abs(jax.random.normal(KEY, (5000, 2)))
    end, outputs = live(Plastic(one_cell([0.6, 0.3]), BCM(tau=1000.0), rate=0.0), stimuli)
    threshold = float(end.diary.memory["in->out"].squeeze())
    assert threshold == pytest.approx(float(jnp.mean(outputs**2)), rel=0.1)


def test_oja_subspace_finds_the_first_components():
    axes = jnp.linalg.qr(jax.random.normal(KEY, (5, 5)))[0]
    scale = jnp.array([2.0, 1.5, 0.5, 0.3, 0.2])

    class Cloud(Copy):
        cells: int = 5

        @property
        def shape(self):
            return 1, 5, 2

        def sample(self, split, *, key):
            return Sample((jax.random.normal(key, (1, 5)) * scale[None, :]) @ axes.T)

    brain = layered([5, 2], key=KEY)

    how = {"steps": 1500, "batch": 16, "key": KEY}
    learned = learn(brain, OjaSubspace(), Cloud(), optax.sgd(0.02), **how).brain
    weight, axes = np.asarray(learned.projections[0].weight), np.asarray(axes)
    np.testing.assert_allclose(weight @ weight.T, np.eye(2), atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(weight @ axes[:, :2], axis=1), 1.0, atol=0.02)
