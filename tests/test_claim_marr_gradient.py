"""Likeness between its ends: invented networks whose places on the scales are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.between_ends import CKA, ERRORS, MEASURES, TUNING, WEIGHTS, Scale
from neurula.claims.implementations import Aimless
from neurula.claims.marr_gradient import AIMLESS, WAYS, MarrGradient
from neurula.contracts import Recording
from neurula.experiment import Outcome
from neurula.measures import cka, kappa, matched_correlation
from neurula.tasks import Digits

CLAIM = MarrGradient()
SEEDS, PICTURES, CELLS = 8, 60, 6


def outcomes(errors=1.0, cells=0.8, weights=0.0):
    """How much of errors, cells and weights is common to all kinds, the rest being their own."""
    rng = np.random.default_rng(0)
    sizes = {"right": (200,), "cells": (PICTURES, CELLS), "weights": (CELLS, 30)}
    shares = {"right": errors, "cells": cells, "weights": weights}
    common = {name: rng.normal(size=size) for name, size in sizes.items()}
    made = {}
    for arm in (*WAYS, AIMLESS):
        kept = {}
        own = {name: rng.normal(size=size) for name, size in sizes.items()}
        for name, size in sizes.items():
            share = shares[name] if arm != AIMLESS else 0.0
            kind = share**0.5 * common[name] + (1 - share) ** 0.5 * own[name]
            kept[name] = kind[None] + 0.4 * rng.normal(size=(SEEDS, *size))
            kept[f"untrained {name}"] = rng.normal(size=(SEEDS, *size))
        for name in ("right", "untrained right"):
            kept[name] = (kept[name] > -1).astype(float)
        as_array = lambda x: jnp.asarray(x, jnp.float32)  # noqa: E731
        made[arm] = Outcome(as_array(np.full(SEEDS, 0.8)), kept=jax.tree.map(as_array, kept))
    return made


@pytest.fixture(scope="module")
def ordered():
    return outcomes()


def test_tables_hold_what_the_measures_say(ordered):
    scale = Scale(ordered, WAYS, AIMLESS)
    kept = [ordered[way].kept for way in (WAYS[1], WAYS[4])]
    cells = [np.asarray(k["cells"], np.float64)[i] for k, i in zip(kept, (2, 5), strict=True)]
    found = {name: scale.trained[name][1, 4, 2, 5] for name in MEASURES}
    right = [np.asarray(k["right"])[i] > 0 for k, i in zip(kept, (2, 5), strict=True)]
    assert found[ERRORS] == pytest.approx(kappa(*right))
    named = {"stimulus": tuple(map(str, range(PICTURES)))}
    recordings = [Recording(x, "cells", labels=named) for x in cells]
    assert found[CKA] == pytest.approx(cka(*recordings))
    for name in MEASURES:
        assert scale.trained[name][4, 1, 5, 2] == found[name]


def test_ends_leave_out_pairs_of_a_seed(ordered):
    """Three kinds drawn, one of them twice; four seeds: by loops over all pairs."""
    scale = Scale(ordered, WAYS, AIMLESS)
    who, what = np.array([[2.0, 1, 1, 0, 0, 0, 0, 0]]), np.array([[1.0, 2, 0, 1, 0, 0, 0, 0]])
    low, found, high = scale.ends(TUNING, who, what[:, :, None] * what[:, None, :])
    table = {True: scale.trained[TUNING], False: scale.untrained[TUNING]}
    totals = {"low": [0.0, 0.0], "found": [0.0, 0.0], "high": [0.0, 0.0]}
    for a in range(8):
        for b in range(8):
            for i in range(8):
                for j in range(8):
                    seeds = what[0, i] * what[0, j] * (i != j)
                    kinds = who[0, a] if a == b else who[0, a] * who[0, b]
                    for end in ("high",) if a == b else ("low", "found"):
                        value = table[end != "low"][a, b, i, j]
                        totals[end][0] += seeds * kinds * value
                        totals[end][1] += seeds * kinds
    for end, ours in (("low", low), ("found", found), ("high", high)):
        assert ours[0] == pytest.approx(totals[end][0] / totals[end][1])


def test_what_is_shared_by_all_lies_at_one_and_what_is_not_at_zero():
    scale = Scale(outcomes(errors=1.0, cells=1.0, weights=0.0), WAYS, AIMLESS)
    for name, place in ((ERRORS, 1), (CKA, 1), (TUNING, 1), (WEIGHTS, 0)):
        assert scale.each_seed(name).mean() == pytest.approx(place, abs=0.06), name
    assert scale.each_way("behaviour").mean() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(
    ("shares", "ruling"),
    [
        ({}, "supported"),
        ({"errors": 0.4}, "refuted"),
        ({"cells": 1.0, "weights": 1.0}, "refuted"),
    ],
)
def test_both_steps_must_hold(shares, ruling):
    evidence = CLAIM.evidence(outcomes(**shares))
    assert evidence.primary.find().ruling == ruling
    assert [gate.held for gate in evidence.gates] == [True] * 3


def test_networks_that_learned_less_close_a_gate(ordered):
    worse = dict(ordered)
    worse[WAYS[3]] = Outcome(jnp.full(SEEDS, 0.6), kept=ordered[WAYS[3]].kept)
    assert [gate.held for gate in CLAIM.evidence(worse).gates] == [False, True, True]


def test_units_are_found_in_any_order():
    rng = np.random.default_rng(1)
    one, noise = rng.normal(size=(2, 400, 7))
    other, silent = -3.0 + 2 * one[:, rng.permutation(7)], np.zeros((400, 7))
    shown = np.stack([one, other, noise, silent])
    found = matched_correlation(shown[:, :200], shown[:, 200:])
    assert found[0, 1] == found[1, 0] == pytest.approx(1)
    assert abs(found[0, 2]) < 0.1
    assert not found[3, :3].any()


def test_aimless_answers_say_nothing_of_the_picture():
    task, keys = Aimless(Digits()), jax.random.split(jax.random.key(0), 400)
    draw = lambda task: jax.jit(jax.vmap(lambda k: task.sample("train", key=k)))(keys)  # noqa: E731
    told, true = draw(task), draw(Digits())
    np.testing.assert_array_equal(told.stimuli, true.stimuli)
    answers, digits = (np.asarray(x.target)[:, 0].argmax(1) for x in (told, true))
    assert set(answers) == set(range(10))
    assert np.mean(answers == digits) < 0.2
