"""Comparisons of dissimilarities, and their bootstrap, against rsatoolbox and SciPy."""

import itertools
import warnings

import numpy as np
import pytest
from representations import THEIRS, every, made, named
from scipy import stats
from scipy.spatial.distance import squareform

from neurula.measures import (
    noise_ceiling,
    similarity,
)
from neurula.measures.comparators import judge
from neurula.measures.resampling import drawn, resample, variances


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
