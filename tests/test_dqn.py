"""Agents with networks: what they learn, against values that are known."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import neurula as nl
from neurula.agents import A2C, DQN, MFEC, NEC, Reinforce
from neurula.agents.brains import Perceptron, check_parts
from neurula.behaviour import AbstractEnvironment, Box, Discrete, Event, Transition
from neurula.environments import CartPole, TimeLimit
from neurula.memories import Prioritised, Replay

PLACES, DISCOUNT = 4, 0.8


class Chain(AbstractEnvironment):
    """Places 0 to 3: action 1 goes right, 0 goes back to the start with reward 0.05.

    Going right from the last place ends the episode with reward 1.
    """

    @property
    def actions(self):
        return Discrete(2)

    @property
    def observations(self):
        return Discrete(PLACES)

    def reset(self, *, key):
        no = jnp.zeros((), bool)
        return jnp.zeros((), jnp.int32), Event(jnp.zeros((), jnp.int32), jnp.zeros(()), no, no)

    def step(self, state, action, *, key):
        over = (action == 1) & (state == PLACES - 1)
        reward = jnp.where(over, 1.0, jnp.where(action == 1, 0.0, 0.05))
        state = jnp.where(action == 1, jnp.minimum(state + 1, PLACES - 1), 0)
        return state, Event(state, reward, over, jnp.zeros((), bool))


def iterated():
    """Value iteration on the chain, in NumPy."""
    q = np.zeros((PLACES, 2))
    for _ in range(200):
        v = q.max(1)
        q[:, 0] = 0.05 + DISCOUNT * v[0]
        q[:, 1] = np.append(DISCOUNT * v[1:], 1.0)
    return q


CHAIN = {
    "brain": Perceptron(()),  # linear in one-hot places: a table
    "discount": DISCOUNT,
    "end": 1.0,  # always random: every place is seen
    "batch": 16,
    "huber": None,
}


@pytest.mark.parametrize(
    "settings",
    [
        {"target": None},
        {"target": 20, "double": True},
        {"target": None, "double": True},
        {"target": 20, "memory": Replay(1000, Prioritised(beta=1.0))},
        {"updates": 4, "every": 4, "target": 20},
    ],
    ids=["online", "double", "twins", "prioritised", "bouts"],
)
def test_values_of_a_chain_are_those_of_value_iteration(settings, key):
    rate = optax.exponential_decay(0.05, 500, 0.5)
    agent = DQN(**(CHAIN | {"memory": Replay(1000), "optimiser": optax.adam(rate)} | settings))
    live = lambda k: nl.act(agent, TimeLimit(Chain(), 20), steps=3000, key=k).agent_state  # noqa: E731
    state = eqx.filter_jit(live)(key)
    values = jax.vmap(lambda place: agent.values(state, place))(jnp.arange(PLACES))
    np.testing.assert_allclose(values, iterated(), atol=0.02)


def test_goals_by_hand(key):
    """Returns over three steps, cut at an end and at the present; masks by `terminated` alone."""
    agent = DQN(**CHAIN | {"horizon": 3, "target": 5, "double": True, "memory": Replay(8)})
    state = agent.init(Chain(), key=key)
    memory = state.memory
    lived = [(0, 1, 0.5, 1, 0, 0), (1, 1, 0.0, 2, 0, 0), (2, 0, 0.2, 0, 1, 0), (0, 1, 3, 1, 0, 1)]
    for seen, action, reward, after, ended, cut in lived:
        place = jnp.asarray([seen, after], jnp.int32)
        end = jnp.asarray([ended, cut], bool)
        step = Transition(
            place[0], jnp.int32(action), jnp.float32(reward), place[1], end[0], end[1]
        )
        memory = agent.memory.add(memory, step)
    steps, there = agent.memory.follow(memory, jnp.arange(4, dtype=jnp.int32), 3)
    student = agent.init(Chain(), key=jax.random.key(7)).student  # another brain as the target
    see = jax.vmap(state.observations.features)
    goals = agent._goal(state.student.brain, student.brain, see, steps, there)
    places = jnp.arange(PLACES)
    online = np.asarray(jax.vmap(lambda p: agent.values(state, p))(places))
    other = eqx.tree_at(lambda s: s.student, state, student)
    target = np.asarray(jax.vmap(lambda p: agent.values(other, p))(places))
    g, cut = DISCOUNT, 3 + DISCOUNT * target[1, online[1].argmax()]
    np.testing.assert_allclose(goals, [0.5 + g**2 * 0.2, g * 0.2, 0.2, cut], rtol=1e-5)


def test_exploration_falls_and_stops():
    agent = DQN(start=0.9, end=0.1, exploring=100)
    shares = [float(agent.share_random(jnp.int32(n))) for n in (0, 50, 100, 900)]
    np.testing.assert_allclose(shares, [0.9, 0.5, 0.1, 0.1], rtol=1e-6)
    assert DQN(updates=2, every=8).replay_ratio == 0.25


def test_the_target_is_a_copy_renewed_on_time(key):
    agent = DQN(**CHAIN | {"target": 3, "learning_starts": 1, "memory": Replay(8)})
    state = agent.init(Chain(), key=key)
    same, no = [], jnp.zeros((), bool)
    step = Transition(jnp.int32(3), jnp.int32(1), jnp.ones(()), jnp.int32(3), ~no, no)
    learn = eqx.filter_jit(lambda s, k: agent.learn(s, step, key=k))
    for i in range(6):
        state = learn(state, jax.random.fold_in(key, i))
        same.append(bool(eqx.tree_equal(state.student.brain, state.student.other)))
    assert same == [False, False, True, False, False, True]


class Steering(CartPole):
    @property
    def actions(self):
        return Box((1,), -1.0, 1.0)


def test_refusals(key):
    with pytest.raises(ValueError, match="DQN counts every from 1, got 0"):
        DQN(every=0)
    with pytest.raises(ValueError, match="DQN chooses among single actions, but Steering takes"):
        DQN().init(Steering(), key=key)
    narrow = DQN(brain=lambda inputs, actions, key: nl.layered([3, 2], key=key))
    with pytest.raises(ValueError, match=r"a brain with 4 inputs and 2 outputs .* has 3 and 2"):
        narrow.init(CartPole(), key=key)


@pytest.mark.slow
def test_it_balances_the_pole():
    """The rate of learning falls to zero, so that values stop swinging."""
    world = TimeLimit(CartPole(), 500)
    agent = DQN(
        optimiser=optax.adam(optax.linear_schedule(2e-3, 0.0, 24_500)),
        memory=Replay(50_000),
        batch=64,
        every=2,
        learning_starts=1000,
        target=200,
        double=True,
        horizon=3,
        end=0.04,
        exploring=8000,
    )

    def one(key):
        state = nl.act(agent, world, steps=50_000, key=key).agent_state
        return nl.evaluate(agent, world, state, limit=500, key=key).mean()

    found = np.asarray(eqx.filter_jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 10)))
    assert np.sum(found >= 475) >= 6, np.sort(found).round()


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"discount": 1.5}, ValueError, r"between 0 and 1, got 1.5.*DQN\(discount=0.99\)"),
        ({"start": 2.0}, ValueError, r"from 0 to 1, got start=2.0"),
        ({"end": -0.1}, ValueError, r"from 0 to 1, got end=-0.1"),
    ],
)
def test_settings_with_which_nothing_is_learned(settings, error, says):
    with pytest.raises(error, match=says):
        DQN(**settings)


@pytest.mark.parametrize("agent", [MFEC, NEC, A2C, Reinforce])
def test_discounts_of_others(agent):
    with pytest.raises(ValueError, match=rf"got -1.0.*{agent.__name__}\(discount=0.99\)"):
        agent(discount=-1.0)


def test_counts_of_episodic_control():
    with pytest.raises(ValueError, match=r"MFEC counts horizon from 1, got 0"):
        MFEC(horizon=0)
    with pytest.raises(ValueError, match=r"NEC counts replay from 1, got 0"):
        NEC(replay=0)


@pytest.mark.parametrize(
    ("brain", "optimiser", "says"),
    [
        (3, None, r"makes its own brain, to fit its world, but got a int that is made already"),
        (len, 1e-3, r"by an optimiser of optax, got 0.001.*optax.adam\(1e-3\)"),
    ],
)
def test_parts_that_are_of_another_kind(brain, optimiser, says):
    odd = SimpleNamespace(discount=0.9, brain=brain, optimiser=optimiser)
    with pytest.raises(TypeError, match=says):
        check_parts(odd)
