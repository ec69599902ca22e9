"""The pieces of the experiment: what arms see, noise that must not count, parts that must hold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.gabor_emergence import (
    BRAIN,
    EXPLAINED,
    PCA,
    SCRAMBLED,
    TOLD,
    UNTRAINED,
    WHITE,
    GaborEmergence,
    photographs,
)
from neurula.convolutional import Convolutional
from neurula.experiment import Outcome
from neurula.measures import receptive_fields
from neurula.tasks import Parity, Patches, Shown, Turned
from neurula.tasks.patches import draw_patches

CLAIM = GaborEmergence()
SMALL = GaborEmergence(cells=10, size=8, seen=400, passes=1, taught=2)


def noise(count, seed):
    rng = np.random.default_rng(seed)
    views = photographs(SCRAMBLED, rng)
    return draw_patches(views, "train", CLAIM.size, count, rng).reshape(-1, 12, 12)


def test_photographs_have_the_same_spectrum_scrambled_and_another_one_as_noise():
    natural, scrambled, white = (
        photographs(arm, np.random.default_rng(0)) for arm in (BRAIN, SCRAMBLED, WHITE)
    )
    ours, theirs = (np.abs(np.fft.fft2(x)) for x in (scrambled, natural))
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * theirs.max())
    np.testing.assert_allclose(natural.std((1, 2)), 1)
    faint = np.abs(np.fft.fft2(white))[:, 1, 1] < 0.1 * theirs[:, 1, 1]
    assert faint.all()  # the filter that whitens photographs takes away what noise has of low ones


@pytest.mark.slow
def test_the_bound_of_r_squared_lies_above_99_percent_of_noise_filters():
    found = receptive_fields(noise(1000, seed=1000))
    assert np.quantile(found.gabors.explained, 0.99) < EXPLAINED
    assert not found.gabor_like(EXPLAINED).any()


def test_few_noise_filters_are_fitted_and_none_is_counted():
    found = receptive_fields(noise(100, seed=1002))
    assert np.mean(found.gabors.explained > EXPLAINED) <= 0.03
    assert not found.gabor_like(EXPLAINED).any()


def test_arms_with_the_same_key_start_from_the_same_words_and_see_the_same_patches():
    key = jax.random.key(1000)
    start = SMALL.coded(UNTRAINED, key)[0]
    np.testing.assert_array_equal(start, SMALL.coded(UNTRAINED, key)[0])
    np.testing.assert_allclose(np.linalg.norm(start, axis=1), 1)
    kurtosis = [SMALL.coded(arm, key)[1]["kurtosis"] for arm in (BRAIN, PCA, UNTRAINED)]
    assert len(set(kurtosis)) == 1
    ours, kept, costs = SMALL.coded(BRAIN, key)
    assert ours.shape == (10, 64)
    assert kept["saved"] > 0
    assert costs == {"parameters": 640, "samples": 400}
    components = SMALL.coded(PCA, key)[0]
    np.testing.assert_allclose(components @ components.T, np.eye(len(components)), atol=1e-6)


def test_a_turned_patch_is_turned():
    task, key = Turned(Patches(6)), jax.random.key(0)
    plain, turned = (each.exam("tune", key=key) for each in (Patches(6), task))
    answers = np.asarray(turned.target)[:, 0].argmax(1)
    assert set(answers) == {0, 1, 2, 3}
    for index in range(8):
        before = np.asarray(plain.stimuli[index]).reshape(6, 6)
        after = np.asarray(turned.stimuli[index]).reshape(6, 6)
        np.testing.assert_array_equal(after, np.rot90(before, answers[index]))
    assert task.shape == (1, 36, 4)
    with pytest.raises(ValueError, match=r"square pictures, got 3 numbers.*Turned\(Patches"):
        Turned(Shown(Parity(4), past=3))


def test_a_filter_of_the_network_finds_its_pattern_wherever_it_is():
    brain = Convolutional(6, 3, 2, 4, key=jax.random.key(0))
    pattern = np.asarray(brain.filters[0]).reshape(3, 3)
    said = []
    for row, column in ((0, 0), (1, 3), (3, 2)):
        picture = np.zeros((6, 6), np.float32)
        picture[row : row + 3, column : column + 3] = pattern
        padded = np.lib.stride_tricks.sliding_window_view(picture, (3, 3)).reshape(-1, 9)
        best = np.maximum((padded @ np.asarray(brain.filters).T).max(0), 0)
        answer = brain.step(None, jnp.asarray(picture.ravel()))[1]
        by_hand = np.asarray(brain.readout.weight) @ best + np.asarray(brain.readout.bias)
        np.testing.assert_allclose(answer, by_hand, rtol=1e-4, atol=1e-5)
        said.append(best[0])
    np.testing.assert_allclose(said, np.sum(pattern**2), rtol=1e-5)
    with pytest.raises(ValueError, match=r"filters of 1 to 6 pixels.*got 7.*size=6"):
        Convolutional(6, 7, 2, 4, key=jax.random.key(0))


def outcomes(shares, saved=0.3, scrambled=0.0):
    """Made-up runs of eight seeds."""
    rng = np.random.default_rng(0)
    made = {}
    for arm in CLAIM.arms:
        share = shares.get(arm, 0.0) + np.abs(rng.normal(0, 0.01, 8))
        kept = {
            "kurtosis": np.full(8, 10.0 if arm != SCRAMBLED else scrambled),
            "saved": np.full(8, saved),
            "fitted": share,
            "selective": share,
        }
        if arm == TOLD:
            kept = {"right": np.ones(8)}
        made[arm] = Outcome(jnp.asarray(share), kept={k: jnp.asarray(v) for k, v in kept.items()})
    return made


@pytest.mark.parametrize(
    ("shares", "ruling"),
    [
        ({BRAIN: 0.6}, "supported"),
        ({BRAIN: 0.6, SCRAMBLED: 0.5}, "refuted"),
        ({BRAIN: 0.6, PCA: 0.5}, "refuted"),
        ({BRAIN: 0.2}, "refuted"),
        ({BRAIN: 0.6, "k-means": 0.9, "ICA": 0.9}, "supported"),
    ],
)
def test_both_comparisons_must_hold(shares, ruling):
    evidence = CLAIM.evidence(outcomes(shares))
    assert evidence.primary.find().ruling == ruling
    assert all(gate.held for gate in evidence.gates)


@pytest.mark.parametrize(
    "spoilt", [{"saved": 0.01}, {"scrambled": 3.0}, {"shares": {BRAIN: 0.9, UNTRAINED: 0.2}}]
)
def test_gates_fall(spoilt):
    evidence = CLAIM.evidence(outcomes(**({"shares": {BRAIN: 0.9}} | spoilt)))
    assert sum(not gate.held for gate in evidence.gates) == 1
