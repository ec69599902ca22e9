"""Measures against what is known beforehand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import layered

from neurula import trainable
from neurula.measures import alignment
from neurula.measures.alignment import angle


@pytest.mark.parametrize("degrees", [0.0, 0.01, 30.0, 90.0, 179.9, 180.0])
def test_angles_are_exact_whatever_the_lengths(degrees):
    turn = np.deg2rad(degrees)
    other = 70 * jnp.array([np.cos(turn), np.sin(turn)], jnp.float32)
    assert angle(jnp.array([0.1, 0.0]), other) == pytest.approx(degrees, abs=1e-3)


def test_random_directions_are_orthogonal():
    a, b = jax.random.normal(jax.random.key(0), (2, 100, 100))
    assert angle(a, b) == pytest.approx(90, abs=2)


def test_nothing_has_no_angle():
    assert jnp.isnan(angle(jnp.zeros(3), jnp.ones(3)))


def test_alignment_is_told_by_projection():
    direction = trainable(layered([4, 3, 2], key=jax.random.key(1)))
    away = eqx.tree_at(lambda d: d.projections[1].weight, direction, replace_fn=lambda w: -2 * w)
    found = alignment(direction, away)
    assert found.keys() == {"input->hidden1", "hidden1->output"}
    assert found["input->hidden1"] == pytest.approx(0, abs=1e-3)
    assert found["hidden1->output"] == pytest.approx(180, abs=1e-3)
