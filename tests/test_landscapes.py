"""Landscapes against counting, closed forms and every string there is."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.landscapes import NK, islands, nk, quadratic, trap

KEY = jax.random.key(0)


def test_a_trap_by_number_of_ones():
    worth = [trap(jnp.arange(5) < ones) for ones in range(6)]
    np.testing.assert_allclose(worth, [0.8, 0.6, 0.4, 0.2, 0.0, 1.0], rtol=1e-6)


def test_blocks_are_averaged():
    bits = jnp.array([1, 1, 1, 0, 0, 0, 1, 0, 0], bool)
    np.testing.assert_allclose(trap(bits, block=3), (1 + 2 / 3 + 1 / 3) / 3, rtol=1e-6)


def test_traps_deceive():
    """Of all 1,024 strings only two kinds of block are peaks: zeros alone and ones alone."""
    strings = jnp.array(list(itertools.product([False, True], repeat=10)))
    worth = np.asarray(jax.vmap(trap)(strings)).reshape([2] * 10)
    neighbours = [np.flip(worth, axis) for axis in range(10)]
    peaks = np.argwhere((worth > np.stack(neighbours)).all(0)).reshape(-1, 2, 5)
    assert len(peaks) == 4
    assert set(peaks.sum(-1).ravel()) == {0, 5}


def test_refuses_parts_of_blocks():
    with pytest.raises(ValueError, match=r"whole blocks .* got 7 bits and block=5"):
        trap(jnp.zeros(7, bool))


def test_the_slope_of_a_trap_leads_away_from_ones():
    """Where bits are numbers: -1 / 5 for every bit of a block, 0 at the peak; over 2 blocks."""
    bits = jnp.array([1.0] * 5 + [1.0, 0.0, 1.0, 1.0, 1.0])
    np.testing.assert_allclose(trap(bits), (1.0 + 0.0) / 2, atol=1e-6)
    np.testing.assert_allclose(jax.grad(trap)(bits), [0.0] * 5 + [-0.1] * 5, rtol=1e-6)


def test_newton_finds_the_top_of_a_quadratic_in_one_step():
    point, goal = jax.random.normal(KEY, (2, 6))
    worth = lambda x: quadratic(x, goal, condition=1000.0)  # noqa: E731
    curvature = 10 ** np.linspace(0, 3, 6)
    expected = -0.5 * np.sum(curvature * np.asarray(point - goal) ** 2)
    np.testing.assert_allclose(worth(point), expected, rtol=1e-5)
    np.testing.assert_allclose(jax.grad(worth)(point), -curvature * (point - goal), rtol=1e-4)
    top = point - jnp.linalg.solve(jax.hessian(worth)(point), jax.grad(worth)(point))
    np.testing.assert_allclose(top, goal, rtol=1e-3)
    assert worth(goal) == 0


def test_nk_is_that_of_loops():
    table = np.arange(4 * 8.0).reshape(4, 8)
    bits = [1, 0, 1, 1]
    read = [table[i][bits[i] * 4 + bits[(i + 1) % 4] * 2 + bits[(i + 2) % 4]] for i in range(4)]
    landscape = NK(jnp.asarray(table, jnp.float32))
    assert (landscape.bits, landscape.others) == (4, 2)
    np.testing.assert_allclose(landscape(jnp.array(bits, bool)), np.mean(read), rtol=1e-6)


@pytest.mark.parametrize("others", [0, 7])
def test_nk_peaks(others):
    """K = 0: one peak. K = N - 1: 2^N / (N + 1) on average (Kauffman & Levin 1987)."""
    strings = jnp.array(list(itertools.product([False, True], repeat=8)))
    grow = jax.jit(lambda key: jax.vmap(nk(8, others, key=key))(strings))
    counts = []
    for key in jax.random.split(KEY, 20):
        worth = np.asarray(grow(key)).reshape([2] * 8)
        neighbours = np.stack([np.flip(worth, axis) for axis in range(8)])
        counts.append((worth > neighbours).all(0).sum())
    expected = 1 if others == 0 else 256 / 9
    assert abs(np.mean(counts) - expected) < (1e-9 if others == 0 else 2.5)


def test_nk_refuses_more_others_than_bits():
    with pytest.raises(ValueError, match=r"got bits=4, others=4"):
        nk(4, 4, key=KEY)


def test_islands_are_disjoint_and_the_sea_is_flat():
    goal = jnp.array([3.0, 4.0])
    worth = jax.vmap(lambda point: islands(point, goal))
    shores = worth(jnp.array([[3.0, 4.0], [3.2, 4.0], [0.0, 0.0], [0.0, 0.1]]))
    np.testing.assert_allclose(shores, [0.0, -0.04, -5 / 6, -5 / 6 - 0.01], rtol=1e-5)
    sea = worth(jnp.array([[0.5, 0.5], [0.4, 0.0], [3.0, 3.6]]))
    np.testing.assert_allclose(sea, [-2.09] * 3, rtol=1e-5)
    slope = jax.vmap(jax.grad(lambda point: islands(point, goal)))
    np.testing.assert_allclose(
        slope(jnp.array([[0.5, 0.4], [1.1, 0.0]])), [[0, 0], [-0.2, 0]], atol=1e-5
    )
