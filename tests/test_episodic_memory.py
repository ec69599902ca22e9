"""An episodic memory against brute force, scikit-learn and finite differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.memories import Episodic

SIZE, STORED, CUES = 3, 12, 5


@eqx.filter_jit
def filled(memory, cues, values, key):
    return memory.write_all(memory.init(key=key), cues, values)


@eqx.filter_jit
def recall(memory, state, cues):
    return jax.vmap(lambda cue: memory.recall(state, cue))(cues)


@pytest.fixture
def pairs():
    rng = np.random.default_rng(0)
    draw = lambda *shape: rng.normal(size=shape).astype(np.float32)  # noqa: E731
    return draw(STORED, SIZE), draw(STORED), draw(CUES, SIZE)


@pytest.mark.parametrize("reading", ["mean", "kernel"])
@pytest.mark.parametrize("capacity", [STORED, 40])
def test_neighbours_are_those_of_scikit_learn(reading, capacity, pairs, key):
    from sklearn.neighbors import KNeighborsRegressor

    memory = Episodic(SIZE, capacity, 4, reading)
    keys, values, cues = pairs
    kernel = lambda d: 1 / (d**2 + memory.softening)  # noqa: E731
    weights = kernel if reading == "kernel" else "uniform"
    known = KNeighborsRegressor(4, weights=weights).fit(keys, values)
    state = filled(memory, keys, values, key)
    np.testing.assert_allclose(recall(memory, state, cues), known.predict(cues), rtol=1e-5)


def test_a_known_cue_is_worth_its_own_value(pairs, key):
    """MFEC looks up what it knows; the kernel only leans towards it."""
    keys, values, _ = pairs
    mean, kernel = Episodic(SIZE, 40, 4), Episodic(SIZE, 40, 4, "kernel")
    state = filled(mean, keys, values, key)
    np.testing.assert_array_equal(recall(mean, state, keys), values)
    leant = recall(kernel, state, keys)
    assert 0 < np.abs(leant - values).max() < 0.05


@pytest.mark.parametrize("reading", ["mean", "kernel"])
def test_few_memories_and_none(reading, pairs, key):
    """Fewer than k: over those there are. None: the value for the unknown."""
    memory = Episodic(SIZE, 40, 4, reading, unknown=-3.0)
    keys, values, cues = pairs
    assert (recall(memory, memory.init(), cues) == -3.0).all()
    weights = 1 / (((cues[:, None] - keys[None, :2]) ** 2).sum(-1) + memory.softening)
    weights = weights if reading == "kernel" else np.ones_like(weights)
    expected = (weights * values[None, :2]).sum(1) / weights.sum(1)
    state = filled(memory, keys[:2], values[:2], key)
    np.testing.assert_allclose(recall(memory, state, cues), expected, rtol=1e-5)


@pytest.mark.parametrize(("rate", "expected"), [(None, 5.0), (0.25, 0.75 * 3.5 + 0.25 * 2.0)])
def test_what_is_known_is_updated_in_its_place(rate, expected):
    """By the maximum, or a step at a time: 3, then 5, then 2."""
    memory = Episodic(2, 4, 1, rate=rate)
    cues = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1e-6]])
    one = lambda state, pair: (memory.write(state, *pair), None)  # noqa: E731
    live = jax.jit(lambda pairs: jax.lax.scan(one, memory.init(), pairs)[0])
    state = live((cues, jnp.array([3.0, 7.0, 5.0, 2.0])))
    np.testing.assert_allclose(state.values, [expected, 7.0, 0.0, 0.0])
    np.testing.assert_array_equal(state.used >= 0, [True, True, False, False])


@pytest.mark.parametrize("rate", [None, 0.5])
def test_an_episode_at_once_is_one_pair_after_the_other(rate):
    """Against loops over lists. Cues that repeat count together."""
    capacity, length = 5, 4
    memory = Episodic(1, capacity, 1, rate=rate)
    rng = np.random.default_rng(3)
    cues = rng.integers(9, size=(40, length, 1)).astype(np.float32)
    values = rng.normal(size=(40, length)).astype(np.float32)
    when = rng.random((40, length)) < 0.8

    @jax.jit
    def live(episodes):
        def one(state, episode):
            state = memory.write_all(state, episode[0], episode[1], when=episode[2])
            return state, state

        return jax.lax.scan(one, memory.init(), episodes)[1]

    states, time = live((cues, values, when)), 0
    keys, worth, used = [None] * capacity, [0.0] * capacity, [-1] * capacity
    for episode in range(40):
        found = {}
        for i in np.flatnonzero(when[episode]):
            found.setdefault(cues[episode, i, 0], []).append(values[episode, i])
        for cue in sorted(found, key=lambda c: c not in keys):  # what is known stays
            new = max(found[cue]) if rate is None else np.mean(found[cue])
            if cue in keys:
                place = keys.index(cue)
                old = worth[place]
                new = max(old, new) if rate is None else old + rate * (new - old)
            else:
                place = used.index(min(used))
            keys[place], worth[place], used[place] = cue, new, time
        time += bool(found)
        state = jax.tree.map(lambda x, i=episode: x[i], states)
        np.testing.assert_allclose(state.values, worth, rtol=1e-5)
        np.testing.assert_array_equal(state.used, used)
        np.testing.assert_array_equal(state.keys[:, 0], [k or 0.0 for k in keys])
    assert None not in keys


def test_the_least_recently_used_goes(key):
    """Against a list that is kept in order of use."""
    memory = Episodic(1, 3, 1)

    @eqx.filter_jit
    def live(acts):
        def step(state, act):
            read, value = memory.read(state, act[1:])
            written = memory.write(state, act[1:], act[1])
            both = jax.tree.map(lambda r, w: jnp.where(act[0] > 0, r, w), read, written)
            return both, (value, jnp.where(both.used >= 0, both.keys[:, 0], jnp.nan))

        return jax.lax.scan(step, memory.init(), acts)[1]

    rng = np.random.default_rng(1)
    acts = np.stack([rng.integers(2, size=60), rng.integers(8, size=60)], 1).astype(np.float32)
    acts[0, 0] = 0  # something is written first
    values, keys = map(np.asarray, live(acts))
    order = []  # least recently used first
    for (reads, cue), value, there in zip(acts, values, keys, strict=True):
        if reads:
            best = min(order, key=lambda k: abs(k - cue))
            ties = [k for k in order if abs(k - cue) == abs(best - cue)]
            assert value in ties
            order.append(order.pop(order.index(value)))
        elif cue in order:
            order.append(order.pop(order.index(cue)))
        else:
            order = [*order, cue][-3:]
        assert sorted(there[np.isfinite(there)]) == sorted(order)


def test_what_happens_at_no_time_leaves_no_trace(pairs, key):
    memory = Episodic(SIZE, 40, 4)
    keys, values, _ = pairs
    when = jnp.arange(STORED) < 7
    masked = eqx.filter_jit(memory.write_all)(memory.init(), keys, values, when=when)
    short = filled(memory, keys[:7], values[:7], key)
    assert eqx.tree_equal(masked, short)


def test_gradients_are_those_of_finite_differences(pairs, key):
    """Through keys, values and the cue, with more neighbours asked for than are stored."""
    memory = Episodic(SIZE, 40, 20, "kernel", softening=0.5)
    keys, values, cues = pairs
    state = filled(memory, keys, values, key)
    rng = np.random.default_rng(2)
    ways = [rng.normal(size=x.shape).astype(np.float32) for x in (state.keys, state.values, cues)]

    @jax.jit
    def read(step):
        moved = [x + step * w for x, w in zip((state.keys, state.values, cues), ways, strict=True)]
        there = eqx.tree_at(lambda s: (s.keys, s.values), state, tuple(moved[:2]))
        return jnp.sum(recall(memory, there, moved[2]) ** 2)

    slope = jax.jit(jax.grad(read))(0.0)
    assert abs(slope) > 0.1
    np.testing.assert_allclose(slope, (read(1e-2) - read(-1e-2)) / 2e-2, rtol=1e-2)


def test_random_projections_keep_distances(key):
    """Squared distances are kept on average, with a spread of sqrt(2 / numbers)."""
    memory = Episodic(50, 2, 1, projected=200)
    cues = jax.random.normal(key, (2, 50))

    @jax.jit
    def ratio(key):
        state = memory.write(memory.init(key=key), cues[0], jnp.zeros(()))
        return memory.nearest(state, cues[1])[1][0] / jnp.sum((cues[0] - cues[1]) ** 2)

    ratios = np.asarray(jax.vmap(ratio)(jax.random.split(key, 100)))
    assert abs(ratios.mean() - 1) < 0.04
    assert 0.07 < ratios.std() < 0.13


def test_one_memory_for_each_action(pairs, key):
    """A memory per action is a mapped state."""
    memory = Episodic(SIZE, 40, 4)
    keys, values, cues = pairs
    both = filled(memory, keys, values, key), filled(memory, keys, -values, key)
    state = jax.tree.map(lambda *x: jnp.stack(x), *both)
    told = eqx.filter_jit(eqx.filter_vmap(memory.recall, in_axes=(0, None)))(state, cues[0])
    one = float(recall(memory, both[0], cues)[0])
    np.testing.assert_allclose(told, [one, -one], rtol=1e-6)


def test_refusals():
    with pytest.raises(MemoryError, match=r"1,000,000,000 places.*64 numbers.*GiB.*Lower"):
        Episodic(64, 1_000_000_000)
    with pytest.raises(ValueError, match=r"neighbours=11, capacity=5.*Episodic\(64, capacity"):
        Episodic(64, 5)
    with pytest.raises(ValueError, match=r"projected=0.*projected=16"):
        Episodic(64, projected=0)
    with pytest.raises(ValueError, match=r"to 8 numbers at random.*init\(key="):
        Episodic(64, projected=8).init()
