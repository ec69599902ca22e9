"""The problems have the answers that are known, and gradients there are what they should be."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.cliffs import (
    BITS,
    HIDDEN,
    ISLANDS,
    MAZE,
    NET,
    SIZES,
    SMOOTH,
    TARGETS,
    TRAP,
    climb,
    net,
    passing,
    problem,
    walk,
)
from neurula.environments import DeceptiveMaze

KEY = jax.random.key(0)


def slopes(name, points, *, through):
    made = problem(name, key=KEY)
    return jax.vmap(jax.grad(lambda x: made.slope(x, through)))(points)


def test_thresholds_count_to_answer_parity():
    """The net of Minsky & Papert: cell j says whether more than j bits are on, signs alternate."""
    cells = np.zeros((HIDDEN, BITS + 2), np.float32)
    for j in range(BITS):
        cells[j] = [*[1.0] * BITS, BITS - 2 * j - 1, 1.0 if j % 2 == 0 else -1.0]
    genes = jnp.asarray([*cells.ravel(), -0.5])
    fitness, said = problem(NET, key=KEY).worth(genes)
    odd = [sum(bits) % 2 for bits in itertools.product([0, 1], repeat=BITS)]
    np.testing.assert_array_equal(np.asarray(said) > 0, np.array(odd) == 1)
    assert fitness == TARGETS[NET]
    spoiled, _ = problem(NET, key=KEY).worth(genes.at[-1].set(0.5))  # always says that it is odd
    assert spoiled == pytest.approx(0.5)


def test_the_net_is_that_of_loops():
    genes = np.asarray(jax.random.normal(KEY, (SIZES[NET],)))
    cells, expected = genes[:-1].reshape(HIDDEN, -1), []
    for bits in itertools.product([-1, 1], repeat=BITS):
        on = [c[-1] for c in cells if sum(w * b for w, b in zip(c, bits, strict=False)) + c[-2] > 0]
        expected.append(sum(on) + genes[-1])
    np.testing.assert_allclose(net(jnp.asarray(genes), False), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(net(jnp.asarray(genes), True), expected, rtol=1e-4, atol=1e-5)


def test_thresholds_pass_the_slope_of_the_logistic_function():
    drive = jnp.array([-2.0, 0.5])
    logistic = 1 / (1 + np.exp([2.0, -0.5]))
    for through, expected in ((False, [0, 0]), (True, logistic * (1 - logistic))):
        np.testing.assert_allclose(passing(drive, through), [0, 1], atol=1e-7)
        slope = jax.grad(lambda x, t=through: jnp.sum(passing(x, t)))(drive)
        np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", [NET, TRAP])
def test_true_gradients_of_thresholds_are_zero(name):
    points = jax.random.normal(KEY, (20, SIZES[name]))
    assert not slopes(name, points, through=False).any()
    assert np.abs(slopes(name, points, through=True)).sum(1).all()


def test_on_islands_surrogates_know_the_way_and_true_gradients_do_not():
    made = problem(ISLANDS, key=KEY)
    at_sea = jnp.full((1, 4), 0.5)
    goal = at_sea[0] + slopes(ISLANDS, at_sea, through=True)[0] * 7.0  # 3 or 4 away along each axis
    goal = 3.0 * jnp.sign(goal)
    ways = list(itertools.product([-3.0, 3.0], repeat=4))
    best = max(ways, key=lambda corner: float(made.worth(jnp.array(corner))[0]))
    np.testing.assert_array_equal(goal, best)
    assert made.worth(goal)[0] == 0
    assert not slopes(ISLANDS, at_sea, through=False).any()
    shores = goal[None, :] + jnp.array([[0.29, 0, 0, 0], [0.31, 0, 0, 0], [-1.0, 0, 0, 0]])
    worth = jax.vmap(lambda x: made.worth(x)[0])(shores)
    assert list(np.asarray(worth) >= TARGETS[ISLANDS]) == [True, False, False]


def test_walls_stop_walks_but_not_their_surrogates():
    """Up, all the way: the roof stops the walk; a gradient through it, of a last step, is a step's.

    The walk stands still below the roof, so that the true gradient along y is 0.
    """
    up = jnp.tile(jnp.array([0.0, 1.0]), SIZES[MAZE] // 2)
    end = walk(up, False)
    np.testing.assert_allclose(end, [0.5, 0.6], atol=2e-3)
    np.testing.assert_allclose(walk(up, True), end, atol=1e-6)
    true, through = (
        jax.grad(lambda x, t=t: walk(x, t)[1])(up).reshape(-1, 2) for t in (False, True)
    )
    stride = DeceptiveMaze().stride * (1 - np.tanh(1.0) ** 2)
    np.testing.assert_allclose(through[:, 1], stride, rtol=1e-4)
    np.testing.assert_allclose(true[-1], [0.0, 0.0], atol=1e-6)


def test_climbers_reach_a_smooth_top_and_begin_anew_where_nothing_slopes():
    made = problem(SMOOTH, key=KEY)
    settings = {"rate": jnp.float32(0.05), "spread": jnp.float32(1.0)}
    how = {"through": False, "walkers": 3, "key": KEY}
    fitness = climb(made, settings, steps=400, **how)
    assert fitness.shape == (400, 3)
    assert fitness.max() > -0.1 > -10 > fitness[0].max()
    flat = climb(problem(TRAP, key=KEY), settings, steps=200, **how)
    fresh = np.asarray(flat).std()  # 30 random bits in every step, of six blocks
    ones = np.array([0.8, 0.6, 0.4, 0.2, 0.0, 1.0])
    chance = np.array([1, 5, 10, 10, 5, 1]) / 32
    spread = np.sqrt((chance @ ones**2 - (chance @ ones) ** 2) / 6)
    assert fresh == pytest.approx(spread, rel=0.12)
    assert flat.mean() == pytest.approx(chance @ ones, abs=0.02)
