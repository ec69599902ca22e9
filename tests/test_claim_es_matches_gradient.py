"""The pieces of the experiment of evolution strategies against SGD; not its verdict."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.builders import layered
from neurula.claims import EsMatchesGradient
from neurula.claims.es_matches_gradient import (
    BACKWARD,
    BRAIN,
    EVOLVED,
    LONGER,
    POPULATIONS,
    RANDOM,
    SGD,
    SHUFFLED,
    WORLDS,
)
from neurula.claims.prices import first_reached, score_for
from neurula.claims.rewarded import GOALS, by_evolution
from neurula.experiment import Outcome
from neurula.genomes import Weights
from neurula.tasks import Digits

KEY = jax.random.key(0)
CLAIM = EsMatchesGradient()
SEEDS = 10


def middle(arm):
    """Settings in the middle of their ranges."""
    return {
        name: jnp.float32((limits.low * limits.high) ** 0.5 if limits.log else 0.7)
        for name, limits in CLAIM.space(arm).items()
    }


@functools.cache
def way(arm, hidden=32):
    genome = Weights(layered([64, hidden, 10], key=KEY), around=True)
    return CLAIM.way(arm, middle(arm), genome), genome


def seen(pictures):
    draw = lambda k: Digits().sample("train", key=k)  # noqa: E731
    return jax.jit(jax.vmap(draw))(jax.random.split(KEY, pictures))


def test_all_ways_to_evolve_spend_100_times_what_sgd_spends():
    spent = {arm: way(arm)[0].price * way(arm)[0].updates for arm in (SGD, LONGER, *POPULATIONS)}
    assert spent.pop(SGD) == 1024 * 32 * (1 + BACKWARD) == 98_304
    assert spent.pop(LONGER) == 983_040
    assert set(spent.values()) == {9_830_400}
    assert way(SGD)[1].size == 2410  # as the sentence says


def test_ways_to_evolve_see_the_same_pictures():
    assert {way(arm)[0].pictures for arm in POPULATIONS if arm != RANDOM} == {128}


@pytest.mark.slow
def test_sgd_goes_down_the_gradient_that_backprop_by_hand_finds():
    """One step from rest, against NumPy's chain rule for tanh cells and a softmax."""
    sgd, genome = way(SGD)
    pictures, rate = seen(8), float(middle(SGD)["rate"])
    state = eqx.filter_jit(sgd.update)(sgd.begin, pictures, KEY)
    new = genome.develop(sgd.answer(state), key=KEY)
    first, second = (np.asarray(p.weight, np.float64) for p in genome.brain.projections)
    x = np.asarray(pictures.stimuli[:, 0], np.float64)
    told = np.asarray(pictures.target[:, 0], np.float64)
    hidden = np.tanh(x @ first.T)
    said = np.exp(hidden @ second.T)
    wrong = (said / said.sum(1, keepdims=True) - told) / len(x)
    wants = wrong.T @ hidden, ((wrong @ second) * (1 - hidden**2)).T @ x
    for projection, old, slope in zip(new.projections, (first, second), wants[::-1], strict=True):
        np.testing.assert_allclose(np.asarray(projection.weight) - old, -rate * slope, atol=2e-6)


def cosine_with_gradient(arm):
    """Of the first step of an arm with SGD's on the same pictures, in a net of 160 weights."""
    evolved, _ = way(arm, hidden=2)
    sgd, _ = way(SGD, hidden=2)
    pictures = seen(128)
    step = lambda w: w.answer(eqx.filter_jit(w.update)(w.begin, pictures, KEY))  # noqa: E731
    mine, best = step(evolved), step(sgd)
    return float(mine @ best / jnp.linalg.norm(mine) / jnp.linalg.norm(best))


@pytest.mark.slow
def test_evolution_steps_downhill_and_the_sham_does_not():
    """512 mutants in 160 dimensions: the estimate points down at 0.85, its signs at about 0.5."""
    assert cosine_with_gradient(BRAIN) > 0.35
    assert abs(cosine_with_gradient(SHUFFLED)) < 0.25  # three standard deviations of chance


@pytest.mark.slow
def test_evolution_in_catch_counts_every_step_of_every_mutant():
    settings = {"rate": jnp.float32(0.1), "deviation": jnp.float32(0.1)}
    how = {"population": 32, "generations": 2, "probes": 2}
    found = by_evolution("Catch", settings, **how, key=KEY)
    assert list(found["steps"]) == [32 * 8 * 9, 2 * 32 * 8 * 9]  # a ball falls for nine steps


def test_a_price_lies_between_two_probes_on_a_logarithmic_scale():
    paid = np.tile([100.0, 10_000.0, 20_000.0], (3, 1))
    score = np.array([[0.8, 1.0, 1.0], [0.95, 0.2, 0.2], [0.1, 0.2, 0.3]])
    np.testing.assert_allclose(first_reached(paid, score, 0.9), [1000.0, 100.0, 20_000.0])


def test_a_score_for_a_price_is_known_inside_of_what_was_tried():
    paid, score = np.array([[10.0, 1000.0]]), np.array([[0.2, 0.6]])
    found = score_for(paid, score, np.array([1.0, 100.0, 2000.0]))
    np.testing.assert_allclose(found, [[np.nan, 0.4, np.nan]])


def outcomes(final=None, dear=100.0):
    """Outcomes with 95 % but for `final`; evolution pays `dear` times as much for 90 %."""
    noise = np.random.default_rng(0).normal(0, 1e-3, (len(CLAIM.arms), SEEDS))
    found = {}
    for arm, wobble in zip(CLAIM.arms, noise, strict=True):
        if arm in WORLDS:
            how, world = WORLDS[arm]
            start = 300.0 * (10 if how == "ES" else 1)
            curve = np.tile([0.0, 2 * GOALS[world]], (SEEDS, 1))
        else:
            end = (final or {}).get(arm, 0.95) + wobble
            start = 300.0 * (1.0 if arm in (SGD, LONGER) else dear)
            curve = np.stack([np.full(SEEDS, 0.5), end], 1)
        paid = np.tile([start, 100 * start], (SEEDS, 1))
        kept = {"passes": jnp.asarray(paid, jnp.float32), "test": jnp.asarray(curve, jnp.float32)}
        found[arm] = Outcome(kept["test"][:, -1], kept["test"][:, -1], kept=kept)
    return found


LOST = {SHUFFLED: 0.1, RANDOM: 0.4}


def test_evidence_judges_both_parts_of_the_sentence():
    found = CLAIM.evidence(outcomes(LOST | {BRAIN: 0.92}))
    assert found.primary.decide().ruling == "refuted"
    assert found.primary.decide().estimate == pytest.approx(-3.0, abs=0.1)  # points
    cheap = CLAIM.evidence(outcomes(LOST, dear=5.0)).primary.decide()
    assert cheap.ruling == "refuted"
    assert cheap.estimate == pytest.approx(np.log10(5), abs=0.01)
    both = CLAIM.evidence(outcomes(LOST))
    assert both.primary.decide().ruling == "supported"
    assert all(gate.held for gate in both.gates)
    effects = {name: test.decide().estimate for name, test in both.secondary.items()}
    assert effects["price of 90 %"] == pytest.approx(2.0, abs=0.01)
    assert effects["price in Catch"] == pytest.approx(1.0, abs=0.01)
    assert effects["price falls from digits to Catch, populations of 32"] == pytest.approx(
        1.0, abs=0.01
    )
    assert effects["lead of SGD for the passes of SGD"] == pytest.approx(45.0, abs=0.2)


@pytest.mark.parametrize(
    ("final", "held"),
    [
        (LOST | {SGD: 0.85, LONGER: 0.85}, [False, True, True]),
        (LOST | {LONGER: 0.96}, [True, False, True]),
        (LOST | {SHUFFLED: 0.7}, [True, True, False]),
    ],
)
def test_gates_fall(final, held):
    assert [gate.held for gate in CLAIM.evidence(outcomes(final)).gates] == held


def test_the_figure_shows_every_way_on_digits():
    figure = CLAIM.figure(outcomes(LOST))
    named = {trace.name for trace in figure.data if trace.name}
    assert {*EVOLVED, SGD} <= named
    assert not named & set(WORLDS)
    assert figure.layout.xaxis.type == "log"
