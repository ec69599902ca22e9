"""Evolution as a loop: what it counts, where it stops, what it refuses."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.evolvers import SNES
from neurula.genomes import Weights
from neurula.heredity import AbstractGenome


@pytest.fixture(scope="module")
def genome():
    return Weights(nl.layered([2, 3, 1], key=jax.random.key(0)))


def weights(network):
    return jnp.concatenate([jnp.ravel(p.weight) for p in network.projections])


def sphere(network, *, key):
    return -jnp.sum((weights(network) - 1.0) ** 2)


def test_it_finds_the_top_and_stops_there(genome):
    run = eqx.filter_jit(
        lambda key: nl.evolve(genome, SNES(16), sphere, generations=300, target=-0.01, key=key)
    )
    found = run(jax.random.key(1))
    assert found.solved
    assert found.generations < 300
    lived = int(found.generations) * 16
    assert lived - 16 < found.evaluations <= lived
    best = np.asarray(found.curves["best"])
    assert np.isfinite(best[: found.generations]).all()
    assert np.isnan(best[found.generations :]).all()
    grown = genome.develop(found.genes, key=jax.random.key(2))
    assert sphere(grown, key=None) == pytest.approx(float(found.fitness), abs=1e-5)


def test_runs_side_by_side_are_runs_one_by_one(genome):
    run = lambda key: nl.evolve(  # noqa: E731
        genome, SNES(16), sphere, generations=200, target=-1.0, key=key
    )
    keys = jax.random.split(jax.random.key(3), 3)
    together = eqx.filter_jit(jax.vmap(run))(keys)
    for i in range(3):
        alone = eqx.filter_jit(run)(keys[i])
        assert together.evaluations[i] == alone.evaluations
        np.testing.assert_allclose(together.genes[i], alone.genes, atol=1e-5)


def test_a_run_can_go_on(genome):
    run = lambda state, n: nl.evolve(  # noqa: E731
        genome, SNES(16), sphere, generations=n, state=state, key=jax.random.key(4)
    )
    first = run(None, 30)
    second = run(first.state, 30)
    assert second.fitness > first.fitness


def test_nan_ranks_last_and_is_counted(genome):
    def sometimes(network, *, key):
        return jnp.where(jax.random.bernoulli(key), jnp.nan, sphere(network, key=key))

    found = nl.evolve(genome, SNES(16), sometimes, generations=50, key=jax.random.key(5))
    broken = np.asarray(found.curves["broken"])
    assert 4 < broken.mean() < 12
    assert np.isfinite(np.asarray(found.state.mean)).all()
    assert found.fitness > found.curves["best"][0]


def test_common_random_numbers_are_common(genome):
    luck = lambda network, *, key: jax.random.uniform(key)  # noqa: E731
    spread = lambda common: nl.evolve(  # noqa: E731
        genome, SNES(16), luck, generations=2, common_random_numbers=common,
        watch=lambda state, genes, lives: jnp.std(lives.fitness), key=jax.random.key(6),
    ).watched  # fmt: skip
    assert (np.asarray(spread(True)) < 1e-6).all()
    assert (np.asarray(spread(False)) > 0.1).all()


def test_lamarck_inherits_what_was_learned(genome):
    """A life that doubles its weights: genes of the next generation start from the doubled."""

    def life(network, *, key):
        learned = network.edit(
            lambda p: eqx.tree_at(lambda p: p.weight, p, jnp.ones_like(p.weight))
        )
        return nl.Life(jnp.zeros(()), learned, jnp.asarray(5.0))

    found = nl.evolve(genome, SNES(16), life, generations=1, lamarck=True, key=jax.random.key(7))
    grown = genome.develop(found.genes, key=jax.random.key(0))
    np.testing.assert_allclose(weights(grown), 1.0, atol=1e-6)
    assert float(found.curves["steps"][0]) == 80


def test_refusals(genome):
    key = jax.random.key(0)
    with pytest.raises(ValueError, match="at least one generation"):
        nl.evolve(genome, SNES(16), sphere, generations=0, key=key)
    with pytest.raises(ValueError, match="one number"):
        nl.evolve(genome, SNES(16), lambda n, *, key: weights(n), generations=1, key=key)
    with pytest.raises(ValueError, match="at least 4 genomes"):
        SNES(population=2)

    class Other(AbstractGenome):
        sample = develop = mutate = cross = distance = lambda self, *a, **k: jnp.zeros(())

    with pytest.raises(ValueError, match="evolves vectors of numbers"):
        SNES().init(Other(), key=key)
    with pytest.raises(ValueError, match="cannot be written back"):
        Other().encode(None)
