"""Boltzmann learning and the energy against enumeration and finite differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from compiled import boltzmann, learn, relaxing, settle
from toy_learning import (
    KEY,
    Copy,
    apart,
    cosine,
    double,
    example,
    half_square,
    propose,
)

from neurula.contracts import Sample
from neurula.measures import energy
from neurula.rules import (
    Boltzmann,
)
from neurula.rules.boltzmann import every_state, gibbs, probabilities, visible
from neurula.wirings import Dense


def machine(seed=0):
    """Four visible cells, some joined to each other, and two hidden ones; strong weights."""
    joined = jnp.zeros((4, 4), bool).at[0, 1].set(True).at[1, 0].set(True)
    network = boltzmann(4, 2, among=Dense(4, 4, joined), gain=2.0, key=jax.random.key(seed))
    return eqx.tree_at(
        lambda net: (net.projections[2].weight, net.populations["visible"].neuron.bias),
        network,
        (0.7 * joined.astype(jnp.float32), jnp.array([0.3, -0.5, 0.2, 0.0])),
    )


STIMULUS = jnp.array([[1.0, 0.0, 0.0, 1.0]])


def surprise(network, stimulus):
    """-log P(stimulus), cell by cell from the definition."""
    up, _, among = (np.asarray(p.weight, float) for p in network.projections)
    full = np.zeros((6, 6))
    full[4:, :4], full[:4, 4:], full[:4, :4] = up, up.T, among
    cells = [network.populations[name].neuron for name in ("visible", "hidden")]
    bias = np.concatenate([np.asarray(cell.bias, float) for cell in cells])
    states = np.array(np.meshgrid(*[[0, 1]] * 6, indexing="ij")).reshape(6, -1).T
    energies = np.array([-0.5 * s @ full @ s - bias @ s for s in states])
    seen = (states[:, :4] == np.asarray(stimulus)).all(1)
    return -np.log(np.exp(-energies[seen]).sum() / np.exp(-energies).sum())


def test_the_exact_boltzmann_gradient_matches_finite_differences():
    network = machine()
    found = propose(Boltzmann(), network, Sample(STIMULUS))
    places = [(0, (1, 2)), (0, (0, 3)), (2, (0, 1))]
    for index, cell in places:

        def moved(by, index=index, cell=cell):
            net = jax.tree.map(lambda x: x, network)
            mirrored = {0: [(0, cell), (1, cell)], 2: [(2, cell), (2, cell[::-1])]}[index]
            for i, at in mirrored:
                place = lambda n, i=i: n.projections[i].weight  # noqa: E731
                net = eqx.tree_at(place, net, place(net).at[at].add(by))
            return surprise(net, STIMULUS[0])

        expected = (moved(1e-2) - moved(-1e-2)) / 2e-2
        assert found.projections[index].weight[cell] == pytest.approx(expected, abs=2e-4)
    np.testing.assert_array_equal(found.projections[0].weight, found.projections[1].weight)
    bias = lambda net: net.populations["hidden"].neuron.bias  # noqa: E731
    up, down = (eqx.tree_at(bias, network, bias(network).at[1].add(by)) for by in (1e-2, -1e-2))
    expected = (surprise(up, STIMULUS[0]) - surprise(down, STIMULUS[0])) / 2e-2
    assert bias(found)[1] == pytest.approx(expected, abs=2e-4)


def test_sequential_sampling_visits_states_as_often_as_they_are_probable():
    network, sweeps, chains = machine(), 400, 50

    def run(key):
        return gibbs(network, jnp.zeros(6), jnp.ones(sweeps), jnp.ones(6, bool), key=key)

    states = jax.jit(jax.vmap(run))(jax.random.split(KEY, chains))[:, 50:]
    states = np.asarray(states)
    products = np.einsum("kti,ktj->kij", states, states) / states.shape[1]
    mean, spread = products.mean(0), products.std(0) / chains**0.5
    everything = np.asarray(every_state(np.ones(6, bool), jnp.zeros(6)))
    odds = np.asarray(eqx.filter_jit(probabilities)(network, everything))
    exact = np.einsum("s,si,sj->ij", odds, everything, everything)
    assert (np.abs(mean - exact) < 5 * spread + 1e-6).all()
    assert spread.max() < 0.02


@pytest.mark.slow
def test_annealed_sampling_agrees_with_the_exact_gradient():
    network, sample = machine(), Sample(STIMULUS)
    exact = propose(Boltzmann(), network, sample)
    rule = Boltzmann("annealed", sweeps=10, samples=20)
    many = lambda k: rule.propose(None, network, sample, half_square, key=k)[0]  # noqa: E731
    drawn = jax.jit(jax.vmap(many))(jax.random.split(KEY, 400))
    for a, b in zip(jax.tree.leaves(drawn), jax.tree.leaves(exact), strict=True):
        a = np.asarray(a)
        spread = a.std(0) / 20
        assert (np.abs(a.mean(0) - np.asarray(b)) < 5 * spread + 1e-6).all()


@pytest.mark.slow
def test_contrastive_divergence_points_down_and_the_better_the_longer_it_dreams():
    """It is biased towards the start; its bias goes as the chain forgets where it started."""
    network = boltzmann(4, 2, gain=3.0, key=KEY)
    stimuli = jax.random.bernoulli(KEY, 0.3, (8, 1, 4)).astype(jnp.float32)

    def mean(rule, draws):
        one = lambda s, k: rule.propose(None, network, Sample(s), half_square, key=k)[0]  # noqa: E731
        keys = jax.random.split(KEY, (len(stimuli), draws))
        many = jax.jit(jax.vmap(lambda s, ks: jax.vmap(lambda k: one(s, k))(ks)))(stimuli, keys)
        leaves = jax.tree.leaves(jax.tree.map(lambda x: x.mean((0, 1)), many))
        return np.concatenate([np.ravel(leaf) for leaf in leaves])

    exact = mean(Boltzmann(), 1)
    short, long = (
        mean(Boltzmann("contrastive divergence", sweeps=n, samples=1), 500) for n in (1, 20)
    )
    assert cosine(short, exact) > 0.7
    assert apart(long, exact) < 0.1 < apart(short, exact)


@pytest.mark.parametrize("by", ["exact", "contrastive divergence"])
@pytest.mark.slow
def test_boltzmann_learning_makes_what_was_seen_probable(by):
    network = boltzmann(4, 2, gain=0.5, key=KEY)
    patterns = jnp.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    rule = Boltzmann(by, sweeps=2, samples=5)

    class Seen(Copy):
        def sample(self, split, *, key):
            return Sample(patterns[jax.random.bernoulli(key).astype(int)][None])

    learned = learn(network, rule, Seen(), optax.adam(0.05), steps=300, batch=8, key=KEY).brain
    before, after = (
        np.exp(-sum(surprise_free(n, x) for x in patterns) / 2) for n in (network, learned)
    )
    assert before < 0.1
    assert after > 0.3  # two patterns share the probability, so 0.5 is the most


@eqx.filter_jit
def surprise_free(network, stimulus):
    """-log P(stimulus) of a restricted machine."""
    held, seen = visible(network, stimulus)
    states = every_state(np.ones(len(held), bool), seen)
    odds = probabilities(network, states)
    return -jnp.log(jnp.sum(jnp.where((states[:, :4] == stimulus[None]).all(1), odds, 0.0)))


@pytest.mark.parametrize("nonlinearity", ["tanh", "sigmoid", "relu"])
def test_energy_never_rises_while_a_network_settles(nonlinearity):
    brain, sample = (
        relaxing([4, 6, 5, 3], nonlinearity=nonlinearity, tau=10.0, key=KEY),
        example(4, 3),
    )
    with jax.enable_x64(True):
        brain, sample = double(brain), double(sample)
        stimulus = 3 * sample.stimuli[0]

        @eqx.filter_jit
        def once(places):
            places = settle(brain, stimulus, steps=1, start=places)
            return places, energy(brain, places.activity, potentials=places.state.cells)

        places, energies = settle(brain, stimulus, steps=1), []
        for _ in range(40):
            places, here = once(places)
            energies.append(float(here))
    falls = -np.diff(energies)
    assert (falls > -1e-10).all()
    assert energies[0] - energies[-1] > 0.1


def test_energy_is_stationary_where_a_network_has_settled():
    brain, sample = relaxing([4, 6, 5, 3], key=KEY), example(4, 3)
    with jax.enable_x64(True):
        brain, sample = double(brain), double(sample)
        end = settle(brain, sample.stimuli[0], steps=300)

        def by_potentials(potentials):
            squashed = {n: brain.populations[n].neuron.activation(v) for n, v in potentials.items()}
            activity = {"input": end.activity["input"]} | squashed
            return energy(brain, activity, potentials=potentials)

        cells = {n: v for n, v in end.state.cells.items() if n != "input"}
        slopes = [np.asarray(s) for s in jax.jit(jax.grad(by_potentials))(cells).values()]
    assert max(np.abs(s).max() for s in slopes) < 1e-9


def test_energy_of_binary_cells_is_the_boltzmann_one():
    network = machine()
    states = every_state(np.ones(6, bool), jnp.zeros(6))
    parts = lambda s: {"visible": s[:4], "hidden": s[4:]}  # noqa: E731
    energies = jax.jit(jax.vmap(lambda s: energy(network, parts(s))))(states)
    odds = eqx.filter_jit(probabilities)(network, states)
    np.testing.assert_allclose(jax.nn.softmax(-energies), odds, rtol=1e-4)
