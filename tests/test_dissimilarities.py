"""Representational dissimilarities against rsatoolbox, SciPy and closed forms."""

import os
import sys

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from neurula import Dissimilarities, Recording, free_memory
from neurula.measures import dissimilarities, noise_covariance

# what rsatoolbox itself does
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
NAMES = {"ledoit-wolf": "shrinkage_eye", "schaefer-strimmer": "shrinkage_diag"} | {
    "diagonal": "diag",
    "none": "full",
}


def shown(stimuli=9, folds=4, units=20, seed=0, **about):
    rng = np.random.default_rng(seed)
    names = [f"{k % stimuli:03d}" for k in range(stimuli * folds)]
    fold = np.repeat(np.arange(folds), stimuli)
    means = rng.normal(size=(stimuli, units))
    responses = np.tile(means, (folds, 1)) + rng.normal(size=(stimuli * folds, units)) + 3
    labels = {"stimulus": tuple(names), "fold": tuple(fold.tolist())}
    return Recording(responses, "V1", labels=labels, **about)


def theirs(recording, method, **how):
    data = pytest.importorskip("rsatoolbox.data")
    from rsatoolbox.rdm import calc_rdm

    labels = {"stim": list(recording.labels["stimulus"]), "run": list(recording.labels["fold"])}
    made = data.Dataset(np.array(recording.responses), obs_descriptors=labels)
    if "shrinkage" in how:
        how["noise"] = data.noise.prec_from_unbalanced(made, "stim", method=how.pop("shrinkage"))
    return calc_rdm(made, method=method, descriptor="stim", **how).dissimilarities[0], how


@pytest.mark.parametrize("measure", ["euclidean", "correlation"])
def test_repeats_are_averaged_as_rsatoolbox_does(measure):
    recording = shown()
    found = dissimilarities(recording, measure)
    assert found.values.shape == (1, 1, 36)
    assert found.stimuli == tuple(f"{k:03d}" for k in range(9))
    np.testing.assert_allclose(found.values[0, 0], theirs(recording, measure)[0], atol=1e-8)


@pytest.mark.parametrize("shrinkage", sorted(NAMES))
def test_whitening_by_shrunk_noise_is_that_of_rsatoolbox(shrinkage):
    recording = shown(folds=8)
    found = dissimilarities(recording, "mahalanobis", noise=shrinkage)
    expected, how = theirs(recording, "mahalanobis", shrinkage=NAMES[shrinkage])
    np.testing.assert_allclose(found.values[0, 0], expected, atol=1e-8)
    crossed = dissimilarities(recording, "crossnobis", noise=np.linalg.inv(how["noise"]))
    expected, _ = theirs(recording, "crossnobis", cv_descriptor="run", noise=how["noise"])
    np.testing.assert_allclose(crossed.values[0, 0], expected, atol=1e-8)


def test_crossvalidated_euclidean_is_crossnobis_without_noise():
    recording = shown()
    found = dissimilarities(recording, "crossnobis", noise="identity")
    expected, _ = theirs(recording, "crossnobis", cv_descriptor="run")
    np.testing.assert_allclose(found.values[0, 0], expected, atol=1e-8)


def test_unequal_repeats():
    recording = shown()
    kept = np.r_[0:30, 33:36]  # the folds differ in size; every fold but the last is whole
    fold = tuple("a" if k < 18 else "b" for k in kept)
    labels = {"stimulus": tuple(recording.labels["stimulus"][k] for k in kept), "fold": fold}
    some = Recording(recording.responses[kept], "V1", labels=labels)
    for measure, how in (("euclidean", {}), ("crossnobis", {"cv_descriptor": "run"})):
        found = dissimilarities(some, measure, noise="identity").values[0, 0]
        np.testing.assert_allclose(found, theirs(some, measure, **how)[0], atol=1e-8)


def test_the_noise_of_a_fold_never_meets_its_test():
    """Each fold whitens by its training folds: what rsatoolbox gives fold by fold."""
    data = pytest.importorskip("rsatoolbox.data")
    recording = shown(folds=3)
    stimulus = np.array(recording.labels["stimulus"], int)
    fold, x = np.array(recording.labels["fold"]), recording.responses
    total = np.zeros((9, 9))
    for test in range(3):
        rest = data.Dataset(x[fold != test].copy(), obs_descriptors={"s": stimulus[fold != test]})
        precision = data.noise.prec_from_unbalanced(rest, "s", method="shrinkage_eye")
        train = np.stack([x[(fold != test) & (stimulus == k)].mean(0) for k in range(9)])
        here = np.stack([x[(fold == test) & (stimulus == k)].mean(0) for k in range(9)])
        one, other = train[:, None] - train, here[:, None] - here
        total += np.einsum("ijk,kl,ijl->ij", one, precision, other) / 20 / 3
    found = dissimilarities(recording, "crossnobis").values[0, 0]
    np.testing.assert_allclose(squareform(found), total, atol=1e-10)


@pytest.mark.parametrize("noise", ["ledoit-wolf", "identity"])
def test_without_a_signal_crossnobis_has_mean_zero(noise):
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(10, 10))
    labels = {"stimulus": tuple(range(6)) * 4, "fold": tuple(np.repeat(range(4), 6).tolist())}
    shown = [
        Recording(rng.normal(size=(24, 10)) @ mixing, "null", labels=labels) for _ in range(200)
    ]
    found = [dissimilarities(each, "crossnobis", noise=noise).values.mean() for each in shown]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 4 * error
    plain = [dissimilarities(each, "mahalanobis", noise=noise).values.mean() for each in shown]
    assert np.mean(plain) > 10 * error  # what is not crossvalidated is above zero


def test_cosine_and_single_trials_are_scipys():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 7))
    found = dissimilarities(Recording(x, "IT"), "cosine")
    np.testing.assert_allclose(found.values[0, 0], pdist(x, "cosine"), atol=1e-12)
    single = dissimilarities(Recording(jnp.asarray(x, jnp.float32), "IT"))
    np.testing.assert_allclose(single.values[0, 0], pdist(x, "sqeuclidean") / 7, rtol=1e-5)
    assert found.stimuli[:2] == ("0", "1")


def test_recordings_are_matched_by_name_and_subjects_have_sessions():
    first = shown(subject="ape 1")
    turn = np.random.default_rng(2).permutation(36)
    labels = {name: tuple(values[k] for k in turn) for name, values in first.labels.items()}
    again = Recording(first.responses[turn], "V1", labels=labels, subject="ape 1")
    other = shown(seed=5, subject="ape 2")
    found = dissimilarities([first, again, other])
    assert found.values.shape == (2, 2, 36)
    assert found.subjects == ("ape 1", "ape 2")
    np.testing.assert_allclose(found.values[0, 0], found.values[0, 1], atol=1e-12)
    assert np.isnan(found.values[1, 1]).all()


def test_choosing_stimuli_keeps_their_pairs():
    x = np.random.default_rng(0).normal(size=(6, 4))
    found = dissimilarities(Recording(x, "IT")).select(["4", "0", "5", "1"])
    np.testing.assert_allclose(
        found.values[0, 0], pdist(x[[4, 0, 5, 1]], "sqeuclidean") / 4, atol=1e-12
    )
    with pytest.raises(ValueError, match=r"1 of 2 stimuli are not among the 4.*'2'.*Choose among"):
        found.select(["0", "2"])


def test_blocks_of_rows_give_the_same(monkeypatch):
    recording = shown(stimuli=30, folds=2)
    every = [dissimilarities(recording, m, noise="identity") for m in ("cosine", "crossnobis")]
    monkeypatch.setattr(sys.modules["neurula.measures.dissimilarities"], "BLOCK", 100)
    for measure, whole in zip(("cosine", "crossnobis"), every, strict=True):
        parts = dissimilarities(recording, measure, noise="identity")
        np.testing.assert_allclose(parts.values, whole.values, atol=1e-12)


def test_what_would_not_fit_is_refused_with_numbers(monkeypatch):
    monkeypatch.setattr(free_memory, "available", lambda: 2**20)
    with pytest.raises(MemoryError, match=r"9 stimuli, 1 subjects.*need 0.156 GiB, but 0.000977"):
        dissimilarities(shown())


def test_a_mapped_file_that_would_not_fit_is_not_read(monkeypatch, tmp_path):
    path = tmp_path / "large.dat"
    path.touch()
    os.truncate(path, 4 * 10 * 2**24)  # a hole: takes no room
    mapped = np.memmap(path, np.float32, "r", shape=(10, 2**24))
    monkeypatch.setattr(free_memory, "available", lambda: 2**20)
    with pytest.raises(MemoryError, match=r"10 x 16777216 responses.*1.41 GiB.*Average repeats"):
        dissimilarities(Recording(mapped, "V1"))


def test_there_is_memory():
    assert free_memory.available() > 2**20


def recorded(x, **labels):
    return Recording(np.asarray(x, float), "V1", labels=labels)


@pytest.mark.parametrize(
    ("measure", "recordings", "message"),
    [
        ("euclidean", [], "at least one recording"),
        ("euclidean", [recorded(np.eye(3))], r"has 3 stimuli, but at least 4.*3 pairs.*Show more"),
        ("euclidean", [recorded(np.where(np.eye(5), np.nan, 1))], "5 responses that are nan or"),
        ("correlation", [recorded(np.ones((5, 3)))], r"5 of 5 in 'V1' have zero variance.*Leave"),
        ("cosine", [recorded(np.zeros((5, 3)))], r"longer than zero, but 5 of 5.*Leave"),
        ("mahalanobis", [recorded(np.eye(5))], r"5 samples leave 0 degrees.*noise='identity'"),
        ("crossnobis", [recorded(np.eye(5))], r"at least two folds.*Label them"),
        ("euclidean", [recorded(np.eye(5)), recorded(np.eye(5))], r"Two recordings are named 'V1'"),
    ],
)
def test_what_cannot_be_compared_is_refused(measure, recordings, message):
    with pytest.raises(ValueError, match=message):
        dissimilarities(recordings, measure)


def test_other_stimuli_are_named():
    first = recorded(np.eye(5), stimulus=tuple("abcde"))
    other = Recording(np.eye(5), "IT", labels={"stimulus": tuple("abcxe")})
    with pytest.raises(ValueError, match=r"'IT' lacks 1 \(\['d'\]\) and has 1 others \(\['x'\]\)"):
        dissimilarities([first, other])


@pytest.mark.parametrize("kind", [complex, object])
def test_numbers_that_are_not_real_are_refused(kind):
    plain = recorded(np.eye(5))
    odd = eqx.tree_at(lambda r: r.responses, plain, np.eye(5).astype(kind))
    with pytest.raises(ValueError, match=f"responses of the type {kind.__name__}.*Choose"):
        dissimilarities(odd)


def test_folds_need_all_stimuli_and_noise_needs_variance():
    labels = {"stimulus": (*range(5), *range(4), 0), "fold": (0,) * 5 + (1,) * 5}
    with pytest.raises(ValueError, match=r"one lacks 1: \['4'\].*Join folds"):
        dissimilarities(recorded(np.eye(10), **labels), "crossnobis", noise="identity")
    with pytest.raises(ValueError, match=r"1 of 3 units are constant.*first: \[1\].*Leave them"):
        noise_covariance(np.array([[1.0, 0, 2], [2, 0, 5], [3, 0, 1]]))
    with pytest.raises(ValueError, match=r"5 x 5 units, but got the shape \(4, 4\).*Make one"):
        dissimilarities(recorded(np.eye(5)), "mahalanobis", noise=np.eye(4))
    with pytest.raises(ValueError, match=r"inverse.*not positive definite.*Shrink it"):
        dissimilarities(recorded(np.eye(5)), "mahalanobis", noise=np.ones((5, 5)))


def test_shapes_and_labels_are_checked_when_made():
    with pytest.raises(ValueError, match=r"5 samples, but 4 labels 'stimulus'.*Give as many"):
        recorded(np.eye(5), stimulus=tuple("abcd"))
    with pytest.raises(ValueError, match=r"4 stimuli have 6 pairs.*\(1, 1, 5\).*squareform"):
        Dissimilarities(np.zeros((1, 1, 5)), tuple("abcd"), ("IT",))
    with pytest.raises(ValueError, match=r"name of its own, but \['a'\].*Number them"):
        Dissimilarities(np.zeros((1, 1, 6)), tuple("abca"), ("IT",))
