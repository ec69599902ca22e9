"""The valley is Gymnasium's, step by step, and its hill cannot be climbed without a swing."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.environments import MountainCar


@eqx.filter_jit
def drive(world, start, length, policy):
    """Places and speeds, what was seen and whether it was over, while a policy drives."""

    def one(state, step):
        state, event = world.step(state, policy(state, step), key=jax.random.key(0))
        return state, (state, event.observation, event.terminated)

    return jax.lax.scan(one, start, jnp.arange(length))[1]


def test_it_is_that_of_gymnasium_step_by_step():
    gymnasium = pytest.importorskip("gymnasium")
    theirs = gymnasium.make("MountainCar-v0").unwrapped
    theirs.reset(seed=1)
    start = np.array(theirs.state, np.float32)
    theirs.state = start.astype(float)
    # Swings with the speed, with an idle step now and then: it meets the wall and gets there.
    swing = lambda state, step: jnp.where(  # noqa: E731
        step % 7 == 0, 1, jnp.where(state[1] >= 0, 2, 0)
    )
    places, _, ended = drive(MountainCar(), jnp.asarray(start), 199, swing)
    state, leftmost = start, 0.0
    for step in range(199):
        action = 1 if step % 7 == 0 else (2 if state[1] >= 0 else 0)
        state, reward, terminated, _, _ = theirs.step(action)
        np.testing.assert_allclose(places[step], state, atol=2e-5)
        assert bool(ended[step]) == terminated
        assert reward == -1
        leftmost = min(leftmost, state[0])
        if terminated:
            break
    assert terminated
    assert 80 < step < 199


def test_the_wall_at_the_left_stops_the_car():
    gymnasium = pytest.importorskip("gymnasium")
    theirs = gymnasium.make("MountainCar-v0").unwrapped
    theirs.reset(seed=1)
    theirs.state = np.array([-1.15, -0.06])
    seen, *_ = theirs.step(0)
    state, event = MountainCar().step(
        jnp.array([-1.15, -0.06]), jnp.asarray(0), key=jax.random.key(0)
    )
    np.testing.assert_allclose(state, seen, atol=1e-6)
    assert state[1] == 0
    assert event.reward == -1


def test_full_speed_ahead_never_gets_there_but_swinging_does():
    start = jnp.array([-0.5, 0.0])
    _, _, ahead = drive(MountainCar(), start, 1000, lambda state, step: jnp.asarray(2))
    _, _, swung = drive(
        MountainCar(), start, 200, lambda state, step: jnp.where(state[1] >= 0, 2, 0)
    )
    assert not ahead.any()
    assert swung.any()


def test_what_networks_see_runs_from_minus_one_to_one():
    state, event = MountainCar(scaled=True).reset(key=jax.random.key(2))
    assert -0.6 <= state[0] <= -0.4
    np.testing.assert_allclose(event.observation, [(state[0] + 0.3) / 0.9, 0.0], atol=1e-6)
    _, seen, _ = drive(
        MountainCar(scaled=True), state, 200, lambda state, step: jnp.where(state[1] >= 0, 2, 0)
    )
    assert 0.7 < np.abs(np.asarray(seen)).max() < 1.0001
