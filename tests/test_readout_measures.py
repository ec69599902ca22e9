"""Readouts of spiking circuits against closed forms and scikit-learn; streams by statistics."""

import numpy as np
import pytest
import sklearn.linear_model
import sklearn.metrics

from neurula.measures import filtered, kappa, readout
from neurula.tasks import SpikeStreams


def test_kappa_is_cohens():
    rng = np.random.default_rng(0)
    for share in (0.1, 0.5, 0.8):
        truths, answers = rng.random(200) < share, rng.random(200) < 0.4
        expected = sklearn.metrics.cohen_kappa_score(truths, answers)
        assert kappa(answers, truths) == pytest.approx(expected)
    assert kappa(truths, truths) == 1
    assert kappa(np.ones(9, bool), np.ones(9, bool)) == 0


def test_filtered_spikes_are_sums_of_exponentials():
    rng = np.random.default_rng(1)
    times, cells = np.sort(rng.uniform(0, 100, 60)), rng.integers(4, size=60)
    at = np.array([5.0, 40.0, 41.0, 99.0])
    found = filtered(times, cells, at, size=4, tau=15.0)
    for i, now in enumerate(at):
        for cell in range(4):
            mine = times[(cells == cell) & (times <= now)]
            assert found[i, cell] == pytest.approx(np.exp((mine - now) / 15).sum())
    with pytest.raises(ValueError, match="in order"):
        filtered(times, cells, at[::-1], size=4, tau=15.0)


def test_readout_is_ridge_and_chooses_its_penalty():
    rng = np.random.default_rng(2)
    states = rng.normal(size=(400, 30)) * rng.uniform(0.1, 5, 30) + 3
    truths = states @ rng.normal(size=30) + rng.normal(0, 20, 400) > states.mean()
    shown = (states - states[:200].mean(0)) / states[:200].std(0)
    scores = {}
    for penalty in (0.5, 100.0):
        ridge = sklearn.linear_model.Ridge(alpha=penalty).fit(shown[:200], 2.0 * truths[:200] - 1)
        answers = ridge.predict(shown) > 0
        scores[penalty] = [
            sklearn.metrics.cohen_kappa_score(answers[part], truths[part])
            for part in (slice(200, 300), slice(300, 400))
        ]
        assert readout(states, truths, (penalty,)) == pytest.approx(scores[penalty][1])
    best = max(scores.values())
    assert readout(states, truths, tuple(scores)) == pytest.approx(best[1])


def test_readout_of_nothing_is_chance():
    rng = np.random.default_rng(3)
    found = [readout(rng.normal(size=(400, 20)), rng.random(400) < 0.5) for _ in range(40)]
    assert abs(np.mean(found)) < 4 * np.std(found) / 40**0.5


def test_streams_play_the_same_template_with_jitter():
    streams, rng = SpikeStreams(jitter=0.0), np.random.default_rng(4)
    stimuli, which = streams.patterns(30, 3, rng)
    assert stimuli.shape == (30 * 3 * 60, 80)
    heard = stimuli.reshape(30, 3, 60, 2, 40)
    for stream in range(2):
        for place in range(3):
            for value in (False, True):
                same = heard[which[stream, :, place] == value, place, :, stream]
                assert np.all(same == same[0])
    jittered, again = SpikeStreams().patterns(30, 3, np.random.default_rng(4))
    np.testing.assert_array_equal(again.shape, which.shape)
    assert jittered.sum() > 0
    rate = jittered.sum() / (30 * 3 * 0.03 * 80)
    assert rate == pytest.approx(20, abs=4 * 20 / (12 * 24) ** 0.5)  # 12 templates of 24 spikes


def test_free_streams_have_the_counts_that_they_tell():
    stimuli, number = SpikeStreams().poisson(500, (10.0, 30.0), np.random.default_rng(5))
    counted = stimuli.reshape(500, 60, 2, 40).sum((1, 3)).T
    np.testing.assert_array_equal(counted, number)
    assert number.mean() == pytest.approx(24, rel=0.05)
    # Poisson with a rate uniform between 10 and 30 Hz: variance = mean + (0.03 s x 40)^2 20^2 / 12
    assert number.var() == pytest.approx(24 + 1.2**2 * 400 / 12, rel=0.15)
