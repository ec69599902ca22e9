"""The maze deceives: straight ahead is a dead end, and the way out leads away from the goal."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.environments import DeceptiveMaze
from neurula.genomes import Weights

KEY, MAZE = jax.random.key(0), DeceptiveMaze()
# How far (m) along x and y: out of the trap, around it, up beside the chamber, and into it.
DETOUR = [(0.0, -0.25), (-0.37, 0.0), (0.0, 0.75), (0.37, 0.0), (0.0, -0.16)]


def walked(moves):
    """Places and rewards of a walk, one step after the other; ends where the episode does."""
    state, _ = MAZE.reset(key=KEY)
    places, rewards, step = [state], [], jax.jit(lambda s, a: MAZE.step(s, a, key=KEY))
    for move in moves:
        state, event = step(state, jnp.asarray(move, jnp.float32))
        places.append(state)
        rewards.append(float(event.reward))
        if event.terminated:
            break
    return np.array(places), np.array(rewards), bool(event.terminated)


def strides(legs):
    """Legs in steps of up to 5 cm along each axis."""
    many = [max(1, int(np.ceil(np.abs(leg).max() / MAZE.stride))) for leg in legs]
    return [np.array(leg) / n for leg, n in zip(legs, many, strict=True) for _ in range(n)]


def test_straight_ahead_is_a_dead_end():
    places, rewards, there = walked(strides([(0.0, 0.6)]))
    assert not there
    np.testing.assert_allclose(places[-1], [0.5, 0.6], atol=2e-3)  # below the roof
    start, end = (float(MAZE.distance(jnp.asarray(p))) for p in places[[0, -1]])
    assert (start, end) == pytest.approx((0.3, 0.1), abs=2e-3)
    assert rewards.sum() == pytest.approx(start - end, abs=1e-6)


def test_a_detour_leads_to_the_goal_and_away_from_it_first():
    places, rewards, there = walked(strides(DETOUR))
    assert there
    assert len(rewards) <= 50
    far = [float(MAZE.distance(jnp.asarray(p))) for p in places]
    assert far[-1] <= MAZE.radius < 0.5 < max(far)
    assert rewards.sum() == pytest.approx(0.3 - far[-1], abs=1e-5)
    np.testing.assert_allclose(MAZE.seen(jnp.array([1.0, 0.0])), [1.0, -1.0])


def test_goals_and_starts_lie_inside():
    with pytest.raises(ValueError, match=r"goal=\(1.5, 0.9\)"):
        DeceptiveMaze(goal=(1.5, 0.9))


def test_lives_in_worlds_tell_their_behaviour():
    """A linear brain that goes up ends below the roof; without a function nothing is told."""
    up = jnp.array([0.0, 5.0, 0.0, 0.0, 0.0, 0.0])  # two biases, then the weights
    brain = Weights(nl.layered([2, 2], key=KEY)).develop(up, key=KEY)
    told = nl.InWorld(MAZE, limit=30, episodes=2, behaviour=lambda place: place)
    found = eqx.filter_jit(told)(brain, key=KEY)
    np.testing.assert_allclose(found.behaviour, [0.5, 0.6], atol=2e-3)
    assert found.fitness == pytest.approx(0.2, abs=2e-3)
    silent = nl.InWorld(MAZE, limit=30)
    assert eqx.filter_eval_shape(lambda: silent(brain, key=KEY)).behaviour is None
