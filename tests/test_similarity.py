"""Comparisons of dissimilarities, and the inference on them, against rsatoolbox and known facts."""

import itertools
import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import squareform

from neurula import Dissimilarities
from neurula.measures import (
    benjamini_hochberg,
    holm,
    memory,
    noise_ceiling,
    score_models,
    similarity,
)
from neurula.measures.comparators import judge
from neurula.measures.resampling import drawn, resample, variances

THEIRS = {
    "cosine": "cosine",
    "correlation": "corr",
    "whitened cosine": "cosine_cov",
    "whitened correlation": "corr_cov",
    "spearman": "spearman",
    "rho-a": "rho-a",
    "tau-a": "tau-a",
}
every = pytest.mark.parametrize("comparison", THEIRS)


def made(stimuli=10, models=4, subjects=5, seed=0):
    """Models and a brain that have something in common; some models have ties."""
    rng = np.random.default_rng(seed)
    pairs = stimuli * (stimuli - 1) // 2
    shared = rng.random(pairs)
    model, brain = shared + rng.random((models, pairs)), shared + rng.random((subjects, pairs))
    model[0], model[1] = model[0] > 1, np.round(4 * model[1])
    return model, brain


def named(values, prefix, stimuli=None):
    n = round((1 + np.sqrt(1 + 8 * values.shape[-1])) / 2)
    names = tuple(f"s{k}" for k in range(n)) if stimuli is None else stimuli
    values = values if values.ndim == 3 else values[:, None]
    return Dissimilarities(values, names, tuple(f"{prefix}{k}" for k in range(len(values))))


@pytest.fixture
def toolbox():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip("rsatoolbox")


def theirs(toolbox, models, brain, comparison, resamples, monkeypatch):
    """Their result, and how often they drew each subject and each stimulus."""
    seen, original = [], np.random.randint

    def draw(low, high, size):
        seen.append(original(low, high, size=size))
        return seen[-1]

    np.random.seed(3)
    monkeypatch.setattr(np.random, "randint", draw)
    made = [toolbox.model.ModelFixed(f"m{k}", row) for k, row in enumerate(models)]
    result = toolbox.inference.eval_dual_bootstrap(
        made, toolbox.rdm.RDMs(brain.copy()), method=THEIRS[comparison], N=resamples
    )
    n = round((1 + np.sqrt(1 + 8 * brain.shape[1])) / 2)
    count = lambda found, size: np.stack([np.bincount(x, minlength=size) for x in found])  # noqa: E731
    who, what = count(seen[::2], len(brain)), count(seen[1::2], n)
    return result, who.astype(float), what.astype(float)


@every
def test_every_comparison_is_that_of_rsatoolbox(comparison, toolbox):
    models, brain = made()
    found = similarity(named(models, "m"), named(brain, "s"), comparison)
    assert found.note == ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = toolbox.rdm.compare(models, brain, THEIRS[comparison])
        bounds = toolbox.inference.noise_ceiling.boot_noise_ceiling(
            toolbox.rdm.RDMs(brain), method=THEIRS[comparison]
        )
    np.testing.assert_allclose(found.values, expected, atol=1e-10)
    np.testing.assert_allclose(noise_ceiling(named(brain, "s"), comparison), bounds, atol=1e-10)


@every
def test_the_bootstrap_is_that_of_rsatoolbox_on_the_same_draws(comparison, toolbox, monkeypatch):
    models, brain = made(stimuli=7)  # small, so that stimuli make up half a resample
    result, who, what = theirs(toolbox, models, brain, comparison, 25, monkeypatch)
    found = resample(models, brain, comparison, who, what)
    expected = result.evaluations[found.kept][:, :, 0, 0].transpose(2, 0, 1)
    np.testing.assert_allclose(found.scores, expected, atol=1e-10)
    ceilings = result.noise_ceiling[:, found.kept, 0].transpose(2, 1, 0)
    np.testing.assert_allclose(found.ceilings, ceilings, atol=1e-10)
    ours = variances(found, len(brain), what.shape[1])
    np.testing.assert_allclose(ours.scores, result.model_var, atol=1e-10)
    one, other = np.triu_indices(len(models), 1)
    np.testing.assert_allclose(ours.differences[one, other], result.diff_var, atol=1e-10)
    np.testing.assert_allclose(ours.to_ceiling, result.noise_ceil_var, atol=1e-10)


@every
def test_missing_pairs_are_left_out_of_both(comparison, toolbox):
    models, brain = made()
    models[2, 5], brain[1, [0, 7]] = np.nan, np.nan
    found = similarity(named(models, "m"), named(brain, "s"), comparison)
    for m, s in itertools.product(range(4), range(5)):
        one, other = models[m].copy(), brain[s].copy()
        one[np.isnan(brain[s])], other[np.isnan(models[m])] = np.nan, np.nan
        assert found.pairs[m, s] == np.count_nonzero(~np.isnan(one))
        expected = toolbox.rdm.compare(one, other, THEIRS[comparison])[0, 0]
        assert found.values[m, s] == pytest.approx(expected, abs=1e-10)
    assert "between 42 and 45 of 45 pairs were compared" in found.note


@every
def test_resamples_with_missing_pairs_are_those_drawn_out(comparison):
    """What the weights stand for: the drawn matrix, with copies of a stimulus apart from itself."""
    models, brain = made(stimuli=8)
    models[2, 5], brain[1, [0, 7]] = np.nan, np.nan
    who, what = drawn(5, 8, 6, seed=4)
    found = resample(models, brain, comparison, who, what)

    def draw(rows, count):
        chosen = np.repeat(np.arange(8), count.astype(int))
        gone = np.isnan(models).any(0) | np.isnan(brain).any(0)
        square = squareform(np.where(gone, 0, 1), checks=False)[np.ix_(chosen, chosen)]
        missing = square[np.triu_indices(8, 1)] == 0
        large = [
            squareform(np.nan_to_num(row), checks=False)[np.ix_(chosen, chosen)] for row in rows
        ]
        return np.where(missing, np.nan, np.stack(large)[:, *np.triu_indices(8, 1)])

    for k, (subjects, stimuli) in enumerate(zip(who, what, strict=True)):
        chosen = draw(brain, stimuli)[np.repeat(np.arange(5), subjects.astype(int))]
        expected = judge(draw(models, stimuli), chosen, comparison, np.ones((1, 8))).scores[0]
        np.testing.assert_allclose(found.scores[0, k], expected.mean(1), atol=1e-10)


def test_scipy_agrees_and_order_is_by_name():
    models, brain = made()
    back = named(models, "m").select([f"s{k}" for k in range(9, -1, -1)])
    found = {c: similarity(back, named(brain, "s"), c).values[2, 3] for c in THEIRS}
    assert found["correlation"] == pytest.approx(stats.pearsonr(models[2], brain[3])[0])
    assert found["spearman"] == pytest.approx(stats.spearmanr(models[2], brain[3])[0])
    assert found["rho-a"] == pytest.approx(found["spearman"])  # without ties
    assert found["tau-a"] == pytest.approx(stats.kendalltau(models[2], brain[3])[0])


def test_whitening_is_the_inverse_covariance_of_the_errors_of_pairs():
    rng = np.random.default_rng(0)
    models, brain = made(stimuli=6)
    contrast = np.zeros((15, 6))
    for k, (i, j) in enumerate(itertools.combinations(range(6), 2)):
        contrast[k, i], contrast[k, j] = 1, -1
    inverse = np.linalg.inv((contrast @ contrast.T) ** 2)
    x, y = models[2] + rng.random(15), brain[0]
    found = similarity(named(x[None], "m"), named(y[None], "s"), "whitened cosine").values[0, 0]
    expected = x @ inverse @ y / np.sqrt((x @ inverse @ x) * (y @ inverse @ y))
    assert found == pytest.approx(expected, abs=1e-12)


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
    monkeypatch.setattr(memory, "available", lambda: 2**20)
    with pytest.raises(MemoryError, match=r"9 rows of 45 dissimilarities.*but 0.000977.*Compare"):
        refused(*(lambda x, y: (x, named(y, "s")))(*made()))


def folder():
    found = os.environ.get("NEURULA_BRAIN92")
    if not found or not (Path(found) / "92_brainRDMs.mat").is_file():
        pytest.skip("NEURULA_BRAIN92 names no folder with the 92-image set (92_brainRDMs.mat)")
    return Path(found)


def human_it():
    from scipy.io import loadmat

    cells = loadmat(folder() / "92_brainRDMs.mat", squeeze_me=True)["RDMs"]
    upper = np.triu_indices(92, 1)
    return named(
        np.array([[cells[s, k]["RDM"][upper].astype(float) for k in range(2)] for s in range(4)]),
        "human",
    )


def test_monkeys_and_humans_as_published():
    """Kriegeskorte et al. (2008), Neuron 60:1126: r = 0.49."""
    from scipy.io import loadmat

    file = folder() / "Kriegeskorte_Neuron2008_supplementalData.mat"
    both = loadmat(file, squeeze_me=True)["RDMs_mIT_hIT_fig1"]
    monkey, human = (named(each.astype(float)[None], "IT") for each in both["RDM"])
    found = similarity(monkey, human, "correlation").values[0, 0]
    assert found == pytest.approx(0.4912, abs=5e-5)


def test_ceiling_of_human_it_as_known():
    lower, upper = noise_ceiling(human_it(), "spearman")
    assert lower == pytest.approx(0.38, abs=0.005)
    assert upper == pytest.approx(0.67, abs=0.005)
