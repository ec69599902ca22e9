"""Environments of pgx, gymnax and Gymnasium as ours, and ours as Gymnasium's."""

import importlib
import sys
import warnings
from types import SimpleNamespace

import equinox as eqx
import gymnasium
import gymnax
import jax
import jax.numpy as jnp
import numpy as np
import pgx
import pytest
from gymnasium import spaces

import neurula as nl
from neurula.agents import Random, Scripted
from neurula.behaviour import Box, Discrete
from neurula.environments import (
    CartPole,
    GymnasiumEnvironment,
    GymnaxEnvironment,
    PgxGame,
    TimeLimit,
)
from neurula.environments.gymnasium_host import Host
from neurula.testing import check_environment

watch = lambda state, world, t: (t.observation, t.next_observation, t.terminated, t.truncated)  # noqa: E731


# Step for step


def pushes(count=500):
    return np.random.default_rng(1).integers(0, 2, count)


@eqx.filter_jit
def ours(state, actions):
    def one(state, action):
        state, event = CartPole().step(state, action, key=jax.random.key(0))
        return state, (state, event.terminated)

    return jax.lax.scan(one, state, actions)[1]


def test_cart_pole_is_that_of_gymnasium_step_by_step(key):
    theirs = gymnasium.make("CartPole-v1").unwrapped
    theirs.reset(seed=3)
    first = np.array(theirs.state, np.float32)
    theirs.state = first.astype(float)
    steady = np.arange(200) % 2  # keeps the pole up for long
    places, ended = ours(jnp.asarray(first), jnp.asarray(steady, jnp.int32))
    for step, action in enumerate(steady):
        seen, reward, terminated, _, _ = theirs.step(int(action))
        np.testing.assert_allclose(places[step], seen, rtol=1e-4, atol=1e-5)
        assert bool(ended[step]) == terminated
        assert reward == 1
        if terminated:
            break
    assert 20 < step < 199  # it fell, so that both have said so


def test_a_cart_pole_without_speeds_shows_places_and_moves_alike(key):
    whole, blind = CartPole(), CartPole(speeds=False)
    (state, event), (same, seen) = whole.reset(key=key), blind.reset(key=key)
    for action in (1, 1, 0):
        np.testing.assert_array_equal(state, same)
        np.testing.assert_array_equal(seen.observation, event.observation[::2])
        assert blind.observations.shape == seen.observation.shape == (2,)
        state, event = whole.step(state, jnp.asarray(action), key=key)
        same, seen = blind.step(same, jnp.asarray(action), key=key)
    _, seen = CartPole(scaled=True).reset(key=key)
    lean = np.radians(12)
    np.testing.assert_allclose(
        seen.observation * np.array([2.4, 2.4, lean, lean]), whole.reset(key=key)[0], rtol=1e-5
    )


def test_cart_pole_is_that_of_gymnax_step_by_step(key):
    world = GymnaxEnvironment("CartPole-v1")

    @eqx.filter_jit
    def theirs(key):
        state, event = world.reset(key=key)
        many = jnp.asarray(np.arange(60) % 2, jnp.int32)

        def one(state, action):
            state, event = world.step(state, action, key=key)
            return state, (event.observation, event.terminated)

        return event.observation, many, jax.lax.scan(one, state, many)[1]

    first, many, (seen, ended) = theirs(key)
    places, fell = ours(first, many)
    until = int(np.argmax(ended)) + 1
    assert until > 20
    np.testing.assert_allclose(places[:until], seen[:until], rtol=1e-4, atol=1e-5)
    assert fell[:until].tolist() == ended[:until].tolist()


def test_the_clock_truncates_and_the_fall_terminates_wherever_they_come_from(key):
    made = lambda: gymnasium.make("CartPole-v1", max_episode_steps=10)  # noqa: E731
    short = gymnax.make("CartPole-v1")[1].replace(max_steps_in_episode=10)
    for world in (GymnasiumEnvironment(made), GymnaxEnvironment("CartPole-v1", short)):
        steady = Scripted(lambda seen, key: jnp.int32(seen[2] + seen[3] > 0))
        live = lambda k, w=world, a=steady: nl.act(a, w, steps=25, watch=watch, key=k)  # noqa: E731
        lived = eqx.filter_jit(live)(key)
        before, after, terminated, truncated = lived.watched
        assert np.flatnonzero(truncated).tolist() == [9, 19]
        assert not np.asarray(terminated).any()
        assert (after[8] == before[9]).all()
        assert (after[9] != before[10]).all()  # the end is seen, and then a beginning
        assert np.abs(before[10]).max() <= 0.05
        left = Scripted(lambda seen, key: jnp.zeros((), jnp.int32))
        live = lambda k, w=world, a=left: nl.act(a, w, steps=25, watch=watch, key=k)  # noqa: E731
        _, after, terminated, _ = eqx.filter_jit(live)(key).watched
        falls = np.asarray(terminated)
        assert falls.sum() >= 2
        assert (np.abs(np.asarray(after)[falls, 2]) > 0.2094).all()


# pgx


def test_a_game_pays_what_pgx_pays_and_the_other_one_plays(key):
    """We fill the board from above; the other one always takes the first field that is free."""
    first_free = lambda seen, legal, key: jnp.argmax(legal)  # noqa: E731
    world = PgxGame("tic_tac_toe", first_free, "replaced")

    @eqx.filter_jit
    def play(key):
        def one(carry, _):
            state, done = carry
            action = 8 - jnp.argmax(world.legal(state)[::-1]).astype(jnp.int32)
            state, event = world.step(state, action, key=key)
            return (state, done | event.terminated), (event.reward, event.terminated)

        state, event = world.reset(key=key)
        (state, _), (reward, ended) = jax.lax.scan(one, (state, jnp.zeros((), bool)), length=5)
        return event.observation, reward, ended

    rewards = set()
    for seed in range(6):
        seen, reward, ended = play(jax.random.key(seed))
        began = seen.sum() == 0  # the other one has not been here
        end = int(np.argmax(ended))
        # Whoever begins has three in a row first: 8 7 6 against 0 1, or 0 1 2 against 8 7.
        assert (end, float(reward[end])) == ((2, 1.0) if began else (1, -1.0))
        assert not reward[end + 1 :].any()
        rewards.add(float(reward[end]))
    assert rewards == {1.0, -1.0}  # both have begun


@pytest.mark.parametrize("illegal", ["loses", "replaced"])
def test_an_action_against_the_rules(illegal):
    world = PgxGame("tic_tac_toe", illegal=illegal)

    @eqx.filter_jit
    def twice_in_the_middle(keys):
        def play(key):
            to_reset, *moves = jax.random.split(key, 3)
            state, before = world.reset(key=to_reset)

            def one(state, key):
                state, event = world.step(state, jnp.int32(4), key=key)
                return state, event

            return before.observation, jax.lax.scan(one, state, jnp.stack(moves))[1]

        return jax.vmap(play)(keys)

    before, events = twice_in_the_middle(jax.random.split(jax.random.key(2), 24))
    stones = np.asarray(events.observation).sum((2, 3))  # game, move, whose: ours, the other's
    taken = np.asarray(before)[:, 1, 1, 1] == 1  # by the other one, who began
    assert 0 < taken.sum() < 24
    ended, rewards = np.asarray(events.terminated), np.asarray(events.reward)
    if illegal == "loses":
        assert (ended[:, 0] == taken).all()
        assert (rewards[taken, 0] == -1).all()
        assert (ended[~taken, 1] & (rewards[~taken, 1] == -1)).all()
    else:
        assert not ended[:, 0].any()
        assert (stones[:, :, 0] == [1, 2]).all()


def test_minatar_is_seen_as_floats():
    world = PgxGame("minatar-breakout")
    assert world.observations == Box((10, 10, 4), 0.0, 1.0)
    assert world.actions == Discrete(3)


def test_games_that_are_not_there():
    with pytest.raises(ValueError, match=r"pgx has no game 'breakout'. Nearest: minatar-breakout"):
        PgxGame("breakout")
    with pytest.raises(ValueError, match=r"'loses' or 'replaced', got 'forbidden'"):
        PgxGame("tic_tac_toe", illegal="forbidden")
    with pytest.raises(ValueError, match=r"gymnax has no environment 'CartPole'. Near"):
        GymnaxEnvironment("CartPole")


@pytest.mark.slow
@pytest.mark.parametrize("name", pgx.available_envs())
def test_every_game_of_pgx(name):
    check_environment(PgxGame(name, illegal="replaced"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in gymnax.registered_envs if "MNIST" not in n])
def test_every_environment_of_gymnax(name):
    check_environment(GymnaxEnvironment(name))


# Gymnasium


class Odd(gymnasium.Env):
    """Shows three numbers, and after two steps whatever `then` is."""

    observation_space = spaces.Box(-1.0, 1.0, (3,))
    action_space = spaces.Box(np.array([0.0, -2.0], np.float32), np.float32(2.0), (2,))

    def __init__(self, then=(0, 0, 0), reward=0.0):
        self.then, self.reward, self.step_number, self.done = then, reward, 0, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.step_number = 0
        return np.zeros(3, np.float32), {}

    def step(self, action):
        self.step_number += 1
        self.done.append(action)
        late = self.step_number >= 2
        seen = self.then if late else (0, 0, 0)
        return np.array(seen, np.float32), self.reward if late else 0.0, False, False, {}


def test_what_gymnasium_may_not_do(key):
    live = lambda world: nl.act(Random(), world, steps=3, key=key)  # noqa: E731
    with pytest.raises(Exception, match=r"Odd shows something of shape \(2,\) at step 2, expected"):
        live(GymnasiumEnvironment(lambda: Odd((0, 0))))
    with pytest.raises(Exception, match=r"Odd shows 1 NaN and gives the reward 0.0 at step 2"):
        live(GymnasiumEnvironment(lambda: Odd((0, np.nan, 0))))
    with pytest.raises(Exception, match=r"Odd shows 0 NaN and gives the reward inf at step 2"):
        live(GymnasiumEnvironment(lambda: Odd(reward=np.inf)))


class Old(Odd):
    """Speaks as Gym did before 0.26, or says something else than numbers."""

    def __init__(self, way):
        super().__init__()
        self.way = way

    def reset(self, *, seed=None, options=None):
        seen, info = super().reset(seed=seed)
        return seen if self.way == "reset" else (seen, info)

    def step(self, action):
        seen, reward, terminated, truncated, info = super().step(action)
        if self.way == "step":
            return seen, reward, terminated, info
        reward = None if self.way == "reward" else reward
        return {} if self.way == "seen" else seen, reward, terminated, truncated, info


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("reset", r"Old.reset gives a ndarray, expected \(observation, info\).*before 0.26"),
        ("step", r"Old.step gives 4 things, expected \(observation, reward, terminated, trunc"),
        ("reward", r"gives a reward of NoneType at step 1, expected numbers"),
        ("seen", r"Old shows a dict and gives a reward of float at step 1, expected numbers"),
    ],
)
def test_environments_that_speak_otherwise(way, says, key):
    with pytest.raises(Exception, match=says):
        nl.act(Random(), GymnasiumEnvironment(lambda: Old(way)), steps=2, key=key)


def test_what_makes_no_environment():
    with pytest.raises(TypeError, match=r"expected a gymnasium.Env.*lambda: MyEnv\(\)"):
        Host(lambda: None, 8)
    with pytest.raises(TypeError, match=r"is one that is made already"):
        Host.__init__(SimpleNamespace(), 7, 8)


@pytest.mark.parametrize("action", [2, -1, 0.5, [1, 0]])
def test_a_view_refuses_actions_outside_its_space(action):
    view = nl.to_gymnasium(CartPole())
    view.reset(seed=0)
    with pytest.raises(ValueError, match=r"lies outside Discrete\(2\).*action_space.sample"):
        view.step(action)
    view.step(np.int32(1))  # and goes on


def test_actions_whose_bounds_differ_are_stretched(key):
    made = Odd()
    world = GymnasiumEnvironment(lambda: made)
    assert world.actions == Box((2,), -1.0, 1.0)
    half = Scripted(lambda seen, key: jnp.array([-1.0, 0.5]))
    nl.act(half, world, steps=1, key=key)
    np.testing.assert_allclose(made.done[-1], [0.0, 1.0])


@pytest.mark.parametrize(
    ("space", "what", "found"),
    [
        (spaces.Dict(a=spaces.Discrete(2)), "observation", "has Dict for an observation"),
        (spaces.Tuple([spaces.Discrete(2)]), "observation", "has Tuple for an observation"),
        (spaces.MultiDiscrete([2, 2]), "action", "has MultiDiscrete for an action"),
        (spaces.Box(0, 9, (1,), np.int32), "action", "has a box of int32 for an action"),
    ],
)
def test_spaces_that_nobody_here_knows(space, what, found):
    made = Odd()
    setattr(made, f"{what}_space", space)
    world = GymnasiumEnvironment(lambda: made)
    with pytest.raises(ValueError, match=f"Odd {found}.*Wrap it first"):
        getattr(world, f"{what}s")


def test_numbers_that_do_not_begin_at_nought(key):
    made = Odd()
    made.action_space = spaces.Discrete(3, start=5)
    nl.act(Random(), GymnasiumEnvironment(lambda: made), steps=30, key=key)
    assert set(made.done) == {5, 6, 7}


def test_nobody_goes_back_in_time_or_to_a_copy_that_is_gone(key):
    world = GymnasiumEnvironment("CartPole-v1", copies=2)
    push, keys = jnp.zeros((), jnp.int32), jax.random.split(key, 5)
    first, _ = world.reset(key=keys[0])
    second, _ = world.step(first, push, key=key)
    with pytest.raises(Exception, match=r"Step 0 of episode 1 of CartPole-v1 should be taken"):
        world.step(first, push, key=key)
    for each in keys[1:]:
        world.reset(key=each)
    with pytest.raises(Exception, match=r"copy was needed for a later one: 4 are open"):
        world.step(second, push, key=key)
    with pytest.raises(ValueError, match=r"copies=0"):
        GymnasiumEnvironment("CartPole-v1", copies=0)


def test_evaluation_runs_side_by_side_until_the_last_has_ended(key):
    world = GymnasiumEnvironment("CartPole-v1")
    left = Scripted(lambda seen, key: jnp.zeros((), jnp.int32))
    returns = nl.evaluate(left, world, None, episodes=4, key=key)
    assert len(set(returns.tolist())) > 1
    assert all(8 <= each <= 11 for each in returns.tolist())  # who only goes left falls at once


@pytest.mark.parametrize(
    ("package", "make"),
    [
        ("gymnax", lambda: GymnaxEnvironment("Catch-bsuite")),
        ("gymnasium", lambda: GymnasiumEnvironment("CartPole-v1")),
        ("gymnasium", lambda: nl.to_gymnasium(CartPole())),
    ],
)
def test_missing_packages_name_their_extra(package, make, monkeypatch):
    importlib.import_module("neurula.environments.gymnax_environment")._made.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"'{package}'.*neurula\[environments\]"):
        make()


# Ours as Gymnasium's


def quietly(view):
    """Gymnasium's own check; of its advice, what is meant for others is left out."""
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings():
        for advice in ("not having a spec", "infinity. This is probably too"):
            warnings.filterwarnings("ignore", f".*{advice}")
        check_env(view)


@pytest.mark.parametrize("world", [TimeLimit(CartPole(), 9), GymnaxEnvironment("FrozenLake-misc")])
def test_gymnasium_finds_nothing_wrong_with_ours(world):
    quietly(nl.to_gymnasium(world))


def test_a_view_has_the_spaces_steps_and_ends_of_ours():
    view = nl.to_gymnasium(TimeLimit(CartPole(), 9), render=lambda w: f"step {w.step}")
    assert view.action_space == spaces.Discrete(2)
    assert view.observation_space == spaces.Box(-np.inf, np.inf, (4,), np.float32)
    with pytest.raises(ValueError, match=r"An episode begins with a reset"):
        view.step(0)
    first, _ = view.reset(seed=5)
    places, _ = ours(jnp.asarray(first), jnp.asarray(np.arange(9) % 2, jnp.int32))
    for step in range(9):
        seen, reward, terminated, truncated, _ = view.step(step % 2)
        np.testing.assert_allclose(seen, places[step], rtol=1e-5)
        assert (reward, terminated, truncated) == (1.0, False, step == 8)
    assert (view.render_mode, view.render()) == ("ansi", "step 9")
    again, _ = view.reset(seed=5)
    other, _ = view.reset()
    assert (again == first).all()
    assert (other != first).any()


def test_pictures_are_bytes():
    draw = lambda world: np.zeros((2, 2, 3), np.uint8)  # noqa: E731
    assert nl.to_gymnasium(CartPole(), render=draw).render_mode == "rgb_array"
    with pytest.raises(ValueError, match=r"`render` gives ndarray float64 \[2, 2, 3\], expected"):
        nl.to_gymnasium(CartPole(), render=lambda world: np.zeros((2, 2, 3)))
