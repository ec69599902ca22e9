"""The pieces of the experiment: networks, places, gratings and filters with known answers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import spearmanr

from neurula.claims.seen_gratings import COARSE, WIDE, _coarse, _enlarged, _slopes
from neurula.claims.simple_complex_gradient import (
    COMPLEXITY,
    FIELD,
    INVARIANCE,
    LARGE,
    PERMUTED,
    SIZES,
    STRIDES,
    TASK,
    TRAINED,
    UNTRAINED,
    SimpleComplexGradient,
    order,
    rise,
    start,
)
from neurula.experiment import Outcome
from neurula.measures import effective_side, nonlinear_share, phase_modulation
from neurula.stacked_filters import Filters, StackedFilters, permuted, receptive_field
from neurula.tasks import Digits, Placed, Recall

CLAIM = SimpleComplexGradient(photographs=0)


def test_filters_are_a_convolution(key):
    at_weight, at_picture = jax.random.split(key)
    layer = Filters(jax.random.normal(at_weight, (3, 3, 4, 5)), jnp.arange(5.0), 2)
    picture = jax.random.normal(at_picture, (9, 9, 4))
    expected = jax.lax.conv_general_dilated(
        picture[None], layer.weight, (2, 2), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(
        layer(picture), expected[0] + layer.bias[None, None], rtol=1e-4, atol=1e-4
    )


def test_the_middle_cell_of_the_last_layer_sees_all_and_no_more(key):
    """Theoretical fields of 5, 9, 13, 17 and 25 pixels, found by slopes of cells."""
    brain = start(key)
    with_gain = jax.tree.map(jnp.abs, brain)  # so that nothing is rectified away
    slopes = np.asarray(_slopes(with_gain, jnp.ones((1, TASK.field**2))))
    slopes = slopes.reshape(5, -1, TASK.field, TASK.field)
    for k, side in enumerate((5, 9, 13, 17, 25), 1):
        assert receptive_field(SIZES[:k], STRIDES[:k])[0] == side
        seen = np.flatnonzero(slopes[k - 1, 0].any(0))
        assert (len(seen), seen.mean()) == (side, 12)
    with pytest.raises(ValueError, match=r"at least 25 pixels.*got 24.*StackedFilters\(side=25"):
        StackedFilters(24, SIZES, STRIDES, 2, 2, key=key)


def test_permuted_filters_are_the_same_numbers(key):
    brain = start(key)
    mixed = permuted(brain, key=key)
    for old, new in zip(brain.layers, mixed.layers, strict=True):
        assert not np.array_equal(old.weight, new.weight)
        np.testing.assert_array_equal(np.sort(old.weight.ravel()), np.sort(new.weight.ravel()))
    np.testing.assert_array_equal(brain.readout.weight, mixed.readout.weight)


def test_a_digit_is_somewhere_in_the_field(key):
    task = Placed(Digits(), field=20, size=8, noise=0.0)
    seen = np.asarray(task.sample("train", key=key).stimuli).reshape(20, 20)
    at_digit, _ = jax.random.split(key)
    digit = np.asarray(Digits().sample("train", key=at_digit).stimuli).reshape(8, 8)
    windows = np.lib.stride_tricks.sliding_window_view(seen, (8, 8))
    assert np.sum(np.all(np.isclose(windows, digit[None, None]), axis=(2, 3))) == 1
    assert seen.sum() == pytest.approx(digit.sum(), rel=1e-5)
    for wrong, words in (
        ({"size": 30}, r"2 to 25 pixels a side, got 30.*size=16"),
        ({"noise": -1.0}, r"noise of 0 or more, got -1.0"),
        ({"task": Recall(4, symbols=3)}, r"square pictures, got 3 numbers in.*Placed\(Digits"),
    ):
        with pytest.raises(ValueError, match=words):
            Placed(**wrong)


def test_an_enlarged_picture_is_interpolated(key):
    """Twice as wide: a quarter and three quarters of neighbours, by hand."""
    task = Placed(Digits(), field=16, size=16, noise=0.0)
    seen = np.asarray(task.sample("test", key=key).stimuli).reshape(16, 16)
    digit = Digits().sample("test", key=jax.random.split(key)[0]).stimuli.reshape(8, 8)
    rows = np.zeros((16, 8))
    for k in range(8):
        for row, neighbour in ((2 * k, max(k - 1, 0)), (2 * k + 1, min(k + 1, 7))):
            rows[row, neighbour] += 0.25
            rows[row, k] += 0.75
    np.testing.assert_allclose(seen, rows @ np.asarray(digit) @ rows.T, atol=1e-5)


# ---- measures ---------------------------------------------------------------------------------


def test_simple_cells_complex_cells_and_cells_of_even_light():
    """Half-rectified sines have pi / 2 whatever the threshold, energies 0, silent cells nothing."""
    along = np.arange(25) - 12
    wave = np.exp(2j * np.pi * 0.2 * along)[None] * np.ones((25, 1))
    pair = np.stack([wave.real, wave.imag]).reshape(2, -1)

    def watch(film):
        flat = (film.reshape(len(film), -1) - 0.5) @ pair.T
        even, odd = flat.T
        return np.stack([even, even + 7, even**2 + odd**2, 0 * even], axis=1)

    found = phase_modulation(watch, 25, frequencies=(0.1, 0.2, 0.3), level=0.5, contrast=0.5)
    np.testing.assert_allclose(found.ratio[:2], np.pi / 2, rtol=0.02)
    assert abs(found.ratio[2]) < 1e-4
    assert np.isnan(found.ratio[3])
    np.testing.assert_allclose(found.frequency[:3], 0.2)
    np.testing.assert_allclose(np.abs(np.cos(found.direction[:3])), 1, atol=1e-6)


def test_share_beyond_a_linear_filter():
    """x is linear; x^2 of Gaussian x has nothing linear; x + x^2 has one third that is."""
    rng = np.random.default_rng(0)
    seen, held = rng.normal(size=(2, 20_000, 3))
    cells = lambda x: np.stack(  # noqa: E731
        [x @ [1.0, 2, 3] + 5, x[:, 0] ** 2, x[:, 1] + x[:, 1] ** 2, np.ones(len(x))], axis=1
    )
    found = nonlinear_share(seen, cells(seen), held, cells(held))
    np.testing.assert_allclose(found[:3], [0, 1, 2 / 3], atol=0.03)
    assert np.isnan(found[3])
    with pytest.raises(ValueError, match=r"more stimuli than the 4 numbers.*got 4.*at least 8"):
        nonlinear_share(seen[:4], cells(seen[:4]), held, cells(held))


def test_side_of_even_squares_and_of_gaussians():
    slopes = np.zeros((2, 3, 31, 31))
    slopes[:, 0, 4:11, 6:13] = 2.0
    along = np.arange(31) - 15
    bell = np.exp(-(along[:, None] ** 2 + along[None] ** 2) / (4 * 3.0**2))  # its square has sd 3
    slopes[:, 1] = [bell, -bell]
    found = effective_side(slopes)
    np.testing.assert_allclose(found[:2], [7, np.sqrt(1 + 12 * 9)], rtol=1e-3)
    assert np.isnan(found[2])


def test_rise_is_that_of_a_straight_line_and_order_is_spearmans():
    rng = np.random.default_rng(0)
    values = np.linspace(0, 1, 5)[None, :, None] * np.array([0.3, 0.8])[:, None, None]
    values = np.repeat(values, 16, axis=2)
    np.testing.assert_allclose(rise(values), [0.3, 0.8])
    noisy = values + rng.normal(size=values.shape)
    noisy[0, 0, 0] = np.nan
    layer = np.repeat(np.arange(5), 16)
    expected = [
        spearmanr(layer[1:], noisy[0].ravel()[1:]).statistic,
        spearmanr(layer, noisy[1].ravel()).statistic,
    ]
    np.testing.assert_allclose(order(noisy), expected)


def test_smooth_pictures_follow_from_few_numbers():
    coarse = np.random.default_rng(0).uniform(size=(3, COARSE**2))
    pictures = _enlarged(coarse)
    assert pictures.shape == (3, WIDE**2)
    flat = _enlarged(np.full((1, COARSE**2), 0.3))
    np.testing.assert_allclose(flat, 0.3)
    np.testing.assert_allclose(_coarse(flat), 0.3)
    np.testing.assert_allclose(_enlarged(coarse[:1] + coarse[1:2]), pictures[:1] + pictures[1:2])


# ---- the ruling -------------------------------------------------------------------------------


def outcomes(right=0.9, **rises):
    """Eight seeds of invented cells: by how much invariance and complexity rise in trained ones."""
    rng, made = np.random.default_rng(0), {}
    for arm in CLAIM.arms:
        depth = np.linspace(0, 1, 5)[None, :, None]
        kept = {}
        for name in (INVARIANCE, COMPLEXITY, FIELD):
            slope = rises.get(name, 0.6) if arm == TRAINED else 0.2
            kept[name] = jnp.asarray(slope * depth + rng.normal(0, 0.05, (8, 5, 16)))
        kept["right"] = jnp.full(8, right if arm == TRAINED else 0.1)
        made[arm] = Outcome(jnp.ones(8), kept=kept)
    return made


@pytest.mark.parametrize(
    ("rises", "ruling"),
    [({}, "supported"), ({INVARIANCE: 0.25}, "refuted"), ({COMPLEXITY: 0.25}, "refuted")],
)
def test_both_must_rise_more_than_without_learning(rises, ruling):
    evidence = CLAIM.evidence(outcomes(**rises))
    assert evidence.primary.find().ruling == ruling
    assert all(gate.held for gate in evidence.gates)


def test_a_network_that_did_not_learn_closes_a_gate():
    assert [g.held for g in CLAIM.evidence(outcomes(right=0.5)).gates] == [False, True, True]


def test_without_its_weights_the_large_network_has_no_score_and_no_line():
    assert np.isnan(CLAIM.run(LARGE, {}, key=jax.random.key(0)).score)
    made = outcomes()
    for arm, about in CLAIM.arms.items():
        if about.role == "probe":
            made[arm] = Outcome(jnp.full(8, jnp.nan))
    names = {trace.name for trace in CLAIM.figure(made).data if trace.name}
    assert {f"invariance, {arm}" for arm in (TRAINED, UNTRAINED)} <= names
    assert not any("EfficientNet" in name for name in names)
    assert PERMUTED in CLAIM.judged
