"""Two poles on a cart: the equations against the mechanics they come from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.environments import DoublePole, double_pole
from neurula.environments.runge_kutta import runge_kutta

WORLD = DoublePole()


def newton(state, force):
    """Lagrange's equations of a cart with two rods, solved as three linear equations.

    Written anew, with the friction of hinges as a torque: M q'' = forces, q = place, angles.
    """
    _, v, a, wa, b, wb = state
    g, mass = 9.8, 1.0
    m, l, w, q = (0.1, 0.01), (0.5, 0.05), (wa, wb), (a, b)  # noqa: E741
    matrix, right = np.zeros((3, 3)), np.zeros(3)
    matrix[0, 0] = mass + sum(m)
    right[0] = force
    for i in (0, 1):
        matrix[0, 1 + i] = matrix[1 + i, 0] = m[i] * l[i] * np.cos(q[i])
        matrix[1 + i, 1 + i] = 4 / 3 * m[i] * l[i] ** 2
        right[0] += m[i] * l[i] * w[i] ** 2 * np.sin(q[i])
        right[1 + i] = m[i] * l[i] * g * np.sin(q[i]) - 2e-6 * w[i]
    faster = np.linalg.solve(matrix, right)
    return np.array([v, faster[0], wa, faster[1], wb, faster[2]])


def test_the_derivative_is_that_of_the_mechanics():
    rng = np.random.default_rng(0)
    for state in rng.normal(size=(20, 6)):
        force = 10 * rng.normal()
        found = double_pole.change(jnp.asarray(state, jnp.float32), jnp.float32(force))
        np.testing.assert_allclose(found, newton(state, force), rtol=1e-4, atol=1e-3)


def test_a_swing_without_force_is_that_of_an_independent_integrator():
    from scipy.integrate import solve_ivp

    start = np.array([0.0, 0.0, 0.07, 0.0, 0.0, 0.0])
    swing = solve_ivp(lambda t, y: newton(y, 0.5), (0, 0.6), start, rtol=1e-10, atol=1e-12)
    step = jax.jit(lambda s: WORLD.step(s, jnp.full(1, 0.5), key=jax.random.key(0))[0])
    state = jnp.asarray(start, jnp.float32)
    for _ in range(30):
        state = step(state)
    np.testing.assert_allclose(state, swing.y[:, -1], rtol=2e-3, atol=2e-4)


def test_energy_stays_without_force_and_grows_by_the_work_of_a_force():
    start = jnp.array([0.0, 0.0, 0.4, 0.0, -0.2, 0.0])

    def swing(force):
        def one(state, _):
            after = runge_kutta(lambda s: double_pole.change(s, force), state, double_pole.DT)
            return after, (after, force * (after[0] - state[0]))

        return jax.lax.scan(one, start, None, length=60)[1]

    energy = jax.jit(jax.vmap(double_pole.energy))
    before = float(double_pole.energy(start))
    for force in (0.0, 5.0):
        states, work = jax.jit(swing)(jnp.float32(force))
        gained = np.asarray(energy(states)) - before
        np.testing.assert_allclose(gained, np.cumsum(work), atol=2e-3)


def test_it_ends_where_a_pole_or_the_cart_is_lost():
    step = jax.jit(lambda s: WORLD.step(s, jnp.zeros(1), key=jax.random.key(0))[1].terminated)
    inside = jnp.array([2.3, 0.0, 0.0, 0.0, 0.6, 0.0])
    assert not step(inside)
    for place, value in ((0, 2.41), (2, 0.64), (4, -0.64)):
        assert step(inside.at[place].set(value))


def test_without_velocities_only_places_are_seen():
    blind = DoublePole(velocities=False)
    _, event = blind.reset(key=jax.random.key(0))
    assert event.observation == pytest.approx([0, 4 * np.pi / 180 / 0.52, 0])
