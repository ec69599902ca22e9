"""The inference on models against rsatoolbox, statsmodels and what is known under the null."""

import json

import numpy as np
import pytest
from representations import made, named
from scipy import stats

from neurula import free_memory
from neurula.measures import (
    benjamini_hochberg,
    holm,
    noise_ceiling,
    score_models,
)


def test_scores_of_models_with_intervals_and_tests(toolbox):
    models, brain = made(stimuli=12, subjects=6)
    found = score_models(named(models, "m"), named(brain, "s"), "cosine", resamples=400)
    assert found.degrees == 5
    assert (found.low < found.score).all()
    assert (found.score < found.high).all()
    np.testing.assert_allclose(found.score, found.raw.mean(1))
    tests = toolbox.util.inference_util
    score, (one, other) = found.score[None], np.triu_indices(4, 1)
    expected = tests.t_tests(score, found.difference_variance[one, other], 5)
    np.testing.assert_allclose(found.differ.raw, expected, atol=1e-12)
    expected = tests.t_test_0(score, found.variance, 5)
    np.testing.assert_allclose(found.above_zero.raw, expected, atol=1e-12)
    expected = tests.t_test_nc(score, found.ceiling_variance, found.ceiling[0], 5)
    np.testing.assert_allclose(found.from_ceiling.raw, expected, atol=1e-12)
    np.testing.assert_allclose(found.differ.holm[one, other], holm(found.differ.raw[one, other]))
    half = stats.t.ppf(0.975, 5) * np.sqrt(found.variance)
    np.testing.assert_allclose(found.high - found.score, half)


def test_results_are_plain_and_repeatable():
    models, brain = made()
    found = score_models(named(models, "m"), named(brain, "s"), resamples=50)
    again = score_models(named(models, "m"), named(brain, "s"), resamples=50)
    text = json.dumps(found.to_json())
    assert text == json.dumps(again.to_json())
    assert json.loads(text)["above_zero"]["holm"] == found.above_zero.holm.tolist()
    assert [row["model"] for row in found.rows()] == ["m0", "m1", "m2", "m3"]
    assert "rho-a of dissimilarities, mean over 5 subject(s)" in found.table()
    assert f"noise ceiling: {found.ceiling[0]:.3f} to {found.ceiling[1]:.3f}" in found.table()


def test_one_subject_has_no_ceiling_and_this_is_said():
    models, brain = made(subjects=1)
    found = score_models(named(models, "m"), named(brain, "s"), resamples=50)
    assert found.ceiling is None
    assert found.from_ceiling is None
    assert found.degrees == 9
    assert (found.low < found.high).all()
    assert "One subject: there is no noise ceiling" in found.table()
    json.dumps(found.to_json())
    with pytest.raises(ValueError, match=r"at least two subjects, but got 1.*Give more subjects"):
        noise_ceiling(named(brain, "s"))


def test_missing_pairs_and_sessions_are_said():
    models, brain = made()
    brain[1, [0, 7]] = np.nan
    twice = np.stack([brain, brain + 1], 1)
    found = score_models(named(models, "m"), named(twice, "s"), "correlation", resamples=50)
    assert found.pairs == 43
    assert "2 of 45 pairs are missing" in found.table()
    assert "Up to 2 sessions of each subject were averaged" in found.table()
    alone = score_models(named(models, "m"), named(brain, "s"), "correlation", resamples=50)
    np.testing.assert_allclose(found.score, alone.score, atol=1e-12)


@pytest.mark.slow
def test_null_models_are_called_at_the_stated_rate():
    """Models that have nothing to do with the brain: one in twenty is above zero at 5 %."""
    calls = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        patterns = rng.normal(size=(1, 20, 6)) + 0.5 * rng.normal(size=(8, 20, 6))
        far = lambda x: ((x[:, None] - x) ** 2).sum(-1)[np.triu_indices(20, 1)]  # noqa: E731
        brain = named(np.stack([far(x) for x in patterns]), "s")
        models = named(np.stack([far(x) for x in rng.normal(size=(5, 20, 6))]), "m")
        found = score_models(models, brain, "correlation", resamples=200)
        calls += (found.above_zero.raw < 0.05).tolist()
    assert np.mean(calls) < 0.07


def test_corrections_are_those_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).random(20) ** 3
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1])


def refused(models, brain, **how):
    score_models(named(models, "m"), brain, **how)


def test_what_cannot_be_scored_is_refused(monkeypatch):
    models, brain = made()
    other = named(brain, "s", stimuli=(*(f"s{k}" for k in range(9)), "x"))
    with pytest.raises(ValueError, match=r"lacks 1 of the second \(\['x'\]\).*'s9'.*select"):
        refused(models, other)
    with pytest.raises(ValueError, match=r"at least 4 stimuli, but got 3: that is 3 pairs.*Take"):
        refused(models[:, :3], named(brain[:, :3], "s"))
    flat = np.vstack([models, np.ones((1, 45))])
    with pytest.raises(ValueError, match=r"\['m4'\] have zero variance.*leave these rows out"):
        refused(flat, named(brain, "s"))
    assert score_models(named(flat, "m"), named(brain, "s"), "cosine", resamples=9).score[4] > 0
    brain[:, 4:] = np.nan
    with pytest.raises(ValueError, match=r"share 4 of 45 pairs.*at least 6.*Leave out"):
        refused(models, named(brain, "s"))
    brain[2, 1] = np.inf
    with pytest.raises(ValueError, match=r"\['s2'\] have infinite.*np.where"):
        refused(models, named(brain, "s"))
    monkeypatch.setattr(free_memory, "available", lambda: 2**20)
    with pytest.raises(MemoryError, match=r"9 rows of 45 dissimilarities.*but 0.000977.*Compare"):
        refused(*(lambda x, y: (x, named(y, "s")))(*made()))
