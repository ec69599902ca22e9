"""Known facts about the pieces of masking-interrupts; not what it finds."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula import respond, trainable
from neurula.claims.masking_interrupts import AFTER, SOONER, MaskingInterrupts, costs
from neurula.claims.readers import network
from neurula.costs import flops
from neurula.experiment import Outcome
from neurula.shares import share

SETTINGS = {"rate": 1e-2, "gain": 1.5, "tau": 2.0, "loop": 0.5}
TINY = MaskingInterrupts(width=4, updates=4, batch=4)
KEY = jax.random.key(0)


def settings(arm):
    return {name: jnp.float32(SETTINGS[name]) for name in TINY.space(arm)}


@pytest.mark.parametrize("arm", ["recurrent", "lateral", "feed-forward"])
def test_the_numbers_printed_in_the_arms(arm):
    claim, says = MaskingInterrupts(), MaskingInterrupts.arms[arm].says
    make = lambda: network(arm, claim.width, settings(arm), key=KEY)  # noqa: E731
    outline = eqx.filter_eval_shape(make)
    weights, rest = eqx.partition(outline, lambda x: isinstance(x, jax.ShapeDtypeStruct))
    looks = 1 if arm == "feed-forward" else claim.looks
    play = lambda w, x: respond(eqx.combine(w, rest), x)  # noqa: E731
    operations = flops(play, weights, jnp.zeros((looks, 64)))
    learned = eqx.filter_eval_shape(lambda: trainable(make()))
    size = sum(leaf.size for leaf in jax.tree.leaves(learned))
    parameters = int(re.search(r"([\d,]+) parameters", says)[1].replace(",", ""))
    assert size == parameters
    assert round(operations / 1000) == int(re.search(r"(\d+) thousand operations", says)[1])


def test_a_mask_lasts_as_long_whenever_it_comes():
    assert TINY.looks == 12
    assert AFTER[-1] + TINY.lasts == TINY.looks
    np.testing.assert_allclose(SOONER, [1, 2 / 3, 1 / 3, 0])


@pytest.mark.parametrize("shape", [(5, 2, 200, 12), (3, 597, 12)])
def test_shares_are_exact(shape):
    """Where the mean of booleans over an axis in the middle is not (jax 0.10.1 on a CPU)."""
    right = np.random.default_rng(0).random((3, *shape)) < 0.9
    flat = jnp.asarray(right.reshape(3, -1, 12))  # with jnp.mean it goes wrong after a reshape
    found = jax.jit(jax.vmap(lambda x: share(x.reshape(shape), len(shape) - 2)))(flat)
    np.testing.assert_allclose(found, right.mean(-2), rtol=1e-5)


@pytest.fixture(scope="module")
def lived():
    """Every arm with one seed, hardly taught."""
    run = lambda arm: jax.jit(lambda key: TINY.run(arm, settings(arm), key=key))(KEY)  # noqa: E731
    return {arm: run(arm) for arm in ("recurrent", "feed-forward", "blank")}


@pytest.mark.slow
def test_feed_forward_loses_nothing_by_construction(lived):
    kept = lived["feed-forward"].kept
    np.testing.assert_array_equal(kept["on"], kept["off"])
    np.testing.assert_array_equal(kept["looks"], np.tile(kept["looks"][:, :1], 12))


@pytest.mark.slow
def test_the_sham_is_the_recurrent_network(lived):
    """Same weights, same pictures: only what follows the picture differs."""
    brain, sham = lived["recurrent"], lived["blank"]
    np.testing.assert_array_equal(brain.kept["on"], sham.kept["on"])
    np.testing.assert_array_equal(brain.kept["looks"], sham.kept["looks"])
    np.testing.assert_array_equal(brain.tuning, sham.tuning)
    assert (np.asarray(brain.kept["off"]) != np.asarray(sham.kept["off"])).any()


@pytest.mark.slow
def test_what_a_run_leaves(lived):
    for outcome in lived.values():
        assert outcome.kept["looks"].shape == (2, 12)
        assert outcome.kept["on"].shape == outcome.kept["off"].shape == (2, 4)
        np.testing.assert_array_equal(outcome.kept["on"], outcome.kept["looks"][:, [4, 5, 7, 11]])
        np.testing.assert_allclose(outcome.score, np.mean(outcome.kept["off"][0]), rtol=1e-6)
        tuned = np.mean([outcome.curves[name][-1] for name in ("on", "off")])
        assert outcome.tuning == pytest.approx(tuned, rel=1e-6)


# ---- from runs to evidence -----------------------------------------------------------------------


def outcome(part, whole, *, on=(60.0, 96.0), seeds=10):
    """An arm that loses so much, (after 1, after 8) looks, at 25 % and at 100 % visible."""
    rng = np.random.default_rng(0)
    steps = np.log2(AFTER) / 3
    cost = np.stack([np.interp(steps, (0, 1), ends) for ends in (part, whole)])
    here = np.array(on)[:, None] + rng.normal(0, 0.3, (seeds, 2, 1))
    looks = here + np.linspace(-5, 0, 12)
    kept = {"on": here + np.zeros((1, 1, 4)), "off": here - cost, "looks": looks}
    kept = {name: jnp.asarray(x / 100, jnp.float32) for name, x in kept.items()}
    return jax.tree.map(np.asarray, Outcome(kept["off"][:, 0].mean(-1), kept=kept))


def evidence(part, whole, blank=((1, 1), (1, 1)), **more):
    arms = {
        "recurrent": outcome(part, whole, **more),
        "lateral": outcome(part, whole),
        "feed-forward": outcome((0, 0), (0, 0)),
        "blank": outcome(*blank, **more),
    }
    found = MaskingInterrupts().evidence(arms)
    return found, found.primary.decide(), arms


def test_costs_are_what_the_mask_takes():
    arm = outcome((20, 2), (10, 1))
    np.testing.assert_allclose(costs(arm).mean(0), [[20, 14, 8, 2], [10, 7, 4, 1]], atol=1e-3)
    on, off = 0.96, 0.86
    odds = np.log(on / (1 - on)) - np.log(off / (1 - off))
    assert costs(arm, odds=True)[:, 1, 0].mean() == pytest.approx(odds, abs=0.05)


def test_a_surplus_that_falls_with_time_is_supported():
    found, ruling, _ = evidence((20, 2), (10, 1))
    assert ruling.ruling == "supported"
    assert [gate.held for gate in found.gates] == [True] * 4
    decided = {name: test.decide() for name, test in found.secondary.items()}
    assert decided["surplus after one look"].estimate == pytest.approx(10, abs=1e-3)
    assert decided["rise of the surplus, 8 looks to one"].estimate == pytest.approx(9, abs=1e-3)
    assert decided["rise of the cost, 25 % visible"].estimate == pytest.approx(18, abs=1e-3)
    assert decided["looking on helps at 25 % visible, unmasked"].estimate == pytest.approx(5)


@pytest.mark.parametrize(
    ("part", "whole", "blank"),
    [
        ((20, 2), (20, 2), ((1, 1), (1, 1))),  # whole images suffer equally
        ((20, 2), (50, 30), ((1, 1), (1, 1))),  # the surplus rises, but is negative
        ((20, 19), (10, 9), ((1, 1), (1, 1))),  # the surplus is there, at whatever time
        ((20, 2), (10, 1), ((20, 2), (10, 1))),  # a blank does the same
    ],
)
def test_what_refutes(part, whole, blank):
    assert evidence(part, whole, blank)[1].ruling == "refuted"


def test_gates():
    found, _, _ = evidence((1, 0), (1, 0), ((9, 8), (9, 8)), on=(20.0, 85.0))
    assert [gate.held for gate in found.gates] == [False] * 4
    assert found.gates[3].found == "1.0 points"


def test_figure_has_a_line_for_both_visibilities():
    figure = MaskingInterrupts().figure(evidence((20, 2), (10, 1))[2])
    names = {trace.name for trace in figure.data if trace.name}
    assert names >= {"recurrent, 25 %", "recurrent, whole", "blank, whole", "feed-forward"}
