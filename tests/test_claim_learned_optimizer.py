"""Pieces of `learned-optimizer`: its tasks, its hand-made optimisers, what diverges."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from neurula.claims.learned_optimizer import (
    DIVERGED,
    HAND_MADE,
    by_hand,
    drawn,
    log_errors,
    quadratic,
    small_network,
)

KEYS = jax.random.split(jax.random.key(0), 3)


def test_errors_of_descent_are_those_of_linear_algebra():
    rate, steps = 0.003, 5
    found = log_errors(quadratic, KEYS, optax.sgd(rate), steps)
    for key, errors in zip(KEYS, found, strict=True):
        at_matrix, at_goal = jax.random.split(key)
        matrix = np.asarray(jax.random.normal(at_matrix, (10, 10)), np.float64)
        goal = np.asarray(jax.random.normal(at_goal, (10,)), np.float64)
        x, expected = np.zeros(10), []
        for _ in range(steps + 1):
            expected.append(np.log(np.sum((matrix @ x - goal) ** 2)))
            x = x - rate * 2 * matrix.T @ (matrix @ x - goal)
        np.testing.assert_allclose(errors, np.array(expected, np.float32), rtol=1e-4, atol=1e-4)


def test_what_is_no_longer_finite_is_counted_as_very_bad():
    found = log_errors(quadratic, KEYS, optax.sgd(1e6), 20)
    np.testing.assert_array_equal(found[:, -1], np.full(3, DIVERGED, np.float32))


def test_a_network_that_is_its_teacher_makes_no_error():
    weights, error = small_network(KEYS[0])
    keys = jax.random.split(KEYS[0], 5)
    teacher = [jax.random.normal(keys[1], (10, 20)) / 10**0.5, jnp.zeros(20)]
    teacher.append(jax.random.normal(keys[2], (20, 1)) / 20**0.5)
    assert error(tuple(teacher), key=None) == pytest.approx(0.0, abs=1e-9)
    assert error(weights, key=None) > 0.1


@pytest.mark.parametrize("name", HAND_MADE)
def test_step_sizes_decay_to_their_share(name):
    settings = jnp.array([0.1, 0.01, 0.5, 0.9])
    optimiser, w = by_hand(name, settings, 2), jnp.ones(1)
    state, moves = optimiser.init(w), []
    with jax.numpy_dtype_promotion("standard"):
        for _ in range(3):
            change, state = optimiser.update(jnp.array([2.0]), state, w)
            moves.append(-float(change[0]))
    # With the same gradient again and again, Adam's normalised memories are that gradient.
    rates = np.array([0.1, 0.01, 0.001])
    momenta = np.array([2.0, 3.0, 3.5])  # sums of 2 / 2^k
    expected = {
        "Adam": rates,
        "RMSprop": rates * 2 / np.sqrt(4 * (1 - 0.9 ** np.arange(1, 4))),
        "momentum": rates * momenta,
        "Nesterov": rates * (2 + 0.5 * momenta),
    }
    np.testing.assert_allclose(moves, expected[name], rtol=1e-3)


def test_settings_are_drawn_from_where_they_make_sense():
    for name in HAND_MADE:
        tried = jax.vmap(lambda k, name=name: drawn(name, k))(jax.random.split(KEYS[0], 500))
        rate, end, fast, slow = np.asarray(tried).T
        assert ((end >= 1e-4) & (end <= 1)).all()
        assert ((fast >= 0) & (fast <= 0.9901)).all()
        assert ((slow >= 0.9) & (slow <= 0.9991)).all()
        low, high = (1e-3, 1.0) if name in ("Adam", "RMSprop") else (1e-4, 0.1)
        assert ((rate >= 0.999 * low) & (rate <= 1.001 * high)).all()
