"""Non-negative principal components where they are known."""

import numpy as np
import pytest

from neurula.measures import non_negative_components


def components(matrix, count=6):
    return non_negative_components(np.asarray(matrix), count, rng=np.random.default_rng(0))


def test_of_positive_covariances_it_is_the_first_principal_component():
    """Perron and Frobenius: the eigenvector of the largest eigenvalue is positive itself."""
    loads = np.random.default_rng(1).random((5, 3)) + 0.1
    matrix = loads @ loads.T
    first = np.abs(np.linalg.eigh(matrix)[1][:, -1])
    np.testing.assert_allclose(components(matrix), np.tile(first, (6, 1)), atol=1e-3)


def test_where_the_principal_component_has_both_signs_it_is_one_variable_alone():
    """Variance 1 - sin(2 t) / 2 of (cos t, sin t) in the first quadrant: highest at its ends."""
    found = components([[1.0, -0.5], [-0.5, 1.0]], 20)
    assert (found >= 0).all()
    assert {tuple(w) for w in found.round(6)} == {(1.0, 0.0), (0.0, 1.0)}


def test_of_stationary_inhibition_around_components_have_bumps_of_one_distance():
    """On a ring the best wave is that of the highest eigenvalue; cut below zero it keeps its k."""
    size, k = 60, 5
    apart = np.subtract.outer(np.arange(size), np.arange(size))
    found = components(np.cos(2 * np.pi * k * apart / size))
    power = np.abs(np.fft.rfft(found - found.mean(1, keepdims=True), axis=1))
    assert (power.argmax(1) == k).all()


@pytest.mark.parametrize("matrix", [[[1.0, 2.0], [0.0, 1.0]], [[np.nan]], [[-1.0]]])
def test_what_is_no_covariance_is_refused(matrix):
    with pytest.raises(ValueError, match="A covariance is finite and symmetric"):
        components(matrix)
