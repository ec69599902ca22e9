"""Memories of transitions: what is kept, what is drawn and how often, against simple models."""

from collections import Counter, deque

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from neurula.behaviour import Transition
from neurula.memories import Blocks, Prioritised, Recent, Replay, Reverse, Uniform
from neurula.memories.prioritised import fall


def moment(number, ended=False):
    """A transition that says when it was."""
    at = jnp.full((2,), jnp.asarray(number, jnp.float32))
    no = jnp.zeros((), bool)
    return Transition(at, jnp.int32(0), at[0], at + 1, no | ended, no)


@eqx.filter_jit
def live(replay, ends, steps):
    add = lambda i, memory: replay.add(memory, moment(i, ends[i]))  # noqa: E731
    return jax.lax.fori_loop(0, steps, add, replay.init(moment(0)))


def remember(replay, ends):
    """A memory after a life in which episodes ended where `ends` is true."""
    ends = np.asarray(ends, bool)
    return live(replay, jnp.asarray(np.pad(ends, (0, 100 - len(ends)))), jnp.int32(len(ends)))


def every(steps, length):
    """Episodes of equal length."""
    return np.arange(steps) % length == length - 1


@pytest.mark.parametrize("steps", [1, 5, 7, 8, 20])
def test_the_ring_holds_what_a_deque_holds(steps):
    replay, model = Replay(7), deque(maxlen=7)
    memory = remember(replay, [False] * steps)
    model.extend(range(steps))
    numbers = jnp.arange(memory.oldest, memory.count)
    assert replay.read(memory, numbers).reward.tolist() == list(model)
    assert sorted(memory.items.reward[: len(model)].tolist()) == list(model)


@pytest.mark.parametrize("steps", [13, 64, 100])
@pytest.mark.parametrize("sampler", [Uniform(), Prioritised()])
def test_all_that_is_there_is_drawn_equally_often(sampler, steps, key):
    """The chi-square test, while the ring is filled in part, full, and after its wrap-around."""
    replay = Replay(64, sampler)
    memory = remember(replay, every(steps, 9))
    draw = lambda k: replay.sample(memory, 32, key=k)[1]  # noqa: E731
    drawn = eqx.filter_jit(jax.vmap(draw))(jax.random.split(key, 300))
    assert np.array_equal(drawn.items.reward, drawn.numbers)
    found = np.bincount(np.ravel(drawn.numbers), minlength=steps)
    assert found[: max(steps - 64, 0)].sum() == 0
    p = scipy.stats.chisquare(found[max(steps - 64, 0) :]).pvalue
    assert p > 0.001
    assert np.all(np.asarray(drawn.weights) == 1)


def test_priorities_are_probabilities_and_weights_correct_for_them(key):
    """P(i) = p_i^alpha / sum, weights (n P)^-beta over their largest (Schaul 2016, eq. 1, 3.4)."""
    sampler = Prioritised(alpha=0.7, beta=0.5, floor=0.0)
    replay = Replay(50, sampler)
    memory = remember(replay, every(73, 9))
    numbers = jnp.arange(23, 73, dtype=jnp.int32)
    errors = jnp.linspace(-2, 3, 50).at[7].set(0.0)
    memory = replay.judge(memory, numbers, errors)
    expected = np.abs(np.asarray(errors, np.float64)) ** 0.7
    expected /= expected.sum()
    draw = lambda k: replay.sample(memory, 32, key=k)[1]  # noqa: E731
    drawn = eqx.filter_jit(jax.vmap(draw))(jax.random.split(key, 500))
    found = np.bincount(np.ravel(drawn.numbers) - 23, minlength=50)
    assert found[7] == 0
    there = expected > 0
    assert scipy.stats.chisquare(found[there], 16_000 * expected[there]).pvalue > 0.001
    raw = (50 * expected[np.asarray(drawn.numbers) - 23]) ** -0.5
    weights = raw / raw.max(1, keepdims=True)
    np.testing.assert_allclose(drawn.weights, weights, rtol=1e-4)


def test_new_transitions_have_the_highest_priority_and_old_ones_lose_theirs():
    replay = Replay(10, Prioritised(alpha=1.0, floor=0.0))
    memory = remember(replay, [False] * 10)
    memory = replay.judge(memory, jnp.array([3, 4], jnp.int32), jnp.array([5.0, 0.5]))
    for number in range(10, 14):  # the last of them takes the place of number 3
        memory = replay.add(memory, moment(number))
    *sums, leaves = memory.kept.levels
    table = leaves.ravel()[:10]
    assert table.tolist() == [5, 5, 5, 5, 0.5, 1, 1, 1, 1, 1]
    for above, below in zip(sums, memory.kept.levels[1:], strict=True):
        np.testing.assert_allclose(above.ravel(), below.sum(1))


def test_beta_rises_to_one():
    replay = Replay(10, Prioritised(beta=0.4, anneal=4))
    memory = remember(replay, [False] * 10)
    betas = []
    for i in range(6):
        betas.append(float(replay.sampler._beta(memory.kept)))
        memory, _ = replay.sample(memory, 4, key=jax.random.key(i))
    np.testing.assert_allclose(betas, [0.4, 0.55, 0.7, 0.85, 1, 1], rtol=1e-6)


def test_nothing_without_priority_is_drawn_even_at_the_very_edges():
    heights = jnp.array([0.0, 1.0, 2.9999998, 3.0, 3.1])
    items, into = fall(jnp.tile(jnp.array([0.0, 1.0, 0.0, 2.0, 0.0]), (5, 1)), heights)
    assert items.tolist() == [1, 3, 3, 3, 3]
    np.testing.assert_allclose(into, [0, 0, 2, 2, 2], atol=1e-5)


@pytest.mark.parametrize("steps", [20, 57])
def test_blocks_are_neighbours_in_time_within_an_episode(steps, key):
    replay = Replay(30, Blocks(6))
    ends = every(steps, 9)
    memory = remember(replay, ends)
    draw = lambda k: replay.sample(memory, 12, key=k)[1]  # noqa: E731
    drawn = eqx.filter_jit(jax.vmap(draw))(jax.random.split(key, 200))
    numbers = np.asarray(drawn.items.reward, int).reshape(-1, 6)
    assert (np.diff(numbers) == 1).all()
    assert numbers.min() == max(steps - 30, 0)
    assert numbers.max() == steps - 1
    assert len(set(numbers[:, 0])) == min(steps, 30) - 5  # every possible start was found
    episode = np.concatenate([[0], np.cumsum(ends)])[numbers]
    there = np.asarray(drawn.weights).reshape(-1, 6)
    assert np.array_equal(there, episode == episode[:, :1])
    assert 0 < there.mean() < 1


def test_blocks_across_ends_and_the_last_ones_weigh_all_alike(key):
    ends = every(57, 9)
    for sampler in (Blocks(6, across=True), Recent()):
        replay = Replay(30, sampler)
        _, drawn = replay.sample(remember(replay, ends), 6, key=key)
        assert drawn.weights.tolist() == [1] * 6
        assert np.diff(drawn.numbers).tolist() == [1] * 5
    assert drawn.numbers.tolist() == [51, 52, 53, 54, 55, 56]
    _, early = replay.sample(remember(replay, ends[:2]), 4, key=key)
    assert early.weights.tolist() == [0, 0, 1, 1]
    assert early.numbers.tolist()[2:] == [0, 1]


@pytest.mark.parametrize(("steps", "length"), [(20, 5), (57, 9), (57, 1)])
def test_reverse_replays_whole_episodes_backwards(steps, length, key):
    replay = Replay(30, Reverse())
    memory = remember(replay, every(steps, length))

    def one(memory, k):
        memory, drawn = replay.sample(memory, 1, key=k)
        return memory, (drawn.items.reward[0], drawn.weights[0])

    keys = jax.random.split(key, 400)
    numbers, weights = eqx.filter_jit(lambda: jax.lax.scan(one, memory, keys)[1])()
    assert np.all(np.asarray(weights) == 1)
    numbers = np.asarray(numbers, int)
    starts = numbers % length == length - 1  # ends of episodes
    assert starts[0]
    steady = np.diff(numbers) == -1
    assert np.all(starts[1:] | steady)
    oldest = max(steps - 30, 0)
    before = numbers[:-1][starts[1:]]  # what comes before a new episode begins another
    assert np.all((before % length == 0) | (before == oldest))
    found = Counter(numbers[starts].tolist())
    wanted = {n for n in range(oldest, steps) if n % length == length - 1}
    assert set(found) == wanted
    assert scipy.stats.chisquare(list(found.values())).pvalue > 0.001


def test_reverse_in_batches_stops_at_the_beginning_of_an_episode(key):
    replay = Replay(30, Reverse())
    memory = remember(replay, every(18, 9))
    memory, drawn = replay.sample(memory, 6, key=key)
    last = int(drawn.numbers[0])
    assert last in (8, 17)
    assert drawn.weights.tolist() == [1] * 6
    memory, drawn = replay.sample(memory, 6, key=key)
    assert drawn.numbers.tolist()[:3] == [last - 6, last - 7, last - 8]
    assert drawn.weights.tolist() == [1, 1, 1, 0, 0, 0]
    fresh = remember(replay, [False] * 4)  # no end yet: from the newest on
    assert replay.sample(fresh, 3, key=key)[1].numbers.tolist() == [3, 2, 1]


def test_what_follows_stops_at_the_end_of_an_episode_and_of_time():
    replay = Replay(8)
    memory = remember(replay, every(12, 5))  # 4 to 11 are there; episodes end at 4 and 9
    items, there = replay.follow(memory, jnp.array([5, 8, 9, 10], jnp.int32), 3)
    assert there.tolist() == [[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 0]]
    assert items.reward[0].tolist() == [5, 6, 7]


def test_refusals(key):
    with pytest.raises(ValueError, match="capacity of 1 or more, got 0"):
        Replay(0)
    with pytest.raises(MemoryError, match=r"Remember less, for example Replay\(10000000000\)"):
        Replay(10**12).init(moment(0))
    with pytest.raises(ValueError, match=r"Write Blocks\(5\)"):
        Replay(5, Blocks(6)).init(moment(0))
    replay = Replay(12, Blocks(6))
    with pytest.raises(ValueError, match="Ask for 6"):
        replay.sample(replay.init(moment(0)), 8, key=key)
