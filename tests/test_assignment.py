"""Layers and areas: known orders are found, null similarities are not, whatever a picture shows."""

import itertools
import json

import numpy as np
import pytest
from scipy.stats import kendalltau

from neurula import Recording
from neurula.measures import assignment, cka
from neurula.measures.assignment import rise, tau_b
from neurula.measures.permuted import permutations_of, share_as_high
from neurula.measures.shared_profile import shared_profiles


def planted(areas=4, layers=8, subjects=6, width=2.0, noise=0.2, seed=0):
    """Areas that match layers at equal distances, early ones first."""
    rng = np.random.default_rng(seed)
    place, layer = np.linspace(1, layers - 2, areas), np.arange(layers)[:, None]
    profile = np.exp(-0.5 * ((layer - place[None, :]) / width) ** 2)
    return profile[:, :, None] + noise * rng.normal(size=(layers, areas, subjects))


def smooth(rng, areas=4, layers=8, subjects=8, trend=0.0, width=2.0):
    """Profiles in which neighbouring layers are alike, with a trend that all areas share."""
    apart = np.arange(layers)[:, None] - np.arange(layers)[None, :]
    root = np.linalg.cholesky(np.exp(-0.5 * (apart / width) ** 2) + 1e-6 * np.eye(layers))
    own = (root @ rng.normal(size=(layers, areas)))[:, :, None]
    shared = (root @ rng.normal(size=(layers, 1)))[:, :, None]
    return trend * shared + own + 0.3 * rng.normal(size=(layers, areas, subjects))


def test_tau_is_that_of_scipy_with_ties():
    places = np.random.default_rng(0).integers(0, 4, size=(50, 6)).astype(float)
    expected = [kendalltau(np.arange(6), each).statistic for each in places]
    np.testing.assert_allclose(tau_b(places), expected, atol=1e-12)
    assert tau_b(np.ones((1, 4)))[0] == 0


def test_places_and_rise_are_what_they_say():
    similarity = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.1], [0.0, 1.0, 0.2], [0.0, 0.0, 0.3]])
    found = assignment(similarity)
    np.testing.assert_allclose(found.centre.place, [2, 3, (2 * 0.1 + 3 * 0.2 + 4 * 0.3) / 0.6])
    assert found.best.place.tolist() == [2, 3, 4]
    assert found.best.statistic == found.best.tau == found.centre.tau == 1
    assert rise(np.array([1.0, 2.5, 4.0]), 4) == pytest.approx(1)
    np.testing.assert_allclose(assignment(5 * similarity + 2).centre.place, found.centre.place)


@pytest.mark.parametrize("way", ["centre", "best"])
def test_p_values_count_all_permutations_with_the_maximum_taken_anew(way):
    similarity = planted(areas=4, layers=5, subjects=3, seed=2)
    found = getattr(assignment(similarity), way)
    mean = similarity.mean(2)

    def statistic(profiles):
        placed = getattr(assignment(profiles, permutations=1), way)
        return placed.statistic

    areas = [statistic(mean[:, list(order)]) for order in itertools.permutations(range(4))]
    layers = [statistic(mean[list(order)]) for order in itertools.permutations(range(5))]
    assert found.p_areas == np.mean(np.array(areas) >= found.statistic - 1e-9)
    assert found.p_layers == np.mean(np.array(layers) >= found.statistic - 1e-9)
    assert found.p == max(found.p_areas, found.p_layers, found.p_shared)


def test_drawn_permutations_hold_the_data_and_are_never_impossible():
    assert len(permutations_of(4, 100, 0)) == 24
    drawn = permutations_of(9, 50, 0)
    assert drawn.shape == (50, 9)
    assert drawn[0].tolist() == list(range(9))
    assert (np.sort(drawn, axis=1) == np.arange(9)).all()
    assert share_as_high(np.array([2.0, 1.0, 0.0, 2.0]), np.array(2.0)) == 0.5


def test_a_planted_order_is_found_in_the_group_and_in_subjects():
    found = assignment(
        planted(), layers=[f"conv{k}" for k in range(8)], areas=["V1", "V2", "V4", "IT"]
    )
    assert found.found
    assert found.pictured
    assert found.centre.p_areas == pytest.approx(1 / 24)
    assert found.centre.p_layers < 0.05
    assert found.centre.p_within < 0.001
    assert (found.centre.subject_statistic > 0).all()
    assert "The layers come in the order of the areas" in found.words
    assert "V1 at" in found.words
    assert json.loads(json.dumps(found.to_json()))["found"] is True
    back = assignment(planted()[:, ::-1])
    assert not back.found
    assert back.centre.p_areas == 1
    assert "is not shown" in back.words


def test_few_areas_cannot_be_tested_and_it_is_said():
    found = assignment(planted(areas=2))
    assert not found.testable
    assert not found.found
    assert found.centre.p_areas == 0.5
    assert found.centre.p_within < 0.05  # they differ, in all subjects: no hierarchy yet
    assert "Not testable: 2 areas have so few orders that no p-value is below 0.5" in found.words
    assert assignment(planted(areas=2)[:, :, 0]).centre.p_within is None


@pytest.mark.parametrize("trend", [0.0, 3.0])
def test_no_hierarchy_is_found_where_none_is(trend):
    """The ruling errs in at most 5 %; pictures, and layers permuted alone, in far more."""
    rng = np.random.default_rng(int(trend))
    each = [
        assignment(smooth(rng, areas=5, trend=trend), permutations=200, seed=k) for k in range(150)
    ]
    error = 2.6 * np.sqrt(0.05 * 0.95 / 150)
    assert np.mean([found.found for found in each]) <= 0.05 + error
    assert np.mean([found.best.p <= 0.05 for found in each]) <= 0.05 + error
    assert np.mean([found.centre.p_layers <= 0.05 for found in each]) > 0.12
    assert np.mean([found.centre.p_within <= 0.05 for found in each]) > 0.12
    if not trend:
        assert np.mean([found.best.place[-1] > found.best.place[0] for found in each]) > 0.3
        assert np.mean([found.best.tau >= 0.5 for found in each]) > 0.08


def test_unequal_noise_around_one_profile_is_no_hierarchy():
    """Which permuted areas alone take for one: noise draws the later areas to the middle."""
    rng, noise = np.random.default_rng(0), np.array([0.05, 0.1, 0.2, 0.4, 0.8])
    shared = np.exp(-np.arange(8) / 3)[:, None, None]
    each = [
        assignment(shared + noise[:, None] * rng.normal(size=(8, 5, 6)), permutations=200, seed=k)
        for k in range(100)
    ]
    assert np.mean([found.found for found in each]) < 0.06
    permuted = [max(found.centre.p_areas, found.centre.p_layers) <= 0.05 for found in each]
    assert np.mean(permuted) > 0.25
    assert np.mean([found.pictured for found in each]) > 0.2


def test_the_shared_profile_keeps_height_gain_and_noise():
    rng = np.random.default_rng(0)
    profile, noise = np.arange(6.0), np.array([0.0, 1.0, 2.0])
    rest = rng.normal(size=(6, 3, 5)) * noise[None, :, None]
    rest -= rest.mean(2, keepdims=True)
    similarity = (np.outer(profile, [1, 2, 0.5]) + np.array([3, 0, 1]))[:, :, None] + rest
    drawn = shared_profiles(similarity, 20_000, seed=0)
    np.testing.assert_allclose(drawn.mean(0), similarity.mean(2), atol=0.05)
    expected = rest.var(2, ddof=1) / 5  # the squared error of a mean over five subjects
    np.testing.assert_allclose(drawn.var(0), expected, atol=0.02, rtol=0.05)


def untrained(rng, layers=8, areas=4, subjects=4, stimuli=24):
    """CKA of the layers of a random network with random areas, which no layer is made like."""
    shown = rng.normal(size=(stimuli, 20))
    state, found = shown, np.empty((layers, areas, subjects))
    seen = []
    for _ in range(areas):
        hidden = np.tanh(shown @ rng.normal(size=(20, 30)) * rng.uniform(0.1, 1.0))
        seen.append(hidden @ rng.normal(size=(30, 15)) / 5)
    brain = [[each + 0.3 * rng.normal(size=each.shape) for _ in range(subjects)] for each in seen]
    for layer in range(layers):
        state = np.tanh(state @ rng.normal(size=(state.shape[1], 40)) * 1.5 / np.sqrt(20))
        for area, subject in itertools.product(range(areas), range(subjects)):
            one, other = Recording(state, "layer"), Recording(brain[area][subject], "area")
            found[layer, area, subject] = cka(one, other)
    return found


@pytest.mark.slow
def test_untrained_networks_have_no_hierarchy_that_a_picture_would_not_show():
    rng, runs = np.random.default_rng(0), 250
    each = [assignment(untrained(rng), permutations=500, seed=k) for k in range(runs)]
    wrong = np.mean([found.found for found in each])
    later = np.mean([found.best.place[-1] > found.best.place[0] for found in each])
    pictured = np.mean([found.pictured for found in each])
    print(f"found {wrong:.3f}; last area later {later:.3f}; never falling {pictured:.3f}")
    assert wrong <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / runs)
    assert later > 0.05


def test_what_has_no_place_is_refused():
    similarity = planted()
    with pytest.raises(ValueError, match=r"at least 3 layers and 2 areas.* the shape \(2, 4, 6\)"):
        assignment(similarity[:2])
    with pytest.raises(ValueError, match="have 4 areas, but 2 names were given"):
        assignment(similarity, areas=("V1", "IT"))
    missing = similarity.copy()
    missing[3, 1, 0] = np.nan
    with pytest.raises(ValueError, match="that of 'layer 4' with 'area 2' is nan"):
        assignment(missing)
    flat = similarity.copy()
    flat[:, 2] = 0.5
    with pytest.raises(ValueError, match=r"for \['area 3'\] they are all equal"):
        assignment(flat)
