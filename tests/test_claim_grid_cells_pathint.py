"""Grid cells and path integration: the static theory does what it says."""

import jax
import jax.numpy as jnp
import numpy as np

from neurula.claims.grid_cells_pathint import (
    BRAIN,
    SIGNED,
    UNTRAINED,
    around,
    lattice,
    patterns,
    states_of,
    static_code,
)
from neurula.memories import Elman
from neurula.tasks import PathIntegration


def test_the_code_is_the_same_everywhere_on_the_torus():
    task = PathIntegration("difference", cells=100)
    places = lattice(10, task.box)
    code = np.asarray(static_code(task, places, places)).reshape(10, 10, 10, 10)
    moved = np.roll(code, (3, 3), (0, 2))
    np.testing.assert_allclose(code, moved, atol=1e-5)
    np.testing.assert_allclose(code.sum((2, 3)), 0, atol=1e-5)  # two softmaxes cancel
    np.testing.assert_allclose(around(jnp.float32(2.1), 2.2), -0.1, atol=1e-6)


def test_units_find_more_variance_round_by_round_and_never_a_negative_rate(key):
    task = PathIntegration("difference", cells=100)
    places = lattice(10, task.box)
    code = static_code(task, places, places)
    start = jax.random.uniform(key, (100, 5), minval=-0.5, maxval=0.5)
    found = [patterns(code, start, arm, n) for arm, n in ((UNTRAINED, 1), (BRAIN, 9), (BRAIN, 99))]
    variance = [np.sum(np.asarray(code.T @ rates) ** 2, 0) for rates in found]
    assert (variance[1] > variance[0]).all()
    assert (variance[2] >= variance[1] * (1 - 1e-5)).all()
    assert min(float(rates.min()) for rates in found) == 0
    np.testing.assert_allclose(np.linalg.norm(found[2], axis=0), 1, rtol=1e-5)


def test_signed_units_are_principal_components(key):
    code = jax.random.normal(key, (30, 12))
    rates = patterns(code, jnp.zeros((30, 4)), SIGNED, 1)
    values = np.sort(np.linalg.eigvalsh(np.asarray(code @ code.T)))[::-1][:4]
    np.testing.assert_allclose(np.sum(np.asarray(code.T @ rates) ** 2, 0), values, rtol=1e-3)


def test_states_are_those_of_every_step(key):
    brain = Elman(3, 4, 2, key=key)
    stimuli = jax.random.normal(key, (5, 3))
    states, state = states_of(brain, stimuli), brain.init()
    for now, then in zip(stimuli, states, strict=True):
        state = brain.step(state, now)[0]
        np.testing.assert_allclose(state, then, rtol=1e-5)
