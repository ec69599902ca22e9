"""Tasks on lists against lists made by hand, 12-AX against its rules written out."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.tasks import Adding, Lists, OneOf, Recall, Spaced, TwelveAX

KEY = jax.random.key(0)


@eqx.filter_jit
def drawn(task, count=200):
    return jax.vmap(lambda k: task.sample("train", key=k))(jax.random.split(KEY, count))


@pytest.mark.parametrize("order", ["forward", "backward", "updated"])
def test_lists_want_what_was_shown(order):
    batch = drawn(Lists(order, items=3, delays=(2, 5), symbols=5))
    assert batch.stimuli.shape == (200, 11, 9)
    changed, delays = 0, []
    for lines, target, counts in zip(*map(np.asarray, jax.tree.leaves(batch)), strict=True):
        begin = lines.any(1).argmax()
        delays.append(8 - begin - 3)
        shown, pause = list(lines[begin : begin + 3, :5].argmax(1)), lines[begin + 3 : 8]
        assert (lines[begin : begin + 3, :5].sum(1) == 1).all()
        if order == "updated":
            middle = len(pause) // 2
            news, place = pause[middle, :5].argmax(), pause[middle, 6:].argmax()
            assert pause[middle, :5].sum() == pause[middle, 6:].sum() == 1
            changed += shown[place] != news
            shown[place] = news
            pause = np.delete(pause, middle, axis=0)
        assert not pause.any()
        wanted = shown[::-1] if order == "backward" else shown
        assert list(target[8:].argmax(1)) == wanted
        assert list(lines[:, 5]) == list(counts) == [0] * 8 + [1] * 3
    assert set(delays) == {2, 5}
    assert order != "updated" or 130 < changed < 190  # 4 of 5 differ from what they replace


def by_the_rules(stimuli):
    """What to press at every stimulus of a 12-AX sequence."""
    digit, before = None, None
    for now in stimuli:
        digit = now if now in "12" else digit
        pair = (before or "") + now
        yield (digit, pair) in (("1", "AX"), ("2", "BY"))
        before = now


def test_12_ax_follows_its_rules():
    batch = drawn(TwelveAX(30))
    lines, target, counts = map(np.asarray, jax.tree.leaves(batch))
    pairs, rounds = [], []
    for row in range(200):
        text = "".join("12ABCXYZ"[i] for i in lines[row].argmax(1))
        assert list(target[row].argmax(1)) == list(by_the_rules(text))
        assert list(counts[row]) == [letter in "XYZ" for letter in text]
        words = ["".join(g) for is_digit, g in itertools.groupby(text, str.isdigit) if not is_digit]
        for word in words[:-1]:
            assert set(word[::2]) <= set("ABC")
            assert set(word[1::2]) <= set("XYZ")
            rounds.append(len(word) / 2)
        pairs += [word[i : i + 2] for word in words[:-1] for i in range(0, len(word), 2)]
    assert set(rounds) == {1, 2, 3, 4}
    share = np.mean([pair in ("AX", "BY") for pair in pairs])
    assert share == pytest.approx(0.5 + 0.5 * 2 / 9, abs=0.03)


def test_12_ax_scores_where_the_digit_decides():
    batch = drawn(TwelveAX(30))
    score = jax.jit(jax.vmap(TwelveAX(30).score))
    always_left = jnp.zeros_like(batch.target).at[..., 0].set(1.0)
    np.testing.assert_allclose(score(batch.target, batch), 1.0, atol=1e-6)
    assert float(jnp.mean(score(always_left, batch))) == pytest.approx(0.5, abs=0.04)
    no_pair = jax.tree.map(lambda x: x[0], drawn(TwelveAX(3), 1))
    silent = eqx.tree_at(lambda s: s.stimuli, no_pair, jnp.zeros_like(no_pair.stimuli))
    assert float(TwelveAX(3).score(no_pair.target, silent)) == 0.5


def test_spaced_steps_are_the_steps_of_the_task():
    task, pause = Recall(length=5, back=1), 3
    spaced, plain = drawn(Spaced(task, pause)), drawn(task)
    for long, short in zip(jax.tree.leaves(spaced), jax.tree.leaves(plain), strict=True):
        np.testing.assert_array_equal(long[:, ::4], short)
        assert not np.asarray(long).reshape(200, 5, 4, -1)[:, :, 1:].any()
    answers = jax.random.normal(KEY, (20, 4))
    one, other = (jax.tree.map(lambda x: x[0], x) for x in (spaced, plain))
    for mark in ("error", "score"):
        wide = getattr(Spaced(task, pause), mark)(answers, one)
        np.testing.assert_allclose(wide, getattr(task, mark)(answers[::4], other), rtol=1e-6)


def test_one_of_is_each_of_its_tasks():
    """Whichever is chosen, by a number or by an array, examples and marks are the task's own."""
    tasks = Adding(length=4, exam_size=9), Lists(items=2, delays=(1,), exam_size=7)
    answers = jax.random.normal(KEY, (5, 4))

    @eqx.filter_jit
    def chosen(which):
        one = OneOf(tasks, which)
        sample, exam = one.sample("train", key=KEY), one.exam("test", key=KEY)
        return sample, exam, one.error(answers, sample), one.score(answers, sample)

    own_of = eqx.filter_jit(lambda t: (t.sample("train", key=KEY), t.exam("test", key=KEY)))
    for which in (1, jnp.array(0), jnp.array(1)):
        task, found = tasks[int(which)], chosen(which)
        (own, exam), (time, enter, leave) = own_of(task), task.shape
        stimuli = np.pad(own.stimuli, ((5 - time, 0), (0, 7 - enter)))
        np.testing.assert_array_equal(found[0].stimuli, stimuli)
        np.testing.assert_array_equal(found[1].stimuli[:, 5 - time :, :enter], exam.stimuli[:7])
        np.testing.assert_array_equal(found[1].target[:, 5 - time :, :leave], exam.target[:7])
        for mark, value in zip((task.error, task.score), found[2:], strict=True):
            wanted = mark(answers[5 - time :, :leave], own)
            np.testing.assert_allclose(value, wanted, rtol=1e-5)
    assert OneOf(tasks).shape == (5, 7, 4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Lists(items=0), "Lists expects items and delays of 1 or more"),
        (lambda: Lists(delays=()), "Lists expects items and delays of 1 or more"),
        (lambda: Lists(exam_size=0), "Lists expects an exam_size of 1 or more"),
        (lambda: Spaced(Recall(), 0), "Spaced expects a pause of 1 or more, got 0"),
        (lambda: TwelveAX(2), "TwelveAX expects a length of 3 or more, got 2"),
        (lambda: OneOf(()), "OneOf expects one or more tasks"),
        (lambda: OneOf((Adding(),), 1), "OneOf expects which from 0 to 0, got 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
