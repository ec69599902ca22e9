"""Components without negative entries, where the answer is known in closed form."""

import numpy as np
import pytest

from neurula.measures import non_negative_components


def found(covariance, count):
    return non_negative_components(
        np.asarray(covariance, float),
        count,
        tolerance=1e-12,
        rng=np.random.default_rng(0),
    )


def test_variables_apart_come_by_their_variance():
    np.testing.assert_allclose(found(np.diag([1.0, 3.0, 2.0]), 3), np.eye(3)[[1, 2, 0]], atol=1e-6)


def test_groups_that_vary_together_give_the_first_component_of_each():
    """Without a negative covariance the constraint costs nothing (Perron)."""
    rng = np.random.default_rng(1)
    blocks = [
        scale * (x.T @ x) for scale, x in ((1.0, rng.random((9, 4))), (3.0, rng.random((9, 5))))
    ]
    covariance = np.block([[blocks[0], np.zeros((4, 5))], [np.zeros((5, 4)), blocks[1]]])
    first = [np.abs(np.linalg.eigh(block)[1][:, -1]) for block in blocks]
    strong = found(covariance, 1)[0]
    np.testing.assert_allclose(strong, np.r_[np.zeros(4), first[1]], atol=1e-6)


def test_opposite_groups_are_parted():
    """The first component of x and -x has both signs; without negative entries it is one side."""
    signed = np.array([3.0, 4.0, -1.0])
    first, second, third = found(np.outer(signed, signed), 3)
    np.testing.assert_allclose(first, [0.6, 0.8, 0.0], atol=1e-6)
    np.testing.assert_allclose(second, [0, 0, 1], atol=1e-6)
    assert np.isnan(third).all()  # nothing varies any more


def test_a_wave_round_a_ring_is_cut_off_and_keeps_half_its_variance():
    """The best w >= 0 for waves of one length is [cos(k x - phase)]+, for any phase."""
    k, bins = 3, 60
    x = 2 * np.pi * np.arange(bins) / bins
    covariance = np.cos(k * (x[:, None] - x[None]))
    w = found(covariance, 1)[0]
    top = np.linalg.eigvalsh(covariance)[-1]
    assert w @ covariance @ w == pytest.approx(top / 2, rel=5e-3)
    phase = np.angle(np.exp(1j * k * x) @ w)
    cut = np.maximum(np.cos(k * x - phase), 0)
    np.testing.assert_allclose(w, cut / np.linalg.norm(cut), atol=5e-3)


@pytest.mark.parametrize(
    ("matrix", "count", "says"),
    [
        (np.ones((2, 3)), 1, r"square matrix of finite numbers, got shape \(2, 3\)"),
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), 1, "2 that are not finite"),
        (np.array([[1.0, 1.0], [0.0, 1.0]]), 1, "differs from its transpose by 1 "),
        (np.diag([1.0, -1.0]), 1, "an eigenvalue of -1: variances would be negative"),
        (np.eye(2), 3, "Expected 1 to 2 components, got 3"),
        (np.eye(2), 0, "Expected 1 to 2 components, got 0"),
    ],
)
def test_refusals(matrix, count, says):
    with pytest.raises(ValueError, match=says):
        found(matrix, count)
