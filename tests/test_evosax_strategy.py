"""Every algorithm of evosax evolves our genomes, and does what it does by itself."""

import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.evolvers import EvosaxStrategy
from neurula.genomes import Weights

algorithms = pytest.importorskip("evosax.algorithms", reason="the extra `evosax` is not installed")

SETTINGS = {
    "SV_CMA_ES": {"num_populations": 2},
    "SV_Open_ES": {"num_populations": 2},
    "RandomSearch": {"sampling_fn": lambda key: jax.random.normal(key, (13,))},
}


# As they come, they take more than sixty generations to get anywhere on thirteen genes.
SLOW = {
    "ARS", "ASEBO", "DiffusionEvolution", "ESMC", "GuidedES", "HillClimbing", "NoiseReuseES",
    "Open_ES", "PersistentES", "RandomSearch", "SV_Open_ES", "SimpleGA", "SimulatedAnnealing",
    "iAMaLGaM_Full", "iAMaLGaM_Univariate",
}  # fmt: skip


@pytest.fixture(scope="module")
def genome():
    return Weights(nl.layered([2, 3, 1], key=jax.random.key(0)))


def made(name):
    return EvosaxStrategy(name, 16, settings=SETTINGS.get(name, {}))


def near(network, *, key):
    weights = jnp.concatenate([jnp.ravel(p.weight) for p in network.projections])
    return jnp.where(jax.random.uniform(key) < 0.1, jnp.nan, -jnp.sum((weights - 0.5) ** 2))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:optax.global_norm is deprecated")
@pytest.mark.parametrize("name", list(algorithms.algorithms))
def test_every_algorithm_of_evosax(genome, name):
    evolver = made(name)
    found = eqx.filter_jit(
        lambda key: nl.evolve(genome, evolver, near, generations=60, key=key)
    )(jax.random.key(1))  # fmt: skip
    mean = np.asarray(found.curves["mean"])
    assert int(found.evaluations) == 60 * 16
    assert np.isfinite(mean).all()
    assert int(found.state.refused) == 0
    assert name in SLOW or mean[-15:].mean() > 0.5 * mean[:5].mean()  # half the way to 0


@pytest.mark.parametrize("name", ["Sep_CMA_ES", "PSO"])
def test_it_does_what_evosax_does_alone(genome, name):
    evolver = made(name)
    keys = jax.random.split(jax.random.key(2), 4)
    goal = lambda genes: -jnp.sum((genes - 1.0) ** 2, axis=-1)  # noqa: E731

    @eqx.filter_jit
    def ours():
        state, seen = evolver.init(genome, key=keys[0]), []
        for key in keys[1:]:
            state, genes = evolver.ask(state, genome, key=key)
            state = evolver.tell(state, genome, genes, goal(genes))
            seen.append(genes)
        return seen

    seen = ours()
    alone = algorithms.algorithms[name](population_size=16, solution=jnp.zeros(13))
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        settings = alone.default_params
        begun = jax.random.split(keys[0])[1]
        state = None if name == "PSO" else alone.init(begun, jnp.zeros(13), settings)
        for genes, key in zip(seen, keys[1:], strict=True):
            to_ask, to_tell = jax.random.split(key)
            if state is None:  # a population begins with those whose lives are known
                state = alone.init(to_tell, genes, -goal(genes), settings)
                continue
            asked, state = alone.ask(to_ask, state, settings)
            np.testing.assert_allclose(asked, genes, rtol=1e-4, atol=1e-5)
            state, _ = alone.tell(to_tell, asked, -goal(asked), state, settings)


def test_lives_without_a_number_are_as_bad_as_the_worst(genome):
    """Evosax multiplies fitness, where infinity would make NaN."""
    evolver = EvosaxStrategy("Open_ES", 4, settings={"fitness_shaping_fn": lambda x, f, s, p: f})
    state, genes = evolver.ask(
        evolver.init(genome, key=jax.random.key(0)), genome, key=jax.random.key(1)
    )
    means = [
        evolver.tell(state, genome, genes, jnp.asarray(told)).theirs.mean
        for told in ([3.0, -jnp.inf, 1.0, 2.0], [3.0, 1.0, 1.0, 2.0], [-jnp.inf] * 4)
    ]
    np.testing.assert_array_equal(means[0], means[1])
    assert jnp.any(means[0] != 0)
    np.testing.assert_array_equal(means[2], 0.0)


def test_refusals(genome, monkeypatch):
    with pytest.raises(ValueError, match=r"no algorithm 'CMAES'. Nearest: .*CMA_ES"):
        EvosaxStrategy("CMAES")
    odd = EvosaxStrategy("SV_CMA_ES", 9, settings={"num_populations": 2})
    with pytest.raises(ValueError, match="Use a population of 8"):
        odd.init(genome, key=jax.random.key(0))
    part = sys.modules[EvosaxStrategy.__module__]
    monkeypatch.setitem(sys.modules, "evosax.algorithms", None)
    part._kind.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'neurula\[evosax\]'"):
        EvosaxStrategy("SNES")
    part._kind.cache_clear()
