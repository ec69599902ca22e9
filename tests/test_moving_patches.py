"""Films of drifting patches against an independent interpolation, and against their own order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from neurula.contracts import Sample
from neurula.tasks import MovingPatches
from neurula.tasks.patches import COLUMNS, whitened

KINDS = {
    "next": MovingPatches(),
    "current": MovingPatches(asks="current frame"),
    "shuffled": MovingPatches(shuffled=True),
    "direction": MovingPatches(asks="direction"),
}


def draw(*draws):
    """80 examples of every (task, split), from the same random numbers."""
    numbers = jnp.asarray(np.random.default_rng(0).random((80, 14)), jnp.float32)
    show = jax.jit(jax.vmap(lambda one: [task._show(split, one) for task, split in draws]))
    return jax.tree.map(np.asarray, show(numbers))


def square(stimuli):
    return stimuli.reshape(*stimuli.shape[:2], 8, 8)


@pytest.fixture(scope="module")
def films():
    """Frames, what was asked of them, and which steps count."""
    samples = draw(*((task, "train") for task in KINDS.values()))
    return dict(zip(KINDS, ((x.stimuli, x.target, x.counts) for x in samples), strict=True))


@pytest.fixture(scope="module")
def path():
    """A photograph that is its own map: brightness tells the row, or the column, of a pixel."""
    rows, columns = np.mgrid[:427, :640].astype(np.float32)

    def along(what):
        views = np.stack([what, what])
        with pytest.MonkeyPatch.context() as patch:
            plain = np.zeros(64, np.float32), np.eye(64, dtype=np.float32)
            patch.setattr("neurula.tasks.moving_patches.whitened", lambda *_: (views, *plain))
            samples = draw(*((KINDS["direction"], split) for split in COLUMNS))
        return [(square(sample.stimuli), sample.target) for sample in samples]

    return along(rows), along(columns)


def test_windows_move_at_the_speed_and_in_the_direction_that_are_told(path):
    (down, *_), (across, *_) = path
    corner = np.stack([each[0][:, :, 0, 0] for each in (down, across)], -1)
    steps = np.diff(corner, axis=1)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), atol=1e-2)
    speed = np.hypot(*steps[:, 0].T)
    assert speed.min() > 0.49
    assert speed.max() < 1.51
    assert speed.max() - speed.min() > 0.9
    # what is seen goes the other way than the window; rows run down
    direction = np.arctan2(steps[:, 0, 0], -steps[:, 0, 1])
    nearest = np.round(direction / (np.pi / 4)).astype(int) % 8
    clear = np.abs(direction / (np.pi / 4) - np.round(direction / (np.pi / 4))) < 0.45
    assert clear.sum() > 50
    told = down[1][:, 0].argmax(-1)
    np.testing.assert_array_equal(told[clear], nearest[clear])
    assert set(told) == set(range(8))


def test_films_stay_in_their_part_of_the_photograph(path):
    rows, columns = path
    for split, down, across in zip(COLUMNS, rows, columns, strict=True):
        first, last = COLUMNS[split]
        assert across[0].min() >= first
        assert across[0].max() <= last - 1
        assert down[0].min() >= 0
        assert down[0].max() <= 426


def test_between_pixels_frames_are_interpolated_linearly(path, films):
    (down, *_), (across, *_) = path
    real = square(films["direction"][0])
    views, centre, matrix = whitened(8, "olshausen")
    for i in range(6):
        places = down[0][i, 3], across[0][i, 3]
        seen = [scipy.ndimage.map_coordinates(view, places, order=1) for view in views]
        wanted = [((one.ravel() - centre) @ matrix).reshape(8, 8) for one in seen]
        assert min(np.abs(real[i, 3] - one).max() for one in wanted) < 0.02


def test_every_question_is_asked_about_the_same_frames(films):
    (ahead, following, _), (now, same, _) = films["next"], films["current"]
    np.testing.assert_array_equal(ahead, now)
    np.testing.assert_array_equal(now, same)
    np.testing.assert_array_equal(films["direction"][0], now)
    np.testing.assert_array_equal(following[:, :-1], same[:, 1:])
    assert np.abs(following[:, -1] - same[:, -1]).max() > 0.1
    np.testing.assert_array_equal(films["direction"][2][0], [0] + [1] * 7)  # steps that count


def test_shuffled_films_are_the_same_frames_in_another_order(films):
    straight, shuffled = (
        np.concatenate([shown, asked[:, -1:]], axis=1)
        for shown, asked, _ in (films["next"], films["shuffled"])
    )
    apart = np.abs(straight[:, :, None] - shuffled[:, None]).max(-1)
    assert apart.min(1).max() == 0
    lively = straight.std((1, 2)) > 0.05  # frames of the sky are all alike
    order = apart.argmin(1)[lively]
    assert (np.sort(order) == np.arange(9)).all(1).mean() > 0.9
    assert abs(order.mean(0) - 4).max() < 2  # every place holds every frame
    assert (order != np.arange(9)).any(1).mean() > 0.9


def test_error_and_score_follow_the_question(films):
    stimuli, target, counts = (jnp.asarray(x[0]) for x in films["next"])
    told, steps = (jnp.asarray(x[0]) for x in films["direction"][1:])

    @jax.jit
    def marks():
        frames, ways = Sample(stimuli, target, counts), Sample(stimuli, told, steps)
        guess, choice = KINDS["next"], KINDS["direction"]
        found = guess.error(target, frames), guess.score(target + 1, frames)
        return *found, choice.error(0 * told, ways), choice.score(told, ways)

    np.testing.assert_allclose(marks(), [0, -1, np.log(8), 1], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MovingPatches(speeds=(2.0, 1.0)), r"slowest to fastest, got \(2.0, 1.0\)"),
        (lambda: MovingPatches(frames=80), r"up to 96 pixels, got 8, 80 and 1.5.*frames=8\)"),
        (lambda: MovingPatches(directions=1), r"2 directions or more, got 1.*directions=8\)"),
        (lambda: MovingPatches(exam_size=0), r"exam_size of 1 or more, got 0"),
    ],
)
def test_settings_without_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
