"""Centred kernel alignment and Procrustes, against their formulas, SciPy and known facts."""

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes

from neurula import Recording, free_memory
from neurula.measures import cka, procrustes, score_recordings
from neurula.measures.choices import check_choice
from neurula.measures.cka import Estimator, cka_table, judge_kernels, resample_kernels
from neurula.measures.kernels import linear_kernel, products
from neurula.measures.patterns import without_means
from neurula.measures.procrustes import Form
from neurula.measures.resampling import drawn


def related(n=16, seed=0):
    rng = np.random.default_rng(seed)
    one = rng.normal(size=(n, 30))
    return one, one @ rng.normal(size=(30, 12)) + 8 * rng.normal(size=(n, 12))


def scored(one, other, *how):
    return cka(Recording(one, "a"), Recording(other, "b"), *how)


def hsic(one, other):
    """HSIC_1 as it is defined: the mean over all quadruples of different stimuli."""
    k, m, n = one @ one.T, other @ other.T, len(one)
    indices = np.stack(np.meshgrid(*[np.arange(n)] * 4, indexing="ij"), -1).reshape(-1, 4)
    i, j, q, r = indices[[len(set(each)) == 4 for each in indices.tolist()]].T
    return np.mean(k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q]))


def test_unbiased_cka_is_that_of_all_quadruples():
    one, other = related(n=9)
    expected = hsic(one, other) / np.sqrt(hsic(one, one) * hsic(other, other))
    assert scored(one, other) == pytest.approx(expected, abs=1e-12)


def test_a_table_of_cka_has_that_of_every_pair():
    one, other = related()
    found = cka_table([one, other, one[:, :5]], [other, one])
    by_hand = [[scored(a, b) for b in (other, one)] for a in (one, other, one[:, :5])]
    np.testing.assert_allclose(found, by_hand, atol=1e-12)


def test_without_the_means_of_groups_nothing_of_them_is_left():
    one, groups = related()[0], np.arange(16) % 3
    left = without_means(one + 9.0 * np.eye(30)[groups], groups)
    np.testing.assert_allclose(left, without_means(one, groups), atol=1e-12)
    for group in range(3):
        np.testing.assert_allclose(left[groups == group].mean(0), 0, atol=1e-12)
        spread = one[groups == group] - one[groups == group].mean(0)
        np.testing.assert_allclose(left[groups == group], spread, atol=1e-12)


def test_biased_cka_is_that_of_kornblith():
    one, other = (each - each.mean(0) for each in related())
    expected = np.linalg.norm(other.T @ one) ** 2
    expected /= np.linalg.norm(one.T @ one) * np.linalg.norm(other.T @ other)
    assert scored(one, other, "biased") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("how", ["unbiased", "biased"])
def test_cka_sees_no_rotation_shift_or_scale_but_other_changes(how):
    one, other = related()
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(12, 12)))[0]
    moved = 7 * other @ turn + 1e3
    assert scored(one, moved, how) == pytest.approx(scored(one, other, how), abs=1e-9)
    assert scored(other, moved, how) == pytest.approx(1, abs=1e-9)
    assert abs(scored(one, other * np.arange(1, 13), how) - scored(one, other, how)) > 0.01


def test_unrelated_responses_have_no_cka_but_a_large_biased_one():
    rng = np.random.default_rng(0)
    draws = [rng.normal(size=(2, 20, 400)) for _ in range(60)]
    right = [scored(*each) for each in draws]
    assert abs(np.mean(right)) < 3 * np.std(right) / np.sqrt(60)
    assert min(right) < 0
    assert min(scored(*each, "biased") for each in draws) > 0.9


def test_stimuli_are_matched_by_name_and_repeats_averaged():
    one, other = related()
    order = np.random.default_rng(1).permutation(16)
    shuffled = Recording(one[order], "a", labels={"stimulus": tuple(order.tolist())})
    twice = np.vstack([other - 1, other + 1])
    again = Recording(twice, "b", labels={"stimulus": (*range(16), *range(16))})
    assert cka(shuffled, again) == pytest.approx(scored(one, other), abs=1e-12)
    with pytest.raises(ValueError, match=r"lacks 1 \(\['15'\]\)"):
        scored(one[:15], other)


@pytest.mark.parametrize("responses", [np.ones((6, 3)), np.eye(6), np.zeros((6, 2))])
def test_responses_without_a_geometry_are_refused(responses):
    for how in ("unbiased", "biased"):
        with pytest.raises(ValueError, match="all the same, or all equally far apart"):
            scored(responses, related(n=6)[0], how)
    with pytest.raises(ValueError, match="Expected an estimator among unbiased, biased, but got"):
        check_choice("debiased", Estimator, "an estimator", "cka(model, brain)")


def test_kernels_that_would_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(free_memory, "available", lambda: 1000)
    with pytest.raises(MemoryError, match=r"Kernels of 16 stimuli need .* Take fewer stimuli"):
        scored(*related())


def test_a_resample_is_that_of_pairs_of_different_stimuli():
    """Drawn out, copies of a stimulus apart from itself, what each stimulus adds fitted away."""
    one, other = related(n=8)
    rows = np.stack([linear_kernel(one, "a"), linear_kernel(other, "b")])
    what = drawn(1, 8, 12, seed=4)[1]
    found = judge_kernels(rows, 1, what[[k for k in range(12) if what[k].max() < 4]])
    kept = what[[k for k in range(12) if what[k].max() < 4]]
    for k, count in enumerate(kept):
        chosen = np.repeat(np.arange(8), count.astype(int))
        i, j = np.triu_indices(8, 1)
        apart = chosen[i] != chosen[j]
        i, j = chosen[i[apart]], chosen[j[apart]]
        design = (np.eye(8)[i] + np.eye(8)[j])[:, count > 0]
        rest = []
        for patterns in (one, other):
            pairs = (patterns @ patterns.T)[i, j]
            rest.append(pairs - design @ np.linalg.lstsq(design, pairs, rcond=None)[0])
        expected = rest[0] @ rest[1] / np.sqrt(rest[0] @ rest[0] * (rest[1] @ rest[1]))
        assert found.scores[k, 0, 0] == pytest.approx(expected, abs=1e-9)


def test_resamples_stay_unbiased_where_copies_would_not():
    rng = np.random.default_rng(0)
    right, wrong = [], []
    for seed in range(40):
        one, other = rng.normal(size=(2, 16, 60))
        kernels = np.stack([linear_kernel(one, "a"), linear_kernel(other, "b")])
        who, what = drawn(1, 16, 10, seed)
        right.append(resample_kernels(kernels, 1, who, what).scores[2].mean())
        chosen = np.repeat(np.arange(16), what[0].astype(int))
        wrong.append(scored(one[chosen], other[chosen]))
    assert abs(np.mean(right)) < 3 * np.std(right) / np.sqrt(40)
    assert np.mean(wrong) > 0.3


def test_products_of_kernels_have_the_squared_covariance_as_their_mean():
    rng, n = np.random.default_rng(0), 12
    weights = drawn(1, n, 1, seed=2)[1]
    mix = rng.normal(size=(3, 2))
    found, factor = [], []
    for _ in range(4000):
        one = rng.normal(size=(n, 3))
        other = one @ mix
        k, m = (each @ each.T for each in (one, other))
        found.append(products(np.stack([k, m]), 1, weights)[0])
        factor.append(found[-1][0, 0])
    ratio = np.mean([each[0, 1] for each in found]) / np.mean(factor)
    assert ratio == pytest.approx(np.sum(mix**2) / 3, rel=0.05)  # ||mix||^2 over ||identity||^2


def test_procrustes_is_that_of_scipy():
    one, other = related()
    padded = np.hstack([other, np.zeros((16, 18))])
    disparity = scipy_procrustes(one, padded)[2]
    pair = Recording(one, "a"), Recording(other, "b")
    similarity = procrustes(*pair)
    assert 1 - similarity**2 == pytest.approx(disparity, abs=1e-12)
    assert procrustes(*pair, "angle") == pytest.approx(np.arccos(similarity), abs=1e-12)
    assert procrustes(*pair, "distance") == pytest.approx(2 - 2 * similarity, abs=1e-12)
    moved = Recording(3 * other @ np.linalg.qr(related(12)[1])[0] - 5, "c")
    assert procrustes(pair[1], moved, "angle") == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="Expected a form among similarity, angle, distance"):
        check_choice("disparity", Form, "a form", "procrustes(model, brain)")
    with pytest.raises(ValueError, match="a single point has no shape"):
        procrustes(pair[0], Recording(np.ones((16, 3)), "b"))


def test_the_angle_of_procrustes_is_a_metric():
    rng = np.random.default_rng(0)
    a, b, c = (Recording(rng.normal(size=(9, k)), str(k)) for k in (2, 3, 4))
    sides = procrustes(a, b, "angle"), procrustes(b, c, "angle"), procrustes(a, c, "angle")
    assert all(2 * side < sum(sides) for side in sides)


def test_ceilings_are_those_of_pooled_kernels():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(14, 6))
    brain = [shared @ rng.normal(size=(6, 9)) + rng.normal(size=(14, 9)) for _ in range(4)]
    found = score_recordings(
        [Recording(shared, "m")],
        [Recording(each, f"s{k}") for k, each in enumerate(brain)],
        resamples=30,
    )
    rows = np.stack([linear_kernel(each, "s").ravel() for each in brain])
    cosine = lambda a, b: a @ b / np.sqrt(a @ a * (b @ b))  # noqa: E731
    upper = np.mean([cosine(row, rows.sum(0)) for row in rows])
    lower = np.mean([cosine(row, rows.sum(0) - row) for row in rows])
    assert found.ceiling == pytest.approx((lower, upper), abs=1e-10)
    expected = [cka(Recording(shared, "m"), Recording(each, "s")) for each in brain]
    np.testing.assert_allclose(found.raw[0], expected, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("subjects", [1, 6])
@pytest.mark.parametrize("related", [True, False])
def test_intervals_of_cka_cover_what_they_should(subjects, related):
    """At least nominal; wider than they need be near zero, where noise counts three times."""
    rng, size = np.random.default_rng([subjects, related]), np.geomspace(1, 0.2, 10)[:, None]
    model, shared = size * rng.normal(size=(10, 30)), size * rng.normal(size=(10, 20))

    def loads():
        own = 0.0 if subjects == 1 else 0.5 * size * rng.normal(size=(10, 20))
        return shared + own

    def truth(other):
        own = other.T @ other + np.eye(20)
        across = np.sum((model.T @ other) ** 2)
        return across / np.linalg.norm(model.T @ model) / np.linalg.norm(own)

    right = np.mean([truth(loads()) for _ in range(2000)]) if related else 0.0
    scores, covered, positive = [], 0, 0
    for seed in range(150):
        seen = rng.normal(size=(30, 10))
        shown = seen if related else rng.normal(size=(30, 10))
        brain = [seen @ loads() + rng.normal(size=(30, 20)) for _ in range(subjects)]
        found = score_recordings(
            [Recording(shown @ model, "m")],
            [Recording(each, f"s{k}") for k, each in enumerate(brain)],
            resamples=200,
            seed=seed,
        )
        scores.append(found.score[0])
        covered += found.low[0] <= right <= found.high[0]
        positive += found.above_zero.raw[0] < 0.05
    assert abs(np.mean(scores) - right) < 4 * np.std(scores) / np.sqrt(150) + 0.01
    assert covered / 150 > 0.91
    assert positive / 150 > 0.95 if related else positive / 150 < 0.08
