"""Known facts about curve tracing: a flood fill solves it, pixels and marks alone do not."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.tasks import CurveTracing

KEY = jax.random.key(0)
SIDE, ARM, MANY = 10, 4, 1000
TASK = CurveTracing(SIDE, ARM, exam_size=MANY)


@pytest.fixture(scope="module")
def exam():
    return TASK.exam("test", key=KEY)


def squares(exam):
    pictures = np.asarray(exam.stimuli).reshape(-1, 3, SIDE, SIDE)
    return pictures, np.asarray(exam.target).reshape(-1, SIDE, SIDE)


def answers(exam):
    pictures, target = squares(exam)
    return (pictures[:, 2] * target).sum((1, 2)) > 0


def test_a_flood_fill_finds_who_is_joined(exam):
    from scipy.ndimage import label

    for (ink, start, asked), target in zip(*squares(exam), strict=True):
        curves, count = label(ink, np.ones((3, 3)))
        assert count == 2
        assert start.sum() == asked.sum() == 1
        np.testing.assert_array_equal(curves == curves[start > 0], target > 0)


def test_curves_neither_branch_nor_close(exam):
    """Every pixel of ink has two others beside it, but for the four ends, which have one."""
    from scipy.signal import convolve2d

    for ink, start, asked in squares(exam)[0][:200]:
        beside = convolve2d(ink, np.ones((3, 3)), mode="same") - 1
        assert sorted(set(beside[ink > 0])) == [1, 2]
        assert (beside[ink > 0] == 1).sum() == 4
        assert beside[start > 0] == beside[asked > 0] == 1


def test_half_of_the_points_are_joined_however_far_apart(exam):
    pictures, joined = squares(exam)[0], answers(exam)
    places = [np.argwhere(pictures[:, mark])[:, 1:] for mark in (1, 2)]
    far = np.abs(places[0] - places[1]).max(1) > 5
    for those in (far, ~far):
        error = 0.5 / those.sum() ** 0.5
        assert those.sum() > 200
        assert abs(joined[those].mean() - 0.5) < 3.5 * error


def test_as_much_ink_in_both_answers(exam):
    ink, joined = squares(exam)[0][:, 0].sum((1, 2)), answers(exam)
    error = ink.std() * (1 / joined.sum() + 1 / (~joined).sum()) ** 0.5
    assert abs(ink[joined].mean() - ink[~joined].mean()) < 3.5 * error


def test_a_linear_readout_of_pixels_and_marks_is_near_chance(exam):
    pixels, joined = np.asarray(exam.stimuli[:, 0]), answers(exam) * 2.0 - 1
    half = MANY // 2
    seen = pixels[:half]
    weights = seen.T @ np.linalg.solve(seen @ seen.T + 10 * np.eye(half), joined[:half])
    right = np.mean(np.sign(pixels[half:] @ weights) == joined[half:])
    assert abs(right - 0.5) < 3.5 * 0.5 / half**0.5


def test_arms_have_all_lengths_up_to_the_longest(exam):
    """A curve has a pixel of the crossing between two arms, each with its corner."""
    longest = squares(exam)[1].sum((1, 2))
    assert longest.max() == 2 * ARM + 3
    assert longest.min() <= 5


def test_score_and_error_of_who_knows_and_who_guesses(exam):
    one = jax.tree.map(lambda x: x[0], exam)
    knows = 20 * one.target - 10
    assert TASK.score(knows, one) == 1
    assert TASK.score(-knows, one) == 0
    assert TASK.error(knows, one) == pytest.approx(0, abs=1e-4)
    assert TASK.error(0 * knows, one) == pytest.approx(np.log(2))
    paper = 1 - TASK.channel(one, 0)[None]
    assert TASK.error(knows + 5 * paper, one) == pytest.approx(TASK.error(knows, one))


def test_splits_and_keys_draw_other_pictures():
    draw = eqx.filter_jit(lambda split, key: TASK.sample(split, key=key).stimuli)
    train = draw("train", KEY)
    assert jnp.any(train != draw("test", KEY))
    assert jnp.any(train != draw("train", jax.random.key(1)))


@pytest.mark.parametrize("settings", [{"arm": 0}, {"side": 6}])
def test_what_has_no_room_is_refused(settings):
    with pytest.raises(ValueError, match=r"room for arms. Write CurveTracing\(side=16, arm=6\)"):
        CurveTracing(**settings)
