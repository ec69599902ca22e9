"""Selectivity for direction and orientation, gratings and motion energy against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula import measures
from neurula.measures import directions, grating_responses, motion_energy, opponent_energy

direction_index = jax.jit(measures.direction_index)
orientation_index = jax.jit(measures.orientation_index)
preferred_direction = jax.jit(measures.preferred_direction)
rectified = jax.jit(measures.rectified)
shuffled_direction_index = jax.jit(measures.shuffled_direction_index, static_argnames="draws")
energy_correlation = jax.jit(measures.energy_correlation, static_argnames="after")
grating = jax.jit(measures.grating, static_argnums=(0, 1))

WAYS = np.asarray(directions(12), np.float64)


def tuned(one, two, at):
    """A cell with the Fourier components `one` and `two` of its tuning."""
    return 1 + one * np.cos(WAYS - at) + two * np.cos(2 * (WAYS - at))


def test_indices_are_those_of_the_closed_form():
    at = WAYS[5]
    cases = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.8), (0.3, 0.4), (1.0, 0.0)]
    tuning = jnp.asarray(np.stack([tuned(*case, at) for case in cases], 1), jnp.float32)
    wanted = [1 - (1 - one + two) / (1 + one + two) for one, two in cases]
    np.testing.assert_allclose(direction_index(tuning), wanted, atol=1e-5)
    np.testing.assert_allclose(orientation_index(tuning), [two / 2 for _, two in cases], atol=1e-5)
    np.testing.assert_allclose(preferred_direction(tuning)[1:], at, atol=1e-5)


def test_index_rectifies_and_silence_is_not_selective():
    tuning = jnp.array([[2.0, 0.0, -1.0], [0.0, 0.0, -1.0], [-1.0, 0.0, -2.0], [0.0, 0.0, -1.0]])
    np.testing.assert_array_equal(direction_index(tuning), [1, 0, 0])
    np.testing.assert_array_equal(orientation_index(tuning), [1, 0, 0])
    with pytest.raises(ValueError, match=r"even number of directions.*got 3.*directions\(12\)"):
        direction_index(jnp.ones((3, 2)))


def test_rectified_is_the_mean_of_half_a_wave():
    time = np.arange(16)[:, None]
    wave = jnp.asarray(5 + 2 * np.cos(2 * np.pi * time / 16 + np.array([[0.0, 0.4]])), jnp.float32)
    blank = jnp.full((16, 2), 5.0)
    np.testing.assert_allclose(rectified(wave, blank), 2 / np.pi, rtol=0.02)
    np.testing.assert_allclose(rectified(wave - 10, blank), 0.0)


def test_shuffled_index_is_that_of_all_ways_to_share_out_trials():
    """Four trials each way, all or nothing: hypergeometric shares."""
    trials = jnp.zeros((2, 4, 2)).at[0].set(1.0)
    found = np.asarray(shuffled_direction_index(trials, draws=4000, key=jax.random.key(0)))
    assert found.shape == (4000, 2)
    assert not np.array_equal(found[:, 0], found[:, 1])  # every cell by itself
    for index, share in ((0.0, 36 / 70), (2 / 3, 32 / 70), (1.0, 2 / 70)):
        assert np.mean(np.isclose(found, index)) == pytest.approx(share, abs=0.02)


def test_shuffled_index_keeps_orientation():
    """A cell with an orientation and no direction has none after the shuffle, either."""
    trials = jnp.asarray(np.repeat((1 + np.cos(2 * WAYS))[:, None, None], 5, 1), jnp.float32)
    found = shuffled_direction_index(trials, draws=50, key=jax.random.key(0))
    np.testing.assert_allclose(found, 0, atol=1e-5)


def test_gratings_drift_the_way_they_are_told():
    film = np.asarray(grating(9, 5, direction=0.0, frequency=0.1, tempo=0.2))
    np.testing.assert_allclose(film[1:, :, 2:], film[:-1, :, :-2], atol=1e-5)  # 2 pixels a frame
    assert np.ptp(film, axis=1).max() < 1e-5  # bars stand across the direction
    up = np.asarray(grating(9, 5, direction=np.pi / 2, frequency=0.1, tempo=0.2, contrast=0.5))
    np.testing.assert_allclose(up[1:, :-2], up[:-1, 2:], atol=1e-5)  # rows run down
    assert up.max() == pytest.approx(0.5, rel=1e-3)
    assert film[0, 4, 4] == pytest.approx(1)
    turned = grating(9, 5, direction=0.0, frequency=0.1, tempo=0.2, phase=np.pi / 2)
    assert abs(turned[0, 4, 4]) < 1e-6


def test_responses_are_to_what_each_cell_likes_best():
    """Cells that compare a film with gratings know which one they like, and nothing else."""
    liked = [(0.1, 1 / 4, 2), (0.2, 1 / 8, 7)]
    patterns = [grating(8, 32, direction=WAYS[w], frequency=f, tempo=t) for f, t, w in liked]

    def watch(film):
        match = jnp.stack([jnp.mean(film * pattern, (1, 2)) for pattern in patterns], 1)
        level = jnp.maximum(jnp.mean(match, axis=0), 0.0)
        return jnp.broadcast_to(1 + level[None], match.shape)  # 1 at a blank picture

    trials, found = jax.jit(lambda: grating_responses(watch, 8))()
    assert trials.shape == (12, 12, 2)
    np.testing.assert_allclose(found, [x[:2] for x in liked])
    tuning = trials.mean(1)
    np.testing.assert_allclose(preferred_direction(tuning), [WAYS[x[2]] for x in liked], atol=1e-5)
    assert (direction_index(tuning) > 0.9).all()


at_energy = jax.jit(lambda x: motion_energy(x, direction=0.7, frequency=0.15, rate=1.5))
at_opponent = jax.jit(lambda x: opponent_energy(x, direction=0.0, frequency=0.15, rate=1.5))


def energy(**grating_settings):
    settings = {"direction": 0.7, "frequency": 0.15, "tempo": 1 / 8} | grating_settings
    film = grating(16, 64, **settings)
    return np.asarray(at_energy(film))[32:]


def test_energy_is_steady_selective_and_quadratic():
    there, back = energy(), energy(direction=0.7 + np.pi)
    assert there.std() / there.mean() < 0.05  # whatever the phase
    np.testing.assert_allclose(energy(phase=2.0), there, rtol=0.1)
    assert there.mean() > 5 * back.mean()
    assert there.mean() > 100 * energy(direction=0.7 + np.pi / 2).mean()
    np.testing.assert_allclose(energy(contrast=2.0), 4 * there, rtol=1e-4)


def test_opponent_energy_changes_sign_with_direction_and_ignores_what_stands_still():
    def opponent(way, tempo):
        film = grating(16, 64, direction=way, frequency=0.15, tempo=tempo)
        return np.asarray(at_opponent(film))[32:]

    right, left, still = opponent(0.0, 1 / 8), opponent(np.pi, 1 / 8), opponent(0.0, 0.0)
    np.testing.assert_allclose(right, -left, rtol=0.05, atol=1e-3 * right.max())
    assert (right > 0).all()
    assert np.abs(still).max() < 1e-4 * right.mean()


def test_energy_correlation_finds_its_own_model():
    at, frequency = jnp.array([0.0, np.pi / 2]), jnp.array([0.15, 0.15])
    films = jax.random.normal(jax.random.key(0), (20, 8, 8, 8))
    see = lambda x, way: opponent_energy(x, direction=way, frequency=0.15, rate=2.0)  # noqa: E731
    cells = lambda x: jnp.stack([3 * see(x, at[0]) + 1, jnp.ones(8)], 1)  # noqa: E731
    own = jax.jit(jax.vmap(cells))(films)
    settings = {"preferred": at, "frequency": frequency, "rate": 2.0, "after": 3}
    np.testing.assert_allclose(energy_correlation(films, own, **settings), [1, 0], atol=1e-4)
    mirrored = energy_correlation(films, own, **settings | {"preferred": at + np.pi})
    np.testing.assert_allclose(mirrored, [-1, 0], atol=1e-4)
