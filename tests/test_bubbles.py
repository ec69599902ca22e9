"""Digits seen in part, for a while: how much is seen, where, and what is there instead."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.tasks import Bubbles, Digits, Interrupted
from neurula.tasks.bubbles import debris, through

SHARES = (0.1, 0.25, 0.5, 1.0)


@pytest.fixture(scope="module")
def whole():
    return np.asarray(Digits().exam("tune", key=jax.random.key(0)).stimuli)[:, 0]


def exam(**settings):
    task = Bubbles(visible=SHARES, **settings)
    found = task.exam("tune", key=jax.random.key(0))
    return np.asarray(found.stimuli[:, 0]).reshape(len(SHARES), -1, 64), found


def masks(whole, seen):
    """How much of each pixel with ink is seen; elsewhere nobody can tell."""
    return np.divide(seen, whole[None], out=np.full(seen.shape, np.nan), where=whole[None] > 0)


def test_exactly_the_share_of_the_ink_is_seen(whole):
    seen, _ = exam()
    share = seen.sum(-1) / whole.sum(-1)
    np.testing.assert_allclose(
        share, np.broadcast_to(np.array(SHARES)[:, None], share.shape), rtol=2e-3
    )
    np.testing.assert_array_equal(seen[-1], whole)


def test_windows_grow_where_they_are(whole):
    """Everything seen through small windows is seen as well or better through large ones."""
    mask = masks(whole, exam()[0])
    inked = ~np.isnan(mask[0])
    assert np.nanmin(mask) >= 0
    assert np.nanmax(mask) <= 1
    assert (np.diff(mask, axis=0)[:, inked] >= -1e-5).all()


@pytest.mark.parametrize("windows", [1, 3])
def test_windows_are_gaussian(windows):
    """The logarithm is minus the squared distance to the nearest centre, times one number."""
    ink = jnp.ones((8, 8)).at[2, 3].set(5.0)
    centres = 8 * jax.random.uniform(jax.random.key(1), (windows, 2))
    mask = np.asarray(through(ink, jnp.float32(0.3), centres))
    centres = np.asarray(centres)
    pixels = np.stack(np.meshgrid(np.arange(8) + 0.5, np.arange(8) + 0.5, indexing="ij"), -1)
    squared = ((pixels[:, :, None] - centres) ** 2).sum(-1).min(-1)
    sharpness = -np.log(mask) / squared
    np.testing.assert_allclose(sharpness, sharpness[0, 0], rtol=1e-3)
    assert (mask * ink).sum() / ink.sum() == pytest.approx(0.3, abs=1e-4)


def test_windows_lie_everywhere():
    """Over 1,000 pictures no place where digits have ink is seen much more than others."""
    ink = Digits().exam("tune", key=jax.random.key(0)).stimuli[:, 0]
    mask = []
    for seed in range(5):
        task = Bubbles(visible=(0.2,), windows=1)
        seen = task.exam("tune", key=jax.random.key(seed)).stimuli[:, 0]
        mask.append(jnp.where(ink > 0, seen / jnp.maximum(ink, 1e-6), jnp.nan))
    middle = np.concatenate(mask).reshape(-1, 8, 8)[:, :, 2:6]  # where there is ink
    mean = np.nanmean(middle, 0)
    assert mean.max() - mean.min() < 0.25
    assert mean.min() > 0.1


def test_debris_stands_where_the_digit_is_not_seen(whole):
    missing, hidden = exam()[0], exam(behind="debris")[0]
    added = hidden - missing
    np.testing.assert_allclose(added[-1], 0, atol=1e-6)
    mask = masks(whole, missing)
    both = (np.nan_to_num(mask[:2], nan=1.0) < 0.9).all(0)
    one, other = (added[i][both] / (1 - mask[i][both]) for i in (0, 1))
    np.testing.assert_allclose(one, other, atol=2e-3)  # the same at every visibility
    assert one.std() > 0.2
    assert hidden.min() >= 0
    assert hidden.max() <= 1.0 + 1e-6


def test_debris_is_quarters_of_training_digits():
    """Which digits, and from which row and column on, the numbers say."""
    digits = np.asarray(Digits().exam("train", key=jax.random.key(0)).stimuli).reshape(-1, 8, 8)
    chance = [[0.0, 0.0, 0.0], [0.5, 0.21, 0.99], [0.9999, 0.99, 0.41], [0.25, 0.61, 0.0]]
    quilt = np.asarray(debris(jnp.array(chance).ravel())).reshape(8, 8)
    np.testing.assert_array_equal(quilt[:4, :4], digits[0, :4, :4])
    np.testing.assert_array_equal(quilt[:4, 4:], digits[500, 1:5, 4:])
    np.testing.assert_array_equal(quilt[4:, :4], digits[999, 4:, 2:6])
    np.testing.assert_array_equal(quilt[4:, 4:], digits[250, 3:7, :4])


TASKS = {
    "plain": Digits(),
    "whole": Bubbles(visible=(1.0,)),
    "part": Bubbles(visible=(0.25, 0.5)),
    "kept": Interrupted(Digits(look=4), after=(4,)),
    "lost": Interrupted(Digits(look=4), after=(1, 2, 4)),
}


@pytest.fixture(scope="module")
def samples():
    """200 samples of every task, with the same keys."""
    draw = lambda k: {name: task.sample("train", key=k) for name, task in TASKS.items()}  # noqa: E731
    found = jax.jit(jax.vmap(draw))(jax.random.split(jax.random.key(6), 200))
    return jax.tree.map(np.asarray, found)


def test_the_same_key_shows_the_same_digits(samples):
    plain = samples["plain"]
    np.testing.assert_array_equal(plain.stimuli, samples["whole"].stimuli)
    np.testing.assert_array_equal(plain.stimuli, samples["kept"].stimuli[:, 3:])
    for other in samples.values():
        np.testing.assert_array_equal(plain.target[:, 0], other.target[:, -1])


def test_a_sample_has_one_of_the_visibilities(samples):
    ink = {name: each.stimuli.sum((1, 2)) for name, each in samples.items()}
    share = ink["part"] / ink["plain"]
    low = np.isclose(share, 0.25, rtol=2e-3)
    assert (low | np.isclose(share, 0.5, rtol=2e-3)).all()
    assert 70 < low.sum() < 130


def test_when_a_sample_goes_away_is_drawn(samples):
    lasts = (samples["lost"].stimuli.sum(-1) > 0).sum(-1)
    found, counts = np.unique(lasts, return_counts=True)
    assert found.tolist() == [1, 2, 4]
    assert counts.min() > 45


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"visible": ()}, r"one or more shares above 0 and up to 1, got visible=\(\)\..*Write "),
        ({"visible": (0.0, 1.0)}, r"got visible=\(0\.0, 1\.0\)\..*Write Bubbles\(visible="),
        ({"visible": (25.0,)}, r"up to 1, got visible=\(25\.0,\)"),
        ({"windows": 0}, r"windows of 1 or more, got 0\. Without a window.*Bubbles\(windows=5\)"),
    ],
)
def test_bubbles_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        Bubbles(**settings)


def test_bubbles_refuses_what_it_cannot_put_behind():
    task = object.__new__(Bubbles)
    for field in dataclasses.fields(Bubbles):
        object.__setattr__(task, field.name, getattr(Bubbles(), field.name))
    object.__setattr__(task, "behind", "glass")
    with pytest.raises(ValueError, match='behind "paper" or "debris", got \'glass\''):
        task.__check_init__()


# ---- going away ----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["blank", "mask"])
def test_a_digit_is_on_for_as_long_as_it_should(whole, by):
    task = Interrupted(Digits(look=4), after=(1, 3), by=by)
    stimuli = np.asarray(task.exam("tune", key=jax.random.key(0)).stimuli).reshape(2, -1, 4, 64)
    for index, steps in enumerate((1, 3)):
        on, off = stimuli[index, :, :steps], stimuli[index, :, steps:]
        np.testing.assert_array_equal(on, np.broadcast_to(whole[:, None], on.shape))
        np.testing.assert_array_equal(off, np.broadcast_to(off[:, :1], off.shape))
        assert (off == 0).all() == (by == "blank")
    np.testing.assert_array_equal(stimuli[0, :, -1], stimuli[1, :, -1])  # the same masks
    if by == "mask":
        assert len(np.unique(stimuli[0, :, -1], axis=0)) == 200  # one for each digit


def test_masks_have_as_much_ink_as_digits(whole):
    task = Interrupted(Digits(look=2), after=(1,), by="mask")
    masks = np.asarray(task.exam("test", key=jax.random.key(0)).stimuli)[:, 1]
    assert 0.7 < masks.mean() / whole.mean() < 1.5
    assert masks.std() == pytest.approx(whole.std(), rel=0.25)


def test_what_is_seen_in_part_goes_away_too():
    task = Interrupted(Bubbles(Digits(look=3), (0.25, 1.0)), after=(2,), by="mask")
    found = task.exam("tune", key=jax.random.key(0))
    assert found.stimuli.shape == (400, 3, 64)
    part = np.asarray(Bubbles(visible=(0.25, 1.0)).exam("tune", key=jax.random.key(0)).stimuli)
    np.testing.assert_allclose(found.stimuli[:, 1], part[:, 0], atol=1e-6)
    assert task.shape == (3, 64, 10)


@pytest.mark.parametrize("after", [(), (0, 2), (5,)])
def test_interrupted_refuses(after):
    message = r"numbers of steps from 1 to 4, got \(.*\)\. .* Write Interrupted\(task, after="
    with pytest.raises(ValueError, match=message):
        Interrupted(Digits(look=4), after=after)
