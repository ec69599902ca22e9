"""The loops of acting: what they count, what they keep, and what they refuse."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.agents import QLearning, Random, Scripted, Shuffled
from neurula.behaviour import AbstractAgent, AbstractEnvironment, Box, Discrete, Event
from neurula.environments import CartPole, TimeLimit, corridor
from neurula.fitting import check_agent_is_one, check_world
from neurula.testing import check_environment


class Corridor(AbstractEnvironment):
    """`length` steps to the right; reward 1 at the end. What is seen is the place."""

    length: int = 3
    reward: float = 1.0

    @property
    def actions(self):
        return Discrete(2)

    @property
    def observations(self):
        return Discrete(self.length + 1)

    def reset(self, *, key):
        no = jnp.zeros((), bool)
        return jnp.zeros((), jnp.int32), Event(jnp.zeros((), jnp.int32), jnp.zeros(()), no, no)

    def step(self, state, action, *, key):
        state = jnp.clip(state + 2 * action - 1, 0, self.length)
        there = state == self.length
        reward = jnp.where(there, jnp.float32(self.reward), 0.0)
        return state, Event(state, reward, there, jnp.zeros((), bool))


class Witness(AbstractAgent):
    """Goes right, and counts episodes and steps."""

    def init(self, environment, *, key):
        return jnp.zeros(2, jnp.int32)

    def act(self, state, observation, *, explore=True, key):
        return state, jnp.ones((), jnp.int32)

    def learn(self, state, transition, *, key):
        return state.at[1].add(1)

    def begin(self, state):
        return state.at[0].add(1)


seen = lambda state, world, t: (t.observation, t.next_observation, t.ended)  # noqa: E731


def test_episodes_follow_each_other_and_keep_their_last_observation(key):
    lived = nl.act(Witness(), Corridor(), steps=7, watch=seen, key=key)
    before, after, ended = lived.watched
    assert before.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert after.tolist() == [1, 2, 3, 1, 2, 3, 1]  # 3 is seen, though a reset follows at once
    assert ended.tolist() == [False, False, True, False, False, True, False]
    assert lived.rewards.tolist() == [0, 0, 1, 0, 0, 1, 0]
    assert np.flatnonzero(~np.isnan(lived.returns)).tolist() == [2, 5]
    assert lived.agent_state.tolist() == [3, 7]  # begins: at birth and after each of two ends


def test_probes_come_evenly_and_at_the_end(key):
    lived = nl.act(
        Witness(), Corridor(), steps=7, probe=lambda s: {"steps": s[1]}, probes=3, key=key
    )
    assert lived.curves["steps"].tolist() == [3, 5, 7]
    assert lived.rewards.tolist() == [0, 0, 1, 0, 0, 1, 0]


def test_a_life_can_go_on(key):
    first = nl.act(Witness(), Corridor(), steps=4, key=key)
    then = nl.act(Witness(), Corridor(), steps=4, state=first.agent_state, key=key)
    assert then.agent_state[1] == 8


def test_the_clock_truncates_and_the_world_terminates(key):
    keep = lambda s, w, t: (t.terminated, t.truncated)  # noqa: E731
    lived = nl.act(Witness(), TimeLimit(Corridor(3), 2), steps=4, watch=keep, key=key)
    assert lived.watched[0].tolist() == [False] * 4
    assert lived.watched[1].tolist() == [False, True, False, True]
    lived = nl.act(Witness(), TimeLimit(Corridor(2), 2), steps=2, watch=keep, key=key)
    assert lived.watched[0].tolist() == [False, True]


def test_lives_side_by_side_are_the_lives_alone():
    keys = jax.random.split(jax.random.key(3), 4)
    live = lambda k: nl.act(Random(), CartPole(), steps=60, key=k).returns  # noqa: E731
    together = eqx.filter_jit(jax.vmap(live))(keys)
    for alone, beside in zip(keys, together, strict=True):
        np.testing.assert_allclose(live(alone), beside, rtol=1e-5)
    assert len({str(row) for row in np.asarray(together)}) == 4  # no two lives are the same


def test_evaluation_counts_whole_episodes(key):
    returns = nl.evaluate(Witness(), Corridor(), jnp.zeros(2, jnp.int32), episodes=3, key=key)
    assert returns.tolist() == [1, 1, 1]
    short = nl.evaluate(Witness(), Corridor(), jnp.zeros(2, jnp.int32), limit=2, key=key)
    assert short.tolist() == [0] * 100


class Diary(Witness):
    """Writes down how often it was rewarded, and how often where the reward was."""

    def learn(self, state, transition, *, key):
        paid = transition.reward > 0
        right = paid & (transition.next_observation == 3)
        return state + jnp.stack([paid, right]).astype(jnp.int32)

    def begin(self, state):
        return state


def test_shuffled_rewards_come_as_often_and_mean_nothing(key):
    live = lambda agent, k: nl.act(agent, Corridor(), steps=1500, key=k).agent_state  # noqa: E731
    assert live(Diary(), key).tolist() == [500, 500]
    paid, right = eqx.filter_jit(lambda k: live(Shuffled(Diary()), k).mind)(key).tolist()
    assert abs(paid - 500) < 4 * np.sqrt(1500 * 2 / 9)
    assert abs(right - 500 / 3) < 4 * np.sqrt(500 * 2 / 9)


def test_rewards_that_are_not_finite_are_refused(key):
    with pytest.raises(Exception, match="Corridor gave a reward that is not finite"):
        nl.act(Witness(), Corridor(reward=np.nan), steps=7, key=key)


def test_actions_outside_the_space_are_refused(key):
    wild = Scripted(lambda observation, key: jnp.full((), 2, jnp.int32))
    with pytest.raises(Exception, match="Scripted chose an action outside Discrete"):
        nl.act(wild, Corridor(), steps=7, key=key)


class Lying(Corridor):
    """Says that it shows a number from a list and shows a vector."""

    @property
    def observations(self):
        return Box((2,))


class Growing(Corridor):
    """Remembers all steps."""

    def reset(self, *, key):
        state, event = super().reset(key=key)
        return state[None], event

    def step(self, state, action, *, key):
        last, event = super().step(state[-1], action, key=key)
        return jnp.append(state, last), event


def test_worlds_that_break_the_contract_are_named(key):
    with pytest.raises(ValueError, match=r"Lying.reset gives an observation int32\[\], expected f"):
        nl.act(Witness(), Lying(), steps=7, key=key)
    with pytest.raises(ValueError, match="The state of Growing is"):
        check_environment(Growing())
    with pytest.raises(ValueError, match="at least one step"):
        nl.act(Witness(), Corridor(), steps=0, key=key)
    with pytest.raises(ValueError, match="size 0"):
        Discrete(0)
    with pytest.raises(ValueError, match="limit=0"):
        TimeLimit(Corridor(), 0)


def test_cart_pole_step_by_hand():
    state = jnp.array([0.01, -0.02, 0.03, 0.04])
    x, v, a, w = 0.01, -0.02, 0.03, 0.04
    pushed = (10 + 0.05 * w**2 * np.sin(a)) / 1.1
    bent = (9.8 * np.sin(a) - np.cos(a) * pushed) / (0.5 * (4 / 3 - 0.1 * np.cos(a) ** 2 / 1.1))
    faster = pushed - 0.05 * bent * np.cos(a) / 1.1
    expected = [x + 0.02 * v, v + 0.02 * faster, a + 0.02 * w, w + 0.02 * bent]
    after, event = CartPole().step(state, jnp.int32(1), key=jax.random.key(0))
    np.testing.assert_allclose(after, expected, rtol=1e-5)
    assert event.reward == 1
    assert not event.terminated


# Bad input: one clear error, before anything is compiled where that can be


class Breach(AbstractEnvironment[jax.Array]):
    """Breaks its contract in one way."""

    way: str = eqx.field(static=True, default="")

    @property
    def actions(self):
        return 2 if self.way == "space" else Discrete(2)

    @property
    def observations(self):
        return Discrete(3) if self.way == "beyond" else Box((2,))

    def reset(self, *, key):
        no = jnp.zeros((), bool)
        seen = jnp.zeros((), jnp.int32) if self.way == "beyond" else jnp.zeros(2)
        return jnp.zeros(()), Event(seen, jnp.zeros(()), no, no)

    def step(self, state, action, *, key):
        state, event = state + 1, self.reset(key=key)[1]
        if self.way == "gymnasium":
            return event.observation, 1.0, False, False, {}
        if self.way == "tuple":
            return state, (event.observation, event.reward)
        if self.way == "python":
            return state, eqx.tree_at(lambda e: e.reward, event, 1)
        if self.way == "nan":
            seen = jnp.where(state > 3, jnp.nan, event.observation)
        else:
            seen = jnp.where(state > 3, 7, event.observation)
        return state, eqx.tree_at(lambda e: e.observation, event, seen)


@pytest.mark.parametrize(
    ("way", "error", "says"),
    [
        ("gymnasium", ValueError, r"Breach.step gives a tuple of 5, expected the state of the"),
        ("tuple", ValueError, r"Breach.step gives a tuple of 2, expected the state of the world"),
        ("python", ValueError, r"a reward 1, which is no array, expected float32.*jnp.asarray\(r"),
        ("space", TypeError, r"Breach.actions is 2, expected a space"),
        ("nan", RuntimeError, r"^Breach showed NaN, or a number outside Box"),
        ("beyond", RuntimeError, r"^Breach showed NaN, or a number outside Discrete\(size=3\)"),
    ],
)
def test_worlds_that_break_their_contract_are_named(way, error, says, key):
    with pytest.raises(error, match=says):
        nl.act(Random(), Breach(way), steps=6, key=key)


def test_a_check_says_what_was_seen_and_when():
    class Far(Breach):
        @property
        def observations(self):
            return Box((2,), -1.0, 1.0)

    with pytest.raises(AssertionError, match=r"\[7. 7.\] is seen in step 4, outside Box"):
        check_environment(Far())


@pytest.mark.parametrize(
    ("check", "what", "says"),
    [
        (check_agent_is_one, Random, r"an agent first, got the class Random itself \(write Random"),
        (check_agent_is_one, CartPole(), r"Expected an agent first, got a CartPole"),
        (check_world, CartPole, r"Expected an environment, got the class CartPole itself"),
        (check_world, "CartPole-v1", r"environment, got 'CartPole-v1'.*GymnasiumEnvironment\('C"),
    ],
)
def test_parts_that_are_none(check, what, says):
    with pytest.raises(TypeError, match=says):
        check(what)


@pytest.mark.parametrize(
    ("choice", "found"),
    [(jnp.float32(0.5), r"float32\[\]"), (jnp.zeros(2, jnp.int32), r"int32\[2\]")],
)
def test_choices_of_a_wrong_kind(choice, found, key):
    says = rf"Scripted chooses {found}, expected int32\[\] for CartPole, whose actions are Discre"
    with pytest.raises(ValueError, match=says):
        nl.act(Scripted(lambda seen, key: choice), CartPole(), steps=3, key=key)
    with pytest.raises(ValueError, match=says):
        nl.evaluate(Scripted(lambda seen, key: choice), CartPole(), None, episodes=1, key=key)


def test_states_of_others_are_refused_and_those_from_files_go_on(key):
    agent, small, large = QLearning(), corridor(3), corridor(5)
    lived = nl.act(agent, small, steps=5, key=key)
    says = r"A QLearning in GridWorld cannot go on from this Values: it holds float32\[4, 4\] where"
    with pytest.raises(ValueError, match=says):
        nl.act(agent, large, steps=5, state=lived.agent_state, key=key)
    with pytest.raises(ValueError, match=r"from this Lived: it holds"):
        nl.evaluate(agent, small, lived, key=key)
    with pytest.raises(ValueError, match=r"from this NoneType: it holds 0 arrays, expected 2"):
        nl.evaluate(agent, small, None, key=key)
    with pytest.raises(ValueError, match=r"got episodes=0, limit=10000"):
        nl.evaluate(agent, small, lived.agent_state, episodes=0, key=key)
    on = nl.act(agent, small, steps=5, state=lived.agent_state, key=key)
    again = nl.act(agent, small, steps=5, state=jax.device_get(lived.agent_state), key=key)
    np.testing.assert_array_equal(on.agent_state.q, again.agent_state.q)
