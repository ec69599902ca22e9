"""Episodic control against dictionaries, closed forms and finite differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from neurula.agents import MFEC, NEC
from neurula.agents.brains import Perceptron
from neurula.behaviour import AbstractEnvironment, Box, Discrete, Event
from neurula.environments import KeyDoor, TimeLimit
from neurula.lifetime import act
from neurula.network import trainable

WORLD = TimeLimit(KeyDoor(3), 10)  # truncated episodes are in it
GAMMA = 0.9


class Treadmill(AbstractEnvironment):
    """Always the same; every step pays 1."""

    @property
    def actions(self):
        return Discrete(1)

    @property
    def observations(self):
        return Box((2,))

    def reset(self, *, key):
        no = jnp.zeros((), bool)
        return jnp.zeros(()), Event(jnp.ones(2), jnp.zeros(()), no, no)

    def step(self, state, action, *, key):
        no = jnp.zeros((), bool)
        return state, Event(jnp.ones(2), jnp.ones(()), no, no)


@eqx.filter_jit
def live(agent, world, steps, key):
    watch = lambda state, _, t: (t, jax.vmap(lambda o: agent.values(state, o))(jnp.arange(7)))  # noqa: E731
    return act(agent, world, steps=steps, watch=watch, key=key)


def best_returns(lived, horizon):
    """What a dictionary of the best returns says, episode after episode, for steps of a life."""
    steps, told = jax.tree.map(np.asarray, lived.watched)
    best, said, begin = {}, [], 0
    for now in range(len(steps.reward)):
        ended = steps.terminated[now] or steps.truncated[now]
        if ended or now + 1 - begin == horizon:
            future = 0.0
            if not steps.terminated[now]:  # what was told before anything is written
                future = told[now - 1, steps.next_observation[now]].max() if now else 0.0
            for i in range(now, begin - 1, -1):
                future = steps.reward[i] + GAMMA * future
                pair = int(steps.observation[i]), int(steps.action[i])
                best[pair] = max(best.get(pair, -np.inf), future)
            begin = now + 1
        said.append(dict(best))
    return said, told


@pytest.mark.parametrize(("horizon", "projected"), [(20, None), (5, 16)])
def test_known_actions_are_worth_the_best_return_ever_seen(horizon, projected, key):
    agent = MFEC(50, 3, projected=projected, horizon=horizon, discount=GAMMA, start=0.5, end=0.5)
    lived = live(agent, WORLD, 300, key)
    assert np.isfinite(lived.returns).sum() > 10
    assert np.nansum(lived.returns) > 0  # the door was opened
    for said, told in zip(*best_returns(lived, horizon), strict=True):
        for (state, action), worth in said.items():
            assert told[state, action] == pytest.approx(worth, abs=1e-4)
    assert len(said) > 10


def test_what_goes_on_after_the_horizon_is_worth_something(key):
    """n times 4 steps of reward 1, one written upon the other: (1 - g^(4 n)) / (1 - g)."""
    agent = MFEC(5, 1, projected=None, horizon=4, discount=GAMMA)
    run = eqx.filter_jit(lambda k: act(agent, Treadmill(), steps=40, key=k).agent_state)
    state = run(key)
    told = agent.values(state, jnp.ones(2))
    np.testing.assert_allclose(told, [(1 - GAMMA**40) / (1 - GAMMA)], rtol=1e-4)
    assert state.recent.length == 0


def test_random_actions_fade_and_then_the_best_is_done(key):
    agent = MFEC(50, 3, start=1.0, end=0.0, exploring=300, projected=None)
    lived = live(agent, WORLD, 600, key)
    steps, told = jax.tree.map(np.asarray, lived.watched)
    before = np.concatenate([told[:1], told[:-1]])  # told[i] is what was known after step i
    values = before[np.arange(600), steps.observation]
    greedy = values[np.arange(600), steps.action] == values.max(1)
    assert greedy[300:].all()
    assert 0.1 < 1 - greedy[20:150].mean() < 0.7
    assert np.nanmean(lived.returns[-100:]) == 1.0


def test_ties_are_broken_by_chance(key):
    agent = MFEC(50, 3, start=0.0, end=0.0)
    state = agent.init(WORLD, key=key)
    choose = jax.jit(jax.vmap(lambda k: agent.act(state, jnp.array(0), key=k)[1]))
    times = np.bincount(np.asarray(choose(jax.random.split(key, 600))), minlength=3)
    assert (times > 140).all()


def pupil(agent, key, steps=300):
    """A state that has lived."""
    lived = eqx.filter_jit(lambda k: act(agent, WORLD, steps=steps, key=k))(key)
    assert np.nansum(lived.returns) > 0
    return lived.agent_state


def test_neural_values_are_those_of_another_implementation(key):
    agent = NEC(Perceptron((6,)), width=4, capacity=40, neighbours=3, rate=0.5)
    state = pupil(agent, key)
    first, last = state.pupil.brain.projections
    cells = state.pupil.brain.populations
    bias = [cells[name].neuron.bias for name in ("hidden1", "output")]
    hidden = np.maximum(np.asarray(first.weight).T + np.asarray(bias[0])[None], 0)  # one-hot
    cues = hidden @ np.asarray(last.weight).T + np.asarray(bias[1])[None]
    told = jax.jit(jax.vmap(lambda o: agent.values(state, o)))(jnp.arange(7))
    assert (np.asarray(state.memories.used) >= 0).sum(1).min() >= 3
    for action in range(3):
        used = np.asarray(state.memories.used[action]) >= 0
        keys, values = (
            np.asarray(x[action])[used] for x in (state.memories.keys, state.memories.values)
        )
        for seen in range(7):
            apart = ((keys - cues[seen]) ** 2).sum(1)
            near = np.argsort(apart)[:3]
            weights = 1 / (apart[near] + 1e-3)
            expected = (weights * values[near]).sum() / weights.sum()
            assert told[seen, action] == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.slow
def test_a_pupil_goes_down_its_squared_error(key):
    """The step of plain descent is the slope that finite differences find."""
    rate, batch = 0.1, 400  # a batch so large that the draw hardly matters
    agent = NEC(
        Perceptron((6,), "tanh"), width=4, capacity=40, neighbours=40, softening=0.5, batch=batch,
        optimiser=optax.sgd(rate), memory_rate=rate, discount=GAMMA,
    )  # fmt: skip
    state = pupil(agent, key)
    count = int(state.pupil.count)

    def error(state):
        """The mean over what was drawn: the same key draws the same."""
        drawn = jax.random.randint(key, (batch,), 0, count)
        told = jax.vmap(lambda o: agent.values(state, o))(state.pupil.observations[drawn])
        mine = jnp.take_along_axis(told, state.pupil.actions[drawn][:, None], 1)[:, 0]
        return jnp.mean((mine - state.pupil.returns[drawn]) ** 2 / 2)

    @eqx.filter_jit
    def look(state):
        after = agent.study(state, key=key)
        before, then = (
            (trainable(s.pupil.brain), s.memories.keys, s.memories.values) for s in (state, after)
        )
        step = jax.tree.map(lambda a, b: b - a, before, then)
        at = lambda t: error(_moved(state, step, t))  # noqa: E731
        squares = [jnp.sum(x**2) for x in jax.tree.leaves(step)]
        # Far enough that rounding of the error does not count: a step changes it by 3e-7.
        return at(0.0), at(10.0), at(-10.0), squares, error(after)

    now, ahead, behind, squares, after = look(state)
    assert count > 40
    assert all(s > 0 for s in squares), squares  # weights, keys and values all learn
    slope = (ahead - behind) / 20
    np.testing.assert_allclose(slope, -sum(squares) / rate, rtol=0.05)
    assert after < now


def _moved(state, step, t):
    brain = eqx.apply_updates(state.pupil.brain, jax.tree.map(lambda x: t * x, step[0]))
    where = lambda s: (s.pupil.brain, s.memories.keys, s.memories.values)  # noqa: E731
    memories = state.memories
    return eqx.tree_at(
        where, state, (brain, memories.keys + t * step[1], memories.values + t * step[2])
    )


@pytest.mark.slow
def test_neural_episodic_control_opens_the_door(key):
    agent = NEC(Perceptron((16,)), width=8, capacity=100, neighbours=5)
    lived = eqx.filter_jit(lambda k: act(agent, WORLD, steps=800, key=k))(key)
    assert np.nanmean(lived.returns[-100:]) > 0.9
    state = lived.agent_state
    assert state.pupil.count == 800 - state.recent.length


def test_nothing_is_learned_from_nothing(key):
    agent = NEC(capacity=20)
    state = agent.init(WORLD, key=key)
    after = eqx.filter_jit(agent.study)(state, key=key)
    same = lambda s: (eqx.filter(s.pupil.brain, eqx.is_array), s.memories)  # noqa: E731
    assert eqx.tree_equal(same(state), same(after))


def test_refusals(key):
    class Slope(Treadmill):
        @property
        def actions(self):
            return Box((1,))

    for agent in (MFEC(), NEC()):
        with pytest.raises(ValueError, match=r"single actions, but Slope takes.*Discrete"):
            agent.init(Slope(), key=key)
    wrong = lambda inputs, outputs, key: Perceptron((4,))(5, 5, key)  # noqa: E731
    with pytest.raises(ValueError, match=r"needs a brain with 7 inputs and 16 outputs.*5 and 5"):
        NEC(wrong).init(WORLD, key=key)
    with pytest.raises(MemoryError, match=r"steps of 7 numbers.*NEC\(replay="):
        NEC(replay=10**11).init(WORLD, key=key)
