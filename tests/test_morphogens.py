"""Gradients have the closed forms of diffusion with decay."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.genomes import Morphogens

FINE = Morphogens(plates=(), secreted=1, spread=0.1, modes=64)
WALL = jnp.asarray(np.stack([np.zeros(40), (np.arange(40) + 0.5) / 40], 1), jnp.float32)

secrete = eqx.filter_jit(lambda morphogens, *rest: morphogens.secrete(*rest))


@eqx.filter_jit
def sense(morphogens, field, places):
    """Concentrations and gradients, and the gradients again, by automatic differentiation."""
    one = lambda place: morphogens.sense(field, place[None])[0][0]  # noqa: E731
    return *morphogens.sense(field, places), jax.vmap(jax.jacfwd(one))(places)


def across(morphogens, field, x):
    places = jnp.stack([x, jnp.full(x.shape, 0.4)], 1)
    return np.asarray(sense(morphogens, field, places)[0][:, 0])


def test_plates_make_exponential_gradients():
    morphogens = Morphogens(plates=("floor", "roof", "left", "right"), secreted=0, reach=0.2)
    places = jnp.array([[0.1, 0.3], [0.7, 0.9]])
    value, slope, hand = sense(morphogens, morphogens.none(), places)
    x, y = np.asarray(places).T
    distance = np.stack([y, 1 - y, x, 1 - x], 1)
    np.testing.assert_allclose(value, np.exp(-distance / 0.2), rtol=1e-5)
    np.testing.assert_allclose(slope, hand, rtol=1e-4, atol=1e-6)


def test_a_secreting_wall_makes_an_exponential_gradient_too():
    """spread^2 u'' = u with a source at x = 0 and no flow at 1: cosh((1 - x) / spread)."""
    field = secrete(FINE, FINE.none(), WALL, jnp.full((40, 1), 1 / 40), 100.0)
    x = jnp.linspace(0.05, 0.6, 12)
    closed = np.cosh((1 - np.asarray(x)) / 0.1) / np.sinh(1 / 0.1) / 0.1
    np.testing.assert_allclose(across(FINE, field, x), closed, rtol=0.05, atol=0.03)
    value = across(FINE, field, jnp.array([0.1, 0.3]))
    assert value[1] / value[0] == pytest.approx(np.exp(-0.2 / 0.1), rel=0.03)


def test_it_fills_up_in_its_lifetime_and_half_steps_make_a_step():
    amounts = jnp.full((40, 1), 0.05)  # 2 in all
    once = secrete(FINE, FINE.none(), WALL, amounts, 1.0)
    assert once[0, 0, 0] == pytest.approx(2 * (1 - np.exp(-1)), rel=1e-4)  # mean concentration
    half = secrete(FINE, FINE.none(), WALL, amounts, 0.5)
    np.testing.assert_allclose(secrete(FINE, half, WALL, amounts, 0.5), once, atol=1e-5)


def test_the_gradient_of_what_is_secreted_is_its_slope():
    morphogens = Morphogens(plates=("left",), secreted=2)
    random = np.random.default_rng(0)
    places = jnp.asarray(random.random((5, 2)), jnp.float32)
    amounts = jnp.asarray(random.random((5, 2)), jnp.float32)
    field = secrete(morphogens, morphogens.none(), places, amounts, 1.0)
    _, slope, hand = sense(morphogens, field, places)
    np.testing.assert_allclose(slope, hand, rtol=1e-3, atol=1e-4)
