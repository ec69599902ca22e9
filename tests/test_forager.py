"""Foragers move as rats do, within stated distances; successors learned from paths are exact."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from real_data import real

from neurula.agents import successor_matrix
from neurula.environments import Arena
from neurula.predictive_map import counted_chances, learned_successors
from neurula.wandering import wander

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.fit_forager import apart, distance, gait


def test_a_forager_moves_as_a_rat_does():
    rat = real("trajectories")
    times, arena = rat["sargolini_time"], Arena()
    steps = np.arange(times[0], times[-1], arena.dt)
    track = np.stack([np.interp(steps, times, rat["sargolini_position"][:, k]) for k in (0, 1)], 1)
    found = gait(track, arena.dt, (1.0, 1.0))
    walks = jax.vmap(lambda key: wander(arena, seconds=600.0, key=key)[1])(
        jax.random.split(jax.random.key(9), 2)
    )
    gaits = [gait(np.asarray(each), arena.dt, (1.0, 1.0)) for each in walks.position]
    for one in gaits:
        gaps = apart(one, found)
        assert gaps["speed"] < 0.1  # distances of Kolmogorov and Smirnov
        assert gaps["turning"] < 0.1
        assert gaps["wall"] < 0.2
        assert gaps["speed_time"] < 0.3  # logarithm of a ratio
        places = lambda path: len(np.unique((np.asarray(path) * 10).astype(int) @ [10, 1]))  # noqa: E731
    assert min(places(each) for each in walks.position) >= 0.9 * places(track)


def test_gaits_by_hand():
    dt, turn = 0.02, 2.0
    angle = turn * np.arange(0, 20, dt)
    circle = 0.5 + 0.1 * np.stack([np.cos(angle), np.sin(angle)], 1)
    found = gait(circle, dt, (1.0, 1.0))
    middle = slice(100, -100)  # away from the ends, where nothing follows
    np.testing.assert_allclose(found.turning[middle], turn, rtol=1e-3)
    blurred = 0.1 * turn * np.exp(-((turn * 0.1) ** 2) / 2)
    np.testing.assert_allclose(found.speed[middle], blurred, rtol=1e-2)
    assert distance(np.arange(10.0), np.arange(10.0) + 5) == pytest.approx(0.5)


def test_successors_learned_with_a_falling_rate_are_the_exact_ones():
    key, states = jax.random.key(0), 6
    moves = jax.random.rademacher(key, (60_000,), jnp.int32)
    path = jnp.mod(jnp.cumsum(moves), states)
    learned = jnp.eye(states)
    for part, rate in zip(jnp.split(path, 6), (0.3, 0.1, 0.03, 0.01, 0.005, 0.002), strict=True):
        learned = learned_successors(part, states, discount=0.8, rate=rate, start=learned)
    ring = (np.roll(np.eye(states), 1, 1) + np.roll(np.eye(states), -1, 1)) / 2
    exact = np.linalg.inv(np.eye(states) - 0.8 * ring)
    np.testing.assert_allclose(learned, exact, atol=0.05)
    counted = successor_matrix(counted_chances(path, states), 0.8)
    np.testing.assert_allclose(counted, exact, atol=0.03)


def test_nothing_follows_the_end_of_an_episode():
    path, follows = jnp.array([0, 1, 2, 0]), jnp.array([True, False, True, True])
    found = learned_successors(path, 3, discount=0.5, rate=1.0, follows=follows)
    np.testing.assert_allclose(found, [[1, 0.5, 0], [0, 1, 0], [0.5, 0.25, 1]])
