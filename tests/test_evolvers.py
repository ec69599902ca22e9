"""Evolution strategies against closed forms, other implementations and published figures."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import integrate, stats

import neurula as nl
from neurula.evolvers import CMAES, SNES, GeneticAlgorithm, OpenAIES, RandomSearch
from neurula.evolvers.cma_es import Rates
from neurula.evolvers.genetic_algorithm import Breeders
from neurula.evolvers.ranks import log_utilities
from neurula.heredity import AbstractGenome, AbstractVectorGenome


class Point(AbstractVectorGenome):
    """A place, from which the search starts at 0."""

    dimensions: int
    mutation: float = 0.1

    @property
    def size(self):
        return self.dimensions

    def sample(self, *, key):
        return jax.random.normal(key, (self.dimensions,))

    def develop(self, genes, *, key):
        return genes


class Bits(AbstractGenome):
    """Zeros and ones that never change, but cross."""

    length: int

    def sample(self, *, key):
        return jax.random.bernoulli(key, 0.5, (self.length,))

    def develop(self, genes, *, key):
        return genes

    def mutate(self, genes, *, key):
        return genes

    def cross(self, fitter, other, *, key):
        return jnp.where(jax.random.bernoulli(key, 0.5, fitter.shape), fitter, other)

    def distance(self, one, other):
        return jnp.mean((one != other).astype(jnp.float32))


SLOPE = jnp.asarray([3.0, -4.0, 0.0])  # of length 5


def mean_steps(evolver, count=3000):
    """The mean of the first step of many runs on a slope, and its standard error."""
    genome = Point(3)

    def step(key):
        state, genes = evolver.ask(evolver.init(genome, key=key), genome, key=key)
        return evolver.tell(state, genome, genes, genes @ SLOPE).mean

    steps = np.asarray(jax.jit(jax.vmap(step))(jax.random.split(jax.random.key(0), count)))
    return steps.mean(0), steps.std(0) / np.sqrt(count)


def test_openai_es_climbs_the_gradient_on_average():
    """In closed form, for mirrored normals: E[u e] along the slope is `worth`."""
    n, deviation, rate = 16, 0.5, 0.1
    worth = ((n - 2) / (2 * np.sqrt(np.pi)) + 1 / np.sqrt(2 * np.pi)) / (n - 1)
    expected = rate * worth / deviation * np.asarray(SLOPE) / 5
    mean, error = mean_steps(OpenAIES(n, deviation, optax.sgd(rate)))
    assert (np.abs(mean - expected) < 4 * error).all()
    assert error.max() < 0.05 * np.abs(expected).max()


def test_snes_climbs_the_gradient_on_average():
    """sum_i u_i E[z_(i)] along the slope, with the order statistics of the normal by quadrature."""
    n = 8

    def order(i):  # expectation of the i-th largest of n
        density = lambda x: x * stats.beta.pdf(stats.norm.sf(x), i, n - i + 1) * stats.norm.pdf(x)  # noqa: E731
        return integrate.quad(density, -8, 8)[0]

    utility = np.asarray(log_utilities(jnp.arange(n, 0.0, -1.0)))
    expected = sum(u * order(i + 1) for i, u in enumerate(utility)) * np.asarray(SLOPE) / 5
    mean, error = mean_steps(SNES(n))
    assert (np.abs(mean - expected) < 4 * error).all()
    assert error.max() < 0.05 * np.abs(expected).max()


def test_settings_of_cma_es_are_those_of_the_tutorial():
    """Worked out by hand for 10 genes and Hansen's population of 10."""
    r = Rates.of(10, 10, False)
    np.testing.assert_allclose(r.weights[:5], [0.4563, 0.2708, 0.1622, 0.0852, 0.0255], atol=5e-4)
    assert r.selected == pytest.approx(1 / np.sum(r.weights[:5] ** 2))
    assert r.weights.sum() < 0.01
    assert r.one == pytest.approx(2 / (11.3**2 + r.selected))
    assert r.norm == pytest.approx(stats.chi(10).mean(), rel=1e-3)


@pytest.mark.parametrize("diagonal", [False, True])
def test_cma_es_updates_as_evosax_does(diagonal):
    """The same genes and fitness told to both, for eight generations, with the same rates."""
    algorithms = pytest.importorskip("evosax.algorithms", reason="the extra `evosax`")
    genome, evolver = Point(6), CMAES(10, diagonal=diagonal)
    theirs = algorithms.algorithms["Sep_CMA_ES" if diagonal else "CMA_ES"](10, jnp.zeros(6))
    r = Rates.of(6, 10, diagonal)
    with jax.numpy_dtype_promotion("standard"):
        usual = theirs.default_params
    settings = usual.replace(weights=jnp.asarray(r.weights, jnp.float32), c_1=r.one, c_mu=r.many)
    scale = jnp.asarray(10.0 ** np.arange(0, 3, 0.5), jnp.float32)[None, :]

    @eqx.filter_jit
    def both(state, other, key):
        state, genes = evolver.ask(state, genome, key=key)
        fitness = -jnp.sum((scale * (genes - 1)) ** 2, axis=1)
        _, other = theirs.ask(key, other, settings)
        other, _ = theirs.tell(key, genes, -fitness, other, settings)
        return evolver.tell(state, genome, genes, fitness), other

    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        state = evolver.init(genome, key=jax.random.key(0))
        other = theirs.init(jax.random.key(0), jnp.zeros(6), settings)
        for key in jax.random.split(jax.random.key(3), 8):
            state, other = both(state, other, key)
    np.testing.assert_allclose(state.mean, other.mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(state.deviation, other.std, rtol=1e-3)
    np.testing.assert_allclose(state.path, other.p_c, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(state.covariance, other.C, rtol=2e-3, atol=2e-3)


def lives_until(evolver, landscape, target, size=10, seeds=5, generations=2000):
    run = lambda key: nl.evolve(  # noqa: E731
        Point(size), evolver, landscape, generations=generations, target=-target, key=key
    )
    found = eqx.filter_jit(jax.vmap(run))(jax.random.split(jax.random.key(1), seeds))
    return np.where(found.solved, found.evaluations, np.inf).mean()


def ellipsoid(x):
    return jnp.sum(1e4 ** jnp.linspace(0, 1, x.size) * x**2)


def rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sphere", "ellipsoid", "rosenbrock"])
def test_cma_es_takes_as_many_lives_as_hansens_own(name):
    cma = pytest.importorskip("cma")
    landscape = {"sphere": lambda x: jnp.sum(x**2), "ellipsoid": ellipsoid, "rosenbrock": rosenbrock}[name]  # fmt: skip  # noqa: E501
    shift = 0.0 if name == "rosenbrock" else 1.0
    ours = lives_until(CMAES(10, 0.3), lambda x, *, key: -landscape(x - shift), 1e-4)
    compiled = jax.jit(lambda x: landscape(x - shift))
    theirs = [
        cma.CMAEvolutionStrategy(
            np.zeros(10), 0.3, {"seed": seed, "verbose": -9, "ftarget": 1e-4, "popsize": 10}
        ).optimize(lambda x: float(compiled(jnp.asarray(x, jnp.float32)))).result.evaluations
        for seed in range(1, 6)
    ]  # fmt: skip
    assert ours == pytest.approx(np.mean(theirs), rel=0.25)


@pytest.mark.slow
def test_only_the_full_covariance_does_not_mind_a_turn():
    """Ros & Hansen (2008): variances alone learn an ellipsoid along the axes, not a turned one."""
    turn = jnp.asarray(stats.ortho_group.rvs(10, random_state=0), jnp.float32)
    along = lambda x, *, key: -ellipsoid(x - 1)  # noqa: E731
    turned = lambda x, *, key: -ellipsoid(turn @ (x - 1))  # noqa: E731
    lives = {
        (diagonal, landscape): lives_until(CMAES(10, diagonal=diagonal), landscape, 1e-2, seeds=3)
        for diagonal in (False, True) for landscape in (along, turned)
    }  # fmt: skip
    assert lives[False, turned] == pytest.approx(lives[False, along], rel=0.3)
    assert lives[True, along] < 0.7 * lives[False, along]
    assert lives[True, turned] > 3 * lives[False, turned]


def shares(evolver, worth, fit):
    """The share of the fittest after one generation, of a share `worth` before."""
    genome, count = Bits(1), evolver.population
    genes = (jnp.arange(count) < round(worth * count))[:, None]
    fitness = jnp.where(genes[:, 0], fit, 1.0)
    state = Breeders(genes, fitness, jnp.ones((), jnp.int32))
    breed = jax.jit(lambda state, key: evolver.ask(state, genome, key=key)[1])
    children = breed(state, jax.random.key(0))
    return float(np.mean(np.asarray(children, np.float32)))


def test_how_fast_the_fittest_take_over():
    """Goldberg & Deb (1991): 1 - (1 - p)^s, p / breeding, p f / mean fitness."""
    plain = {"population": 20_000, "crossing": 0.0, "elite": 0}
    assert shares(GeneticAlgorithm(**plain, tournament=3), 0.1, 2.0) == pytest.approx(
        1 - 0.9**3, abs=0.01
    )
    assert shares(GeneticAlgorithm(**plain, tournament=1, breeding=0.25), 0.1, 2.0) == (
        pytest.approx(0.4, abs=0.015)
    )
    assert shares(GeneticAlgorithm(**plain, selection="proportional"), 0.1, 4.0) == (
        pytest.approx(0.4 / 1.3, abs=0.015)
    )
    # Nobody is favoured where all are alike, whatever their order.
    assert shares(GeneticAlgorithm(**plain), 0.3, 1.0) == pytest.approx(0.3, abs=0.015)


def test_onemax_goes_as_published():
    """Muhlenbein & Schlierkamp-Voosen (1993): ones (1 + sin(I t / sqrt n)) / 2, I = 1 / sqrt pi."""
    evolver = GeneticAlgorithm(1000, tournament=2, crossing=1.0, elite=0)
    ones = lambda genes, *, key: jnp.sum(genes.astype(jnp.float32))  # noqa: E731
    found = eqx.filter_jit(
        lambda key: nl.evolve(Bits(64), evolver, ones, generations=20, key=key)
    )(jax.random.key(0))  # fmt: skip
    expected = 0.5 * (1 + np.sin(np.arange(20) / np.sqrt(np.pi) / 8))
    np.testing.assert_allclose(
        np.asarray(found.curves["mean"]) / 64, expected, atol=0.04
    )  # no linkage


def test_the_elite_goes_on_unchanged():
    genome, evolver = Point(3), GeneticAlgorithm(8, elite=2)
    state, genes = evolver.ask(
        evolver.init(genome, key=jax.random.key(0)), genome, key=jax.random.key(1)
    )
    told = jnp.asarray([1.0, -jnp.inf, 9.0, 2.0, 8.0, 0.0, 3.0, -jnp.inf])
    _, children = evolver.ask(evolver.tell(state, genome, genes, told), genome, key=jax.random.key(2))  # fmt: skip  # noqa: E501
    np.testing.assert_array_equal(children[:2], genes[jnp.asarray([2, 4])])
    assert not (children[2:, None] == genes[None]).all(-1).any()


@pytest.mark.parametrize("evolver", [SNES(8), CMAES(8), CMAES(8, diagonal=True), OpenAIES(8, 1.0, optax.sgd(np.inf))], ids=["snes", "cma", "sep", "openai"])  # fmt: skip  # noqa: E501
def test_who_diverges_keeps_the_last_finite_state_and_says_so(evolver):
    """On a slope without end every step size grows until no number can hold it."""
    up = lambda genes, *, key: jnp.sum(genes)  # noqa: E731
    found = eqx.filter_jit(
        lambda key: nl.evolve(Point(3), evolver, up, generations=2000, key=key)
    )(jax.random.key(0))  # fmt: skip
    assert found.state.refused > 0
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(eqx.filter(found.state, eqx.is_array)))


@pytest.mark.parametrize("evolver", [SNES(8), OpenAIES(8)], ids=["snes", "openai"])
def test_where_nobody_has_a_fitness_nothing_moves(evolver):
    genome = Point(3)
    start = evolver.init(genome, key=jax.random.key(0))
    state, genes = evolver.ask(start, genome, key=jax.random.key(1))
    after = evolver.tell(state, genome, genes, jnp.full(8, -jnp.inf))
    np.testing.assert_allclose(after.mean, 0.0, atol=1e-6)


def test_random_search_draws_what_the_genome_samples():
    found = nl.evolve(
        Bits(100), RandomSearch(50), lambda genes, *, key: jnp.mean(genes.astype(jnp.float32)),
        generations=20, key=jax.random.key(0),
    )  # fmt: skip
    assert float(found.curves["mean"].mean()) == pytest.approx(0.5, abs=0.01)


def test_refusals():
    with pytest.raises(ValueError, match="pairs of mirrored genomes"):
        OpenAIES(population=5)
    with pytest.raises(ValueError, match="at least 4 genomes"):
        CMAES(population=3)
    with pytest.raises(ValueError, match="an elite smaller than its population"):
        GeneticAlgorithm(population=4, elite=4)
    with pytest.raises(ValueError, match="at least 1 genome in a generation"):
        RandomSearch(0)
