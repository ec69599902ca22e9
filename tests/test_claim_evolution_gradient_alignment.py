"""What selection does to mutations where fitness is linear, against theory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.evolution_gradient_alignment import (
    BRAINS,
    SIGMAS,
    WORTH,
    cosines,
    halved,
    predicted,
    selected,
)

KEY = jax.random.key(0)
GENES = 60
DOWNHILL = jnp.zeros(GENES).at[3].set(2.0)
MUTATIONS = jax.random.normal(KEY, (1024, GENES))


@pytest.mark.parametrize("arm", BRAINS)
def test_linear_fitness_gives_the_predicted_cosine(arm):
    """Mean over 16 populations of 64, by which chance moves it by less than 0.03."""
    found = cosines(arm, MUTATIONS, MUTATIONS @ DOWNHILL, DOWNHILL, 64, key=KEY)
    np.testing.assert_allclose(
        found, predicted(WORTH[arm], *map(jnp.float32, (64, GENES))), atol=0.07
    )


def test_random_selection_is_not_aligned():
    found = cosines("random selection", MUTATIONS, MUTATIONS @ DOWNHILL, DOWNHILL, 64, key=KEY)
    assert abs(found) < 0.1


def test_truncation_is_the_mean_of_the_fitter_half():
    gains = jnp.asarray([0.3, -1.0, 2.0, 0.1])
    found = selected("truncation", MUTATIONS[:4], gains, KEY)
    np.testing.assert_allclose(found, (MUTATIONS[0] + MUTATIONS[2]) / 2, rtol=1e-5)


def test_nobody_fitter_than_the_parent_is_no_step():
    worse = -jnp.ones(16)
    found = cosines("one plus one", MUTATIONS[:16], worse, DOWNHILL, 8, key=KEY)
    assert found == 0


def test_where_half_is_left():
    """In the middle between 0.01 and 0.1 on a logarithmic scale; never: the largest."""
    share = np.array([[1.0, 1.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0]])
    np.testing.assert_allclose(halved(share), [-1.5, np.log10(SIGMAS[-1])])
