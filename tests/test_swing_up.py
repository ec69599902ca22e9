"""A hanging pole: its equations against the mechanics they come from, its reward by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from neurula.environments import SwingUp, swing_up
from neurula.environments.runge_kutta import runge_kutta

WORLD = SwingUp()


def lagrange(state, force):
    """Lagrange's equations of a cart with a thin rod, solved as two linear equations."""
    _, v, angle, turn = state
    m, half, g = 0.5, 0.3, 9.82
    inertia = m * half**2 + m * (2 * half) ** 2 / 12
    mass = [[1.0, m * half * np.cos(angle)], [m * half * np.cos(angle), inertia]]
    push = force - 0.1 * v + m * half * turn**2 * np.sin(angle)
    faster, bent = np.linalg.solve(mass, [push, m * g * half * np.sin(angle)])
    return np.array([v, faster, turn, bent])


def test_the_pole_moves_as_mechanics_say():
    from scipy.integrate import solve_ivp

    start = np.array([0.1, -0.2, 2.5, 1.0])
    swing = solve_ivp(lambda t, y: lagrange(y, 4.0), (0, 0.6), start, rtol=1e-10, atol=1e-12)
    step = jax.jit(lambda s: WORLD.step(s, jnp.full(1, 4.0), key=jax.random.key(0))[0])
    state = jnp.asarray(start, jnp.float32)
    for _ in range(30):
        state = step(state)
    np.testing.assert_allclose(state, swing.y[:, -1], rtol=1e-3, atol=1e-4)


def test_energy_stays_without_friction_and_force():
    def one(state, _):
        still = lambda s: swing_up.change(s, jnp.zeros(()), friction=0.0)  # noqa: E731
        after = runge_kutta(still, state, 0.005)
        return after, swing_up.energy(after)

    start = jnp.array([0.0, 0.5, 1.0, -1.0])
    energy = jax.jit(lambda s: jax.lax.scan(one, s, None, length=400)[1])(start)
    np.testing.assert_allclose(energy, swing_up.energy(start), atol=1e-3)


def test_small_swings_have_the_period_of_a_rod_on_a_free_cart():
    """Linearised around hanging: w^2 = 1.5 g / l (M + m) / (M + m / 4), here with M = m."""
    state = jnp.array([0.0, 0.0, jnp.pi + 0.01, 0.0])
    bent = swing_up.change(state, jnp.zeros(()), friction=0.0)[3]
    np.testing.assert_allclose(-bent / 0.01, 1.5 * 9.82 / 0.6 * 2 / 1.25, rtol=1e-3)


def test_reward_is_one_for_a_pole_that_stands_in_the_middle_and_none_where_it_hangs():
    step = jax.jit(lambda s: WORLD.step(s, jnp.zeros(1), key=jax.random.key(0))[1])
    assert abs(float(step(jnp.zeros(4)).reward) - 1) < 1e-6
    assert float(step(jnp.array([0.0, 0.0, jnp.pi, 0.0])).reward) < 1e-6
    half = step(jnp.array([1.6, 0.0, 0.0, 0.0]))  # cos(60 degrees)
    np.testing.assert_allclose(half.reward, 0.5, atol=1e-5)
    gone = step(jnp.array([2.4, 1.0, 0.0, 0.0]))
    assert bool(gone.terminated)
    assert not half.terminated
    np.testing.assert_allclose(gone.reward, 0.0, atol=1e-6)
    np.testing.assert_allclose(half.observation, [1.6, 0.0, 1.0, 0.0, 0.0], atol=1e-5)


def test_it_begins_hanging_and_no_force_is_stronger_than_ten_newtons(key):
    states = jax.vmap(lambda k: WORLD.reset(key=k)[0])(jax.random.split(key, 4000))
    np.testing.assert_allclose(states.mean(0), [0, 0, np.pi, 0], atol=0.02)
    np.testing.assert_allclose(states.std(0), 0.2, atol=0.01)
    step = jax.jit(lambda a: WORLD.step(states[0], a, key=key)[0])
    np.testing.assert_array_equal(step(jnp.full(1, 10.0)), step(jnp.full(1, 99.0)))
