"""Scores of recordings, with intervals: against loops, and whether they cover the truth."""

import json

import numpy as np
import pytest

from neurula import Recording
from neurula.measures import predictivity, score_recordings
from neurula.measures.choices import check_choice
from neurula.measures.held_out import correlations
from neurula.measures.recording_scores import RecordingMeasure
from neurula.measures.resampling import drawn

MEASURES = ["cka", "ridge", "pls"]


def made(subjects=3, stimuli=24, repeats=2, seed=0):
    """Two models, of which the first has what the brain has; subjects with repeats."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(stimuli, 4))
    models = [
        Recording(shared @ rng.normal(size=(4, 9)), "right"),
        Recording(rng.normal(size=(stimuli, 9)), "wrong"),
    ]
    labels = {"stimulus": tuple(range(stimuli)) * repeats}
    brain = []
    for k in range(subjects):
        seen = shared @ rng.normal(size=(4, 5 + k))
        trials = [seen + rng.normal(size=seen.shape) for _ in range(repeats)]
        brain.append(Recording(np.vstack(trials), f"s{k}", labels=labels))
    return models, brain


def scored(models, brain, measure, **how):
    return score_recordings(models, brain, measure, **{"resamples": 40, "components": 3} | how)


@pytest.mark.parametrize("measure", MEASURES)
def test_all_measures_say_the_same_things(measure):
    models, brain = made()
    found = scored(models, brain, measure)
    assert found.models == ("right", "wrong")
    assert found.subjects == ("s0", "s1", "s2")
    assert found.raw.shape == (2, 3)
    np.testing.assert_allclose(found.score, found.raw.mean(1))
    assert ((found.low < found.score) & (found.score < found.high)).all()
    assert found.score[0] > 0.5 > found.score[1]
    assert found.ceiling[0] <= found.ceiling[1]
    text = json.dumps(found.to_json())
    assert text == json.dumps(scored(models, brain, measure).to_json())
    assert [row["model"] for row in found.rows()] == ["right", "wrong"]
    assert "bootstrap over subjects and stimuli (40 resamples, 24 stimuli" in found.table()


@pytest.mark.parametrize("measure", MEASURES)
def test_stimuli_are_matched_by_name(measure):
    models, brain = made()
    order = np.random.default_rng(1).permutation(24)
    labels = {"stimulus": tuple(order.tolist())}
    shuffled = [Recording(np.asarray(m.responses)[order], m.name, labels=labels) for m in models]
    found, again = scored(models, brain, measure), scored(shuffled, brain, measure)
    np.testing.assert_allclose(found.low, again.low, atol=1e-8)
    with pytest.raises(ValueError, match=r"'right' lacks 1 \(\['23'\]\)"):
        scored([Recording(np.asarray(models[0].responses)[:23], "right")], brain, measure)


@pytest.mark.parametrize("measure", ["ridge", "pls"])
def test_units_are_those_of_predictivity(measure):
    models, brain = made()
    found = scored(models, brain, measure, folds=4, seed=3)
    for s, subject in enumerate(brain):
        for m, model in enumerate(models):
            each = predictivity(model, subject, measure, folds=4, components=3, seed=3)
            np.testing.assert_allclose(found.units[s].raw[m], each.raw, atol=1e-10)
            assert found.raw[m, s] == pytest.approx(each.median, abs=1e-10)
        np.testing.assert_allclose(found.units[s].ceiling, each.ceiling, atol=1e-12)
    median = np.mean([np.median(each.ceiling) for each in found.units])
    assert found.ceiling == pytest.approx((median, median))
    assert found.from_ceiling is None
    ratios = [(each.raw[0] / each.ceiling)[each.ceiling > 0] for each in found.units]
    share = np.mean([np.median(each) for each in ratios])
    assert found.share[0] == pytest.approx(share)
    assert found.rows()[0]["score / ceiling"] == pytest.approx(share)
    assert "Folds and fits were made once; held-out predictions were resampled" in found.table()


def test_held_out_predictions_are_what_is_drawn_anew():
    models, brain = made(subjects=1)
    found = scored(models[:1], brain, "ridge", resamples=50)
    each = predictivity(models[0], brain[0])
    what = drawn(1, 24, 50, 0)[1]
    medians = np.median(correlations(each.predicted, each.observed, each.fold, what), axis=1)
    assert found.variance[0] == pytest.approx(24 / 23 * medians.var(ddof=1), rel=1e-9)


def test_one_subject_and_one_repeat_have_no_ceilings_and_it_is_said():
    models, brain = made(subjects=1, repeats=1)
    found = scored(models, brain, "cka")
    assert found.ceiling is None
    assert found.share is None
    assert "there is no noise ceiling" in found.table()
    found = scored(models, brain, "ridge")
    assert found.ceiling is None
    assert "One response to each stimulus: there is no ceiling." in found.table()
    assert "the interval holds for other stimuli, not for other subjects" in found.table()
    json.dumps(found.to_json())


def test_names_are_needed_and_unknown_measures_refused():
    models, brain = made()
    with pytest.raises(ValueError, match=r"subjects with names of their own, but got \['s0'\]"):
        scored(models, [brain[0], brain[0]], "cka")
    with pytest.raises(ValueError, match="Expected models with names of their own, but got none"):
        scored([], brain, "cka")
    with pytest.raises(ValueError, match="a measure among cka, ridge, pls, but got 'rsa'"):
        check_choice("rsa", RecordingMeasure, "a measure", "score_recordings(models, brain)")


@pytest.mark.slow
@pytest.mark.parametrize("stimuli", [40, 100])
@pytest.mark.parametrize("subjects", [1, 6])
@pytest.mark.parametrize("related", [True, False])
def test_intervals_of_ridge_cover_what_they_should(stimuli, subjects, related):
    """Somewhat short for few stimuli of one subject, since other fits are not in the interval."""
    rng = np.random.default_rng([stimuli, subjects, related])
    loads, shared = rng.normal(size=(12, 40)), rng.normal(size=(12, 15)) / np.sqrt(12)
    low, high, score, positive = [], [], [], 0
    for seed in range(120):
        seen = rng.normal(size=(stimuli, 12))
        shown = seen if related else rng.normal(size=(stimuli, 12))
        brain = []
        for k in range(subjects):
            own = 0.2 * rng.normal(size=(12, 15)) if subjects > 1 else 0.0
            values = seen @ (shared + own) + 1.5 * rng.normal(size=(stimuli, 15))
            brain.append(Recording(values, f"s{k}"))
        found = scored([Recording(shown @ loads, "m")], brain, "ridge", resamples=200, seed=seed)
        low.append(found.low[0])
        high.append(found.high[0])
        score.append(found.score[0])
        positive += found.above_zero.raw[0] < 0.05
    right = np.mean(score) if related else 0.0
    covered = np.mean((np.array(low) <= right) & (right <= np.array(high)))
    print(f"{stimuli} {subjects} {related}: covered {covered:.3f}, p < 0.05 {positive / 120:.3f}")
    assert covered > 0.85
    assert positive / 120 > 0.9 if related else positive / 120 < 0.09
