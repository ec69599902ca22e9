"""Sessions of one subject become one recording, as repeats or as further units, or are refused."""

import numpy as np
import pytest

from neurula.contracts import Recording
from neurula.formats.responses import Contents, read_responses
from neurula.likeness import compare
from neurula.measures import cka, joined_sessions

STIMULI = tuple(f"s{k}" for k in range(40))


def session(rows, stimuli=STIMULI, subject="ann"):
    return Recording(rows, "IT", labels={"stimulus": stimuli}, subject=subject)


def seen(noise, sessions, units=60, seed=0):
    """The same units in several sessions, each with its own noise: signals have variance 1."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=(40, units))
    return signal, [signal + noise * rng.normal(size=signal.shape) for _ in range(sessions)]


def scored(recordings, measure, sessions, model):
    brain = Contents({"IT": tuple(recordings)}, {}, named=True)
    layer = Recording(model, "layer", labels={"stimulus": STIMULI})
    held = Contents({"layer": (layer,)}, {}, named=True)
    found = compare(held, brain, measure=measure, sessions=sessions, resamples=20, shuffles=10)
    return found.scores["IT"]


@pytest.mark.parametrize("count", [2, 4])
def test_repeats_give_the_reliability_of_their_mean(count):
    """Signals of variance 1 and noise of variance 1 in each session: k / (k + 1)."""
    signal, rows = seen(1.0, count, units=150)
    found = scored([session(each) for each in rows], "regression", "repeats", signal[:, :9])
    assert found.subjects == ("ann",)
    assert found.ceiling is not None
    assert found.ceiling[0] == pytest.approx(count / (count + 1), abs=0.05)
    assert found.bound_by == "Spearman-Brown"


def test_repeats_are_averaged_for_kernels_whatever_their_order():
    signal, (one, other) = seen(0.5, 2)
    order = np.random.default_rng(1).permutation(40)
    moved = session(other[order], tuple(STIMULI[k] for k in order))
    found = scored([session(one), moved], "cka", "repeats", signal)
    model = Recording(signal, "layer", labels={"stimulus": STIMULI})
    np.testing.assert_allclose(found.score, cka(model, session((one + other) / 2)), atol=1e-12)


def test_other_units_lie_beside_each_other():
    signal, (one, other) = seen(0.5, 2)
    [joined] = joined_sessions([session(one), session(other[:, :7])], "units")
    np.testing.assert_array_equal(joined.responses, np.hstack([one, other[:, :7]]))
    found = scored([session(one), session(other[:, :7])], "cka", "units", signal)
    model = Recording(signal, "layer", labels={"stimulus": STIMULI})
    np.testing.assert_allclose(found.score, cka(model, joined), atol=1e-12)


def test_units_keep_repeats_that_all_sessions_have_and_average_others():
    rows, twice = np.arange(8.0).reshape(4, 2), ("a", "b", "a", "b")
    [joined] = joined_sessions([session(rows, twice), session(-rows, twice)], "units")
    assert joined.labels["stimulus"] == ("a", "a", "b", "b")
    np.testing.assert_array_equal(joined.responses[:2], [[0, 1, 0, -1], [4, 5, -4, -5]])
    [joined] = joined_sessions([session(rows, twice), session(rows[:2], twice[:2])], "units")
    assert joined.labels["stimulus"] == ("a", "b")
    np.testing.assert_array_equal(joined.responses[0], [2, 3, 0, 1])


def test_subjects_with_one_session_stay_as_they_are():
    ann, bob = session(np.ones((40, 2))), session(np.ones((40, 3)), subject="bob")
    assert joined_sessions([ann, bob]) == [ann, bob]


@pytest.mark.parametrize(
    ("sessions", "other", "message"),
    [
        (
            None,
            session(np.ones((40, 3))),
            r"got 2 sessions with \[2, 3\] units.*--sessions repeats",
        ),
        ("repeats", session(np.ones((40, 3))), r"got \[2, 3\] of them.*--sessions units"),
        ("units", session(np.ones((9, 3)), STIMULI[:9]), r"31 are missing in some: \['s10'"),
    ],
)
def test_sessions_that_do_not_fit_are_refused(sessions, other, message):
    with pytest.raises(ValueError, match=message):
        joined_sessions([session(np.ones((40, 2))), other], sessions)


def test_files_name_sessions_behind_subjects(tmp_path):
    signal, (one, other) = seen(0.5, 2)
    names = {"IT/ann/1": one, "IT/ann/2": other, "IT/bob": one}
    np.savez(tmp_path / "brain.npz", stimuli=STIMULI, **names)
    brain = read_responses(tmp_path / "brain.npz")
    assert [each.subject for each in brain.recordings["IT"]] == ["ann", "ann", "bob"]
    layer = Recording(signal, "layer", labels={"stimulus": STIMULI})
    model = Contents({"layer": (layer,)}, {}, named=True)
    with pytest.raises(ValueError, match="Say which"):
        compare(model, brain, measure="cka")
    found = compare(model, brain, measure="cka", sessions="repeats", resamples=20, shuffles=10)
    assert found.scores["IT"].subjects == ("ann", "bob")
    found = compare(model, brain, comparison="cosine", resamples=20, shuffles=10)  # averaged
    assert found.scores["IT"].subjects == ("ann", "bob")
