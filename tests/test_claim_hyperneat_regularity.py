"""Problems of known regularity, and codes that differ only in what their arms say."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.hyperneat_regularity import (
    LARGEST,
    LEVELS,
    PAINTED,
    PROBLEMS,
    HyperneatRegularity,
    direct,
)
from neurula.experiment import Outcome
from neurula.genomes import HyperNeat, Weights, sandwich
from neurula.neurons import Rate

KEY = jax.random.key(0)
CLAIM = HyperneatRegularity()
CELLS = CLAIM.side**2
SHEETS = sandwich([(CLAIM.side, CLAIM.side)] * 2, output=Rate("identity"))
SETTINGS = {"step": jnp.float32(0.5), "mutation": jnp.float32(0.1), "deviation": jnp.float32(1.0)}


@pytest.fixture(scope="module")
def problems():
    """For fitness and for the exam, (problem, level)."""
    return eqx.filter_jit(CLAIM.problems)(key=KEY)


@eqx.filter_jit
def tried(problem, weight):
    """Fitness of these weights, (problem, level)."""
    network = eqx.tree_at(lambda n: n.projections[0].weight, SHEETS, weight)
    return jax.vmap(jax.vmap(lambda one: one(network, key=KEY)))(problem)


def test_targets_have_the_share_of_regular_weights_that_is_asked(problems):
    targets = np.asarray(problems[0].target[0])
    value = targets[-1, 0, 0]
    assert 1 <= value <= LARGEST
    regular = targets == value
    assert regular.sum((1, 2)).tolist() == np.round(np.array(LEVELS) * CELLS**2).tolist()
    assert (np.diff(regular.astype(int), axis=0) >= 0).all()  # the same ones at lower levels
    for low, high in itertools.pairwise(targets):
        kept = high != value
        np.testing.assert_array_equal(low[kept], high[kept])
    assert np.abs(targets).max() <= LARGEST


def test_outputs_ask_for_their_own_place_as_often_as_is_asked(problems):
    sources = np.asarray(problems[0].source[1])
    assert (np.sort(sources, axis=1) == np.arange(CELLS)).all()  # each input is asked for once
    stay = (sources == np.arange(CELLS)).sum(1)
    assert stay.tolist() == np.round(np.array(LEVELS) * CELLS).tolist()


def test_the_exam_has_the_same_answers_to_other_stimuli(problems):
    fit, exam = problems
    np.testing.assert_array_equal(fit.target, exam.target)
    np.testing.assert_array_equal(fit.source, exam.source)
    assert not np.array_equal(fit.patterns, exam.patterns)
    assert (np.abs(fit.patterns) == 1).all()


def test_fitness_of_known_weights(problems):
    """Nothing 0, the answer 1, its opposite -1, and random weights as counted in NumPy."""
    fit, _ = problems
    drawn = np.random.default_rng(0).normal(size=(CELLS, CELLS)).astype(np.float32)
    np.testing.assert_array_equal(tried(fit, jnp.zeros((CELLS, CELLS))), 0)
    found = np.asarray(tried(fit, jnp.asarray(drawn)))
    for level in range(len(LEVELS)):
        target = np.asarray(fit.target[0, level])
        source = np.asarray(fit.source[1, level])
        copy = np.eye(CELLS, dtype=np.float32)[source]
        for sign in (1, -1):
            assert tried(fit, jnp.asarray(sign * target))[0, level] == pytest.approx(sign)
            assert tried(fit, jnp.asarray(sign * copy))[1, level] == pytest.approx(sign)
        off = np.abs(drawn - target).sum() / np.abs(target).sum()
        assert found[0, level] == pytest.approx(max(1 - off, -1), abs=1e-5)
        bits = np.asarray(fit.patterns[1, level])
        right = np.mean((bits @ drawn.T > 0) == (bits[:, source] > 0))
        assert found[1, level] == pytest.approx(2 * right - 1, abs=1e-5)


@pytest.fixture(scope="module")
def painted():
    """The weights that the same genes paint with the true and with shuffled places."""
    true, dealt = (CLAIM.genome(a, SETTINGS, key=KEY) for a in ("hyperneat", "shuffled"))

    @eqx.filter_jit
    def paint(key):
        genes = true.sample(key=key)
        genes = eqx.tree_at(lambda g: g.weight, genes, 3 * genes.weight)
        brains = (genome.develop(genes, key=key) for genome in (true, dealt))
        return [brain.projections[0].weight for brain in brains]

    return true, dealt, jax.tree.map(np.asarray, paint(KEY))


def test_shuffled_places_shuffle_rows_and_columns_of_the_weights(painted):
    """The places of one arm are those of the other in another order, and so are the weights."""
    true, dealt, (weights, shuffled) = painted
    rows, columns = (order_of(dealt, true, name) for name in ("output", "input"))
    assert sorted(rows) == sorted(columns) == list(range(CELLS))
    assert list(rows) != list(columns)
    np.testing.assert_allclose(shuffled, weights[rows][:, columns], atol=1e-6)
    assert weights.std() > 0.1
    assert np.abs(weights).max() <= LARGEST


def order_of(one, other, population):
    """Where the places of one genome's population are found in that of another."""
    mine, theirs = (
        np.asarray(g.substrate.populations[population].positions.places) for g in (one, other)
    )
    return [int(np.flatnonzero((theirs == place).all(1))[0]) for place in mine]


def test_polynomials_know_no_waves():
    pattern = CLAIM.genome("polynomial", SETTINGS, key=KEY).pattern
    assert set(pattern.nonlinearities) == {"identity", "square"}
    assert pattern.output == "identity"
    waves = CLAIM.genome("hyperneat", SETTINGS, key=KEY).pattern
    assert {"sin", "gaussian"} <= set(waves.nonlinearities)
    assert pattern.step == waves.step == 0.5


@pytest.mark.parametrize("arm", ["ft-neat", "cma-es"])
def test_direct_codes_have_a_gene_for_every_weight(arm):
    genome = CLAIM.genome(arm, SETTINGS, key=KEY)
    assert isinstance(genome, Weights)
    assert genome.size == CELLS**2
    assert all(isinstance(CLAIM.genome(a, SETTINGS, key=KEY), HyperNeat) for a in PAINTED)


def test_a_direct_code_goes_on_from_what_was_painted(painted):
    weight = jnp.asarray(painted[2][0])
    sheets = eqx.tree_at(lambda n: n.projections[0].weight, SHEETS, weight)
    code = direct(sheets, SETTINGS)
    grown = eqx.filter_jit(lambda genes: code.develop(genes, key=KEY))(jnp.zeros(CELLS**2))
    np.testing.assert_array_equal(grown.projections[0].weight, weight)
    assert code.mutation == SETTINGS["mutation"]


@pytest.mark.slow
def test_a_hybrid_begins_its_second_half_where_the_first_ended():
    """Fitness is certain, and the first of the second half is the champion itself."""
    claim = HyperneatRegularity(side=2, population=8, generations=6)
    one = jax.tree.map(lambda x: x[0, -1], claim.problems(key=KEY)[0])
    evolved = eqx.filter_jit(lambda p, key: claim.evolved("hybrid", SETTINGS, p, key=key)[2])
    best = np.asarray(evolved(one, KEY))
    assert best.shape == (6,)
    assert best[3] >= best[:3].max() - 1e-6


# ---- the ruling -------------------------------------------------------------------------------

FLAT = np.full((2, 5), 0.4)
RISING = np.broadcast_to(np.linspace(0.2, 0.9, 5), (2, 5))


def outcomes(**fitness):
    """FT-NEAT is flat at 0.4, HyperNEAT rises from 0.2 to 0.9, or as told; ten seeds scatter."""
    rng = np.random.default_rng(0)
    usual = {"hyperneat": RISING, "hybrid": RISING, "polynomial": RISING}
    made = {}
    for arm in HyperneatRegularity.arms:
        values = (usual | fitness).get(arm, FLAT) + rng.normal(0, 0.01, (10, 2, 5))
        kept = {"fitness": jnp.asarray(values), "first": jnp.full((10, 2, 5), 0.1)}
        made[arm] = Outcome(jnp.asarray(values.mean((1, 2))), kept=kept)
    return made


@pytest.mark.parametrize(
    ("fitness", "ruling"),
    [
        ({}, "supported"),
        ({"ft-neat": RISING - 0.1 * np.ones((2, 5))}, "refuted"),  # ahead, but not by the more
        ({"ft-neat": FLAT - 0.3}, "refuted"),  # never behind
        ({"shuffled": RISING}, "refuted"),  # places do not matter
    ],
)
def test_all_three_parts_have_to_hold(fitness, ruling):
    evidence = CLAIM.evidence(outcomes(**fitness))
    assert evidence.primary.decide().ruling == ruling


def test_gates_close_where_nobody_learns():
    held = [gate.held for gate in CLAIM.evidence(outcomes()).gates]
    assert held == [True, True]
    poor = {"ft-neat": FLAT - 0.29, "hyperneat": FLAT}
    held = [gate.held for gate in CLAIM.evidence(outcomes(**poor)).gates]
    assert held == [False, False]


def test_problems_are_both_counted():
    assert len(PROBLEMS) == 2
    one = outcomes(**{"hyperneat": np.stack([RISING[0], FLAT[0]])})
    found = CLAIM.evidence(one).secondary["the lead over FT-NEAT grows"].decide()
    assert found.estimate == pytest.approx(0.35, abs=0.02)
