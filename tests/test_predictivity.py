"""Linear predictivity, against scikit-learn, refits one by one, and known reliabilities."""

import json

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import RidgeCV

from neurula import Recording
from neurula.measures import predictivity, score_recordings
from neurula.measures.encoders import partial_least_squares, ridge
from neurula.measures.held_out import correlations, drawn_folds
from neurula.measures.patterns import labelled
from neurula.measures.split_half import split_half

GRID = tuple(np.geomspace(1e-3, 1e3, 7))


def made(stimuli=40, features=12, units=5, noise=2.0, seed=0):
    rng = np.random.default_rng(seed)
    shown = rng.normal(size=(stimuli, features)) * np.geomspace(1, 9, features) + 3
    seen = shown @ rng.normal(size=(features, units)) / 9
    return shown, seen + noise * rng.normal(size=(stimuli, units))


def repeated(seen, repeats, noise, seed=0):
    """A recording with the same stimuli again and again, and independent noise."""
    rng = np.random.default_rng(seed)
    responses = np.vstack([seen + noise * rng.normal(size=seen.shape) for _ in range(repeats)])
    return Recording(responses, "V1", labels={"stimulus": (*range(len(seen)),) * repeats})


@pytest.mark.parametrize("features", [12, 60])
def test_ridge_is_that_of_scikit_learn(features):
    shown, seen = made(features=features)
    train, test = np.arange(30), np.arange(30, 40)
    scaled = (shown - shown[train].mean(0)) / shown[train].std(0)
    lengths = np.linalg.svd(scaled[train], compute_uv=False) ** 2
    theirs = RidgeCV(alphas=lengths.mean() * np.array(GRID), alpha_per_target=True)
    theirs.fit(scaled[train], seen[train])
    found = ridge(shown[train], seen[train], shown[test], GRID)
    np.testing.assert_allclose(found.predicted, theirs.predict(scaled[test]), atol=1e-8)
    np.testing.assert_allclose(found.penalty * lengths.mean(), theirs.alpha_, rtol=1e-10)
    assert len(set(found.penalty)) > 1


@pytest.mark.parametrize("features", [12, 60])
def test_partial_least_squares_is_that_of_scikit_learn(features):
    shown, seen = made(features=features)
    theirs = PLSRegression(6, scale=False, tol=1e-20, max_iter=100000).fit(shown[:30], seen[:30])
    found = partial_least_squares(shown[:30], seen[:30], shown[30:], 6)
    np.testing.assert_allclose(found, theirs.predict(shown[30:]), atol=1e-7)


def test_one_component_of_partial_least_squares_is_the_covariance():
    shown, seen = made(units=1)
    middle, level = shown[:30].mean(0), seen[:30].mean(0)
    along = (shown - middle) @ ((shown[:30] - middle).T @ (seen[:30] - level))
    slope = np.sum(along[:30] * (seen[:30] - level)) / np.sum(along[:30] ** 2)
    found = partial_least_squares(shown[:30], seen[:30], shown[30:], 1)
    np.testing.assert_allclose(found, slope * along[30:] + level, atol=1e-10)


def test_all_components_are_least_squares_and_no_more_than_there_are():
    shown, seen = made(features=4)
    design = np.hstack([shown, np.ones((40, 1))])
    weights = np.linalg.lstsq(design[:30], seen[:30], rcond=None)[0]
    found = partial_least_squares(shown[:30], seen[:30], shown[30:], 25)
    np.testing.assert_allclose(found, design[30:] @ weights, atol=1e-6)
    flat = partial_least_squares(np.ones((30, 4)), seen[:30], shown[30:])
    np.testing.assert_allclose(flat, np.tile(seen[:30].mean(0), (10, 1)))


@pytest.mark.parametrize("regression", ["ridge", "pls"])
def test_nothing_of_a_held_out_stimulus_reaches_the_fit(regression):
    """Neither weights nor penalty nor scale: the other predictions of its fold stay as they are."""
    shown, seen = made()
    before = predictivity(Recording(shown, "m"), Recording(seen, "b"), regression)
    changed = int(np.flatnonzero(before.fold == 2)[0])
    shown, seen = shown.copy(), seen.copy()
    shown[changed], seen[changed] = 1e3, -1e3
    after = predictivity(Recording(shown, "m"), Recording(seen, "b"), regression)
    same = (before.fold == 2) & (np.arange(40) != changed)
    np.testing.assert_array_equal(after.predicted[same], before.predicted[same])
    elsewhere = before.fold != 2
    assert (after.predicted[elsewhere] != before.predicted[elsewhere]).any(1).all()


@pytest.mark.parametrize("regression", ["ridge", "pls"])
def test_noise_is_predicted_with_a_correlation_of_zero(regression):
    """On average; over all folds at once it would be far below."""
    rng = np.random.default_rng(0)
    found, pooled = [], []
    for seed in range(30 if regression == "ridge" else 12):
        shown, seen = rng.normal(size=(40, 30)), rng.normal(size=(40, 4))
        each = predictivity(
            Recording(shown, "m"), Recording(seen, "b"), regression, seed=seed, components=5
        )
        found.append(each.raw.mean())
        pairs = zip(each.predicted.T, seen.T, strict=True)
        pooled.append(np.mean([pearsonr(a, b)[0] for a, b in pairs]))
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    if regression == "ridge":
        assert np.mean(pooled) < -0.1


def test_r_is_the_mean_over_folds_and_a_resample_the_drawn_one():
    shown, seen = made()
    fold = drawn_folds(40, 4, seed=0)
    assert np.bincount(fold).tolist() == [10] * 4
    guess = shown[:, :5] + np.where(fold == 1, 50, 0)[:, None]
    each = [pearsonr(guess[fold == f], seen[fold == f])[0] for f in range(4)]
    found = correlations(guess, seen, fold, np.ones((1, 40)))
    np.testing.assert_allclose(found[0], np.mean(each, axis=0), atol=1e-12)
    counts = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), size=3).astype(float)
    for row, count in zip(correlations(guess, seen, fold, counts), counts, strict=True):
        chosen = np.repeat(np.arange(40), count.astype(int))
        sides = []
        for values in (guess, seen):
            rest = np.empty_like(values)
            for f in range(4):
                part, drawn = fold == f, chosen[fold[chosen] == f]
                rest[part] = (values[part] - values[drawn].mean(0)) / values[part].std(0)
            sides.append(rest[chosen])
        one, other = sides
        expected = (one * other).sum(0) / np.sqrt((one**2).sum(0) * (other**2).sum(0))
        np.testing.assert_allclose(row, expected, atol=1e-10)


@pytest.mark.parametrize("repeats", [2, 3, 5, 6])
def test_the_ceiling_is_the_reliability_of_the_mean(repeats):
    """Signal of variance 1 and noise of variance 4: 1 / (1 + 4 / R), for odd R too."""
    seen = np.random.default_rng(1).normal(size=(12000, 8))
    recording = repeated(seen, repeats, 2.0)
    data, fold = labelled(recording, "stimulus", None), drawn_folds(12000, 5, seed=0)
    found = split_half(data, None, fold)
    assert found.values.mean() == pytest.approx(1 / (1 + 4 / repeats), abs=0.015)
    assert found.note == ""


def test_two_repeats_are_two_halves():
    seen = np.random.default_rng(1).normal(size=(30, 3))
    recording = repeated(seen, 2, 1.0)
    data = labelled(recording, "stimulus", None)
    first, second = np.asarray(recording.responses[:30]), np.asarray(recording.responses[30:])
    r = pearsonr(first, second)[0]
    found = split_half(data, None, np.zeros(30, int))
    np.testing.assert_allclose(found.values, 2 * r / (1 + r), atol=1e-12)


def test_runs_stay_whole_where_they_are_named():
    """What two samples of a run share is not what the unit repeats."""
    rng, runs = np.random.default_rng(0), []
    for _ in range(4):
        shared = rng.normal(size=(400, 1))  # of a run, the same in both of its samples
        runs.extend([shared + 0.1 * rng.normal(size=(400, 1)) for _ in range(2)])
    labels = {"stimulus": (*range(400),) * 8, "repeat": tuple(np.repeat(range(4), 800).tolist())}
    named = Recording(np.vstack(runs), "V1", labels=labels)
    data, fold = labelled(named, "stimulus", None), np.zeros(400, int)
    assert abs(split_half(data, labels["repeat"], fold).values[0]) < 0.3
    assert split_half(data, None, fold).values[0] > 0.6


def test_raw_and_ceiling_stand_side_by_side():
    shown, seen = made(noise=0.5)
    found = predictivity(Recording(shown, "m"), repeated(seen, 4, 3.0))
    share = found.raw / found.ceiling
    np.testing.assert_allclose(found.share, np.where(found.ceiling > 0, share, np.nan))
    assert found.above == np.count_nonzero(found.share > 1) > 0  # nothing is clipped
    assert f"{found.above} of 5 units lie above their ceiling, which is no bound" in found.words
    assert found.median == np.median(found.raw)
    assert f"the median held-out r over 5 units is {found.median:.3f}" in found.words
    assert json.loads(json.dumps(found.to_json()))["raw"] == found.raw.tolist()


def test_one_response_to_each_stimulus_has_no_ceiling():
    shown, seen = made()
    found = predictivity(Recording(shown, "m"), Recording(seen, "b"))
    assert found.ceiling is None
    assert found.share is None
    assert found.median_ceiling is None
    assert "One response to each stimulus: there is no ceiling." in found.words
    few = np.vstack([seen, seen[:3]])
    brain = Recording(few, "b", labels={"stimulus": (*range(40), 0, 1, 2)})
    found = predictivity(Recording(shown, "m"), brain)
    assert "Only 3 to 3 of 40 stimuli have repeats in both halves" in found.words
    more = np.vstack([seen, seen[:20] + 1])
    brain = Recording(more, "b", labels={"stimulus": (*range(40), *range(20))})
    assert (
        "rests on part: 20 to 20 of 40 stimuli" in predictivity(Recording(shown, "m"), brain).words
    )


def test_units_that_do_not_vary_or_repeat_are_left_out_and_named():
    shown, seen = made()
    seen[:, 1] = 0.3
    found = predictivity(Recording(shown, "m"), repeated(seen, 2, 0.0))
    assert np.isnan(found.raw).tolist() == [False, True, False, False, False]
    assert "1 of 5 units or their predictions do not vary: no r." in found.words
    assert "1 of 5 units do not repeat themselves: no ratio." in found.words
    with pytest.raises(ValueError, match="model 0 gives no correlation with any unit of subject 0"):
        score_recordings([Recording(np.ones((40, 3)), "m")], [Recording(seen, "b")], "ridge")


def test_too_few_stimuli_are_refused_with_the_folds_that_would_do():
    shown, seen = made(stimuli=14)
    with pytest.raises(ValueError, match=r"14 stimuli in 5 folds leave 2.* Write `folds=3`"):
        predictivity(Recording(shown, "m"), Recording(seen, "b"))
    with pytest.raises(ValueError, match="Take at least 8 stimuli"):
        predictivity(Recording(shown[:7], "m"), Recording(seen[:7], "b"))
    assert predictivity(Recording(shown, "m"), Recording(seen, "b"), folds=3).fold.max() == 2
