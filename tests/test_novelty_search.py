"""Novelty against loops in NumPy, and a place that fitness alone never reaches."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.evolvers import GeneticAlgorithm, NoveltySearch
from neurula.genomes import Weights

KEY = jax.random.key(0)
PLACE = Weights(nl.layered([1, 1], key=KEY), mutation=0.3)  # two genes: a weight and a bias


def small(**settings):
    return NoveltySearch(2, GeneticAlgorithm(population=6), neighbours=3, **settings)


def judged(search, state, behaviour):
    lives = nl.Life(jnp.zeros(len(behaviour)), behaviour=jnp.asarray(behaviour, jnp.float32))
    return search.judge(state, lives)


def by_loops(behaviour, archive, neighbours):
    found = []
    for i, one in enumerate(behaviour):
        others = [*np.delete(behaviour, i, 0), *archive]
        near = sorted(np.hypot(*(one - other)) for other in others)
        found.append(np.mean(near[:neighbours]))
    return found


def test_novelty_is_that_of_loops():
    search = small(added=2, capacity=3)
    behaviour = np.random.RandomState(0).normal(size=(2, 6, 2))
    state = search.init(PLACE, key=KEY)
    state, first = judged(search, state, behaviour[0])
    expected = by_loops(behaviour[0], [], 3)
    np.testing.assert_allclose(first, expected, rtol=1e-4)
    archived = behaviour[0][np.argsort(expected)[::-1][:2]]
    np.testing.assert_allclose(state.archive[:2], archived, rtol=1e-5)
    state, second = judged(search, state, behaviour[1])
    expected = by_loops(behaviour[1], archived, 3)
    np.testing.assert_allclose(second, expected, rtol=1e-4)
    last = behaviour[1][np.argsort(expected)[::-1][:2]]
    assert state.count == 4
    np.testing.assert_allclose(state.archive, [last[1], archived[1], last[0]], rtol=1e-5)


def test_behaviour_that_is_not_finite_ranks_last_and_is_not_archived():
    search = small(added=2, capacity=4)
    behaviour = np.full((6, 2), np.nan)
    behaviour[3] = 1.0
    state, found = judged(search, search.init(PLACE, key=KEY), behaviour)
    assert state.count == 0, "alone, nothing is new or old"
    assert np.isneginf(np.delete(found, 3)).all()
    behaviour[4] = 2.0
    state, found = judged(search, state, behaviour)
    assert state.count == 2
    np.testing.assert_allclose(found[jnp.array([3, 4])], np.sqrt(2), rtol=1e-5)
    assert np.isfinite(state.archive[:2]).all()


def test_novelty_leaves_a_deceptive_hill():
    """Fitness rises towards 0 and again only beyond 4, where the target is."""

    def deceptive(brain, *, key):
        place = brain.projections[0].weight[0]
        place = jnp.append(place, brain.populations["output"].neuron.bias)
        far = jnp.max(jnp.abs(place))
        return nl.Life(jnp.where(far > 4, 1.0, -far), behaviour=place)

    fittest = GeneticAlgorithm(population=32)
    how = {"generations": 60, "target": 1.0}
    for search, reached in ((fittest, False), (NoveltySearch(2, fittest), True)):
        run = eqx.filter_jit(lambda k, s=search: nl.evolve(PLACE, s, deceptive, **how, key=k))
        assert run(KEY).solved == reached


def test_refuses_lives_without_behaviour():
    with pytest.raises(ValueError, match=r"behaviours of that many numbers, but lives told none"):
        nl.evolve(PLACE, NoveltySearch(2), lambda b, *, key: jnp.zeros(()), generations=1, key=KEY)


def test_refuses_more_neighbours_than_there_are():
    with pytest.raises(ValueError, match=r"genomes live, 6, .* neighbours=15"):
        NoveltySearch(2, GeneticAlgorithm(population=6))
