"""The pieces of the claims about the successor representation, against what is known of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims import sr_eigen_grids, sr_rewards, sr_skew, sr_walls
from neurula.environments import Arena
from neurula.measures import grid_score


def test_the_lean_of_an_exponential_is_its_skewness():
    place = np.arange(400)
    share = 0.9 ** np.abs(place - 300) * (place <= 300)  # a tail to the left
    found = sr_skew.lean(jnp.asarray(share, jnp.float32)[None])
    assert float(found[0]) == pytest.approx(1.9 / np.sqrt(0.9), rel=1e-3)  # geometric distribution
    even = jnp.exp(-((jnp.arange(41.0) - 20) ** 2) / 8)
    assert float(sr_skew.lean(even[None])[0]) == pytest.approx(0.0, abs=1e-4)


def test_fields_stand_in_the_middle_of_their_rows():
    found = sr_skew.fields(jnp.eye(12))
    assert np.asarray(found).argmax(1).tolist() == [6] * 12
    np.testing.assert_allclose(found[0], found[7], atol=1e-6)


def test_a_walk_goes_one_way_or_both(key):
    one = np.diff(np.asarray(sr_skew.walked(50, 3000, both_ways=False, key=key))) % 50
    assert set(one.tolist()) == {0, 1}
    assert (one == 0).mean() == pytest.approx(0.1, abs=0.02)
    both = np.diff(np.asarray(sr_skew.walked(50, 3000, both_ways=True, key=key))) % 50
    assert (both == 49).mean() == pytest.approx(0.45, abs=0.03)


def test_cuts_of_fields_that_are_known():
    spots = sr_walls.places()
    even = jnp.ones((len(spots), len(spots)))
    side = (spots[:, 0] < 0.5)[:, None] == (spots[:, 0] < 0.5)[None]
    behind = jnp.where(jnp.asarray(side), 1.0, 0.25)  # a quarter is left across the wall
    assert float(sr_walls.cut(even, behind)) == pytest.approx(0.75)
    assert float(sr_walls.cut(even, even)) == 0


def test_a_fitted_width_is_found_again():
    fields = sr_walls.gaussians(jnp.float32(0.13), sr_walls.OPEN, sr_walls.STRAIGHT)
    assert float(sr_walls.fitted_width(fields)) == pytest.approx(0.13, abs=2e-3)


def test_a_seeker_goes_to_the_reward_and_others_do_not(key):
    path, follows = sr_rewards.lived(4000, seeks=True, ends=True, key=key)
    places = np.stack(np.divmod(np.asarray(path), sr_rewards.SIDE), 1)
    away = np.abs(places - np.array(sr_rewards.GOAL)).sum(1)
    on = np.asarray(follows)[:-1]
    assert (away[:-1][~on] == 0).all()  # episodes end at the reward, and only there
    assert (away[:-1][on] > 0).all()
    assert np.diff(away)[on].mean() == pytest.approx(-0.7, abs=0.1)  # 7 of 10 steps lead closer
    assert np.abs(np.diff(places, axis=0)).sum(1)[on].max() == 1
    _, never = sr_rewards.lived(400, seeks=False, ends=False, key=key)
    assert np.asarray(never).all()


def test_centres_and_who_is_at_the_reward():
    fields = jnp.eye(225).at[jnp.array([0, 2]), 0].set(1.0)
    np.testing.assert_allclose(sr_rewards.middles(fields)[:3], [[0, 1], [0, 1], [0, 2]])
    near = np.asarray(sr_rewards.at_reward(sr_rewards.spots()))
    assert near.sum() == 21  # cells of a lattice within 2.5 of one of them


def test_coarse_noise_keeps_power_and_forgets_the_grid():
    x = np.arange(sr_eigen_grids.SIDE)
    stripes = np.cos(2 * np.pi * 4 * x / len(x))
    maps = (stripes[:, None] * stripes[None])[None].repeat(30, 0)  # squares
    noise = sr_eigen_grids.as_coarse(maps, np.random.default_rng(0))
    power = np.abs(np.fft.fft2(noise)) ** 2
    line = np.fft.fftfreq(len(x), 1 / len(x))
    ring = np.round(np.hypot(line[:, None], line[None])).astype(int)
    assert power.mean(0)[ring == 6].sum() > 0.999 * power.mean(0).sum()  # sqrt(4^2 + 4^2) is 5.7
    assert power.mean(0).max() < 0.2 * power.mean(0).sum()  # no longer in four places
    seen = np.ones(maps.shape[1:], bool)
    drawn = sr_eigen_grids.drawn(maps[:1], seen)
    assert sr_eigen_grids.sharp(drawn, "square")[0] > 0.5
    assert sr_eigen_grids.sharp(drawn, "langston")[0] < 0


def test_squares_and_triangles_are_told_apart():
    x, y = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 40))
    angles = np.radians([10, 70, 130])
    waves = [np.cos(18 * (x * np.cos(a) + y * np.sin(a))) for a in angles]
    six = np.maximum(sum(waves), 0)
    four = np.maximum(np.cos(20 * x) + np.cos(20 * y), 0)
    scores = {name: grid_score(np.stack([six, four]), definition=name)
              for name in ("langston", "square")}  # fmt: skip
    assert scores["langston"][0] > 1
    assert scores["langston"][1] < 0
    assert scores["square"][0] < 0.3
    assert scores["square"][1] > 0.8


def test_eigenvectors_are_those_of_the_room(key):
    path = sr_eigen_grids.walked(Arena(dt=0.05), 3.0, key=key)
    found = np.asarray(sr_eigen_grids.vectors(sr_eigen_grids.SR, path, 0.9))
    assert found.shape == (40, sr_eigen_grids.SIDE**2)
    np.testing.assert_allclose(found @ found.T, np.eye(40), atol=1e-4)
    unseen = np.setdiff1d(np.arange(sr_eigen_grids.SIDE**2), np.asarray(path))
    assert np.abs(found[:, unseen]).max() < 1e-4
    assert jax.numpy.isfinite(found).all()
