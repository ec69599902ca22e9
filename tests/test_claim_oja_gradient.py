"""The pieces of the Oja claim against closed forms and scikit-learn."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import layered

from neurula.claims import oja_gradient
from neurula.claims.oja_gradient import (
    Album,
    Mispaired,
    OjaGradient,
    cosine,
    pictures,
)
from neurula.contracts import Sample
from neurula.rules import Backprop, Hebb, Oja
from neurula.testing import check_rule

alignment, change, taught = (
    eqx.filter_jit(getattr(oja_gradient, name)) for name in ("alignment", "change", "taught")
)
run = eqx.filter_jit(lambda claim, arm, key: claim.run(arm, {}, key=key))


@pytest.fixture
def brain(key):
    return layered([64, 1], key=key)


@pytest.fixture(scope="module")
def seen():
    return pictures()


def flat(stack):
    return np.asarray(stack, np.float64).reshape(-1, 64)


def test_pictures_are_centred_and_their_components_are_scikit_learns(seen):
    from sklearn.decomposition import PCA

    kinds, components, labels = seen
    for stack, component in zip(kinds, components, strict=True):
        found = PCA(2).fit(flat(stack))
        assert found.explained_variance_[0] * 999 / 1000 == pytest.approx(1, abs=1e-4)
        assert abs(found.components_[0] @ np.asarray(component)) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(flat(kinds[0]).mean(0), 0, atol=1e-5)
    assert (np.asarray(labels).sum(-1) == 1).all()


@pytest.mark.parametrize("kind", [0, 1])
def test_hebbs_change_is_the_covariance_times_the_weight(seen, brain, kind):
    x, w = flat(seen[0][kind]), np.asarray(brain.projections[0].weight[0], np.float64)
    task = Album(seen[0][kind])
    covariance = x.T @ x / len(x)
    for rule in (Hebb(), Backprop()):  # the gradient of half the mean square is the same
        found = change(rule, brain, Sample(task.pictures), task.error)
        np.testing.assert_allclose(found, covariance @ w, atol=1e-5)
    leak = (w @ covariance @ w) * w
    found = change(Oja(), brain, Sample(task.pictures), task.error)
    np.testing.assert_allclose(found, covariance @ w - leak, atol=1e-5)


def test_mispaired_takes_the_activity_before_from_the_step_before(brain):
    x = np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)
    w = np.asarray(brain.projections[0].weight[0])
    before = np.concatenate([np.zeros((1, 64)), x[:-1]])
    found = change(Mispaired(Hebb()), brain, Sample(jnp.asarray(x)[None]), lambda out, sample: 0.0)
    np.testing.assert_allclose(found, ((x @ w)[:, None] * before).mean(0), atol=1e-5)


@pytest.mark.slow
def test_mispaired_keeps_the_promises_of_rules():
    check_rule(Mispaired(Oja()))


def test_taught_hebb_is_answer_times_picture(seen, brain):
    x, labels = seen[0][0], seen[2]
    answers = (labels @ jnp.array([1.0, -1.0] * 5))[..., None]
    wanted = flat(x).T @ np.asarray(answers).ravel() / 1000
    np.testing.assert_allclose(taught(brain, x, answers), wanted, atol=1e-5)


def test_alignment_against_the_logistic_gradient_by_hand(seen, brain):
    x, labels = seen[0][0], seen[2]
    answers = (labels @ jnp.array([1.0, 1.0, -1.0, -1.0, 1.0] * 2))[None, ..., None]
    y, t = flat(x) @ np.asarray(brain.projections[0].weight[0]), np.asarray(answers).ravel()
    descent = (t / (1 + np.exp(t * y))) @ flat(x)
    hebbian = y @ flat(x)
    wanted = descent @ hebbian / np.linalg.norm(descent) / np.linalg.norm(hebbian)
    assert alignment("hebb", brain, x, answers)[0] == pytest.approx(wanted, abs=1e-4)
    assert alignment("taught hebb", brain, x, answers)[0] > 0.5


def test_cosine_of_lines():
    a, b = jnp.array([[1.0, 0.0], [0.0, 2.0]]), jnp.array([[1.0, 1.0], [0.0, -3.0]])
    np.testing.assert_allclose(cosine(a, b), [0.5**0.5, -1], rtol=1e-6)


def test_each_property_fails_where_its_mechanism_is_removed(key):
    """Oja's angle with few updates; the tolerances themselves are the claim's business."""
    claim = OjaGradient(updates=60, tasks=4)
    oja, sham = (run(claim, arm, key).kept for arm in ("oja", "mispaired oja"))
    assert oja["angle"][1] < 0.1  # patches have one strong component
    assert (sham["angle"] > 30).all()
    np.testing.assert_allclose(oja["growth"] * np.linalg.norm(oja["weight"], axis=1), 1, atol=0.5)


def test_length_under_hebb_grows_as_the_power_iteration(seen, key):
    claim = OjaGradient(updates=60, tasks=2)
    found = run(claim, "hebb", key).kept
    at_weight = jax.random.split(jax.random.fold_in(key, 2), 3)[0]
    first = np.asarray(layered([64, 1], key=at_weight).projections[0].weight[0])
    x = flat(seen[0][0])
    step = np.eye(64) + claim.rate * x.T @ x / len(x)
    grown = np.linalg.matrix_power(step, 60) @ first
    wanted = np.linalg.norm(grown) / np.linalg.norm(first)
    assert found["growth"][0] == pytest.approx(wanted, rel=0.01)


def test_a_settled_rule_points_nowhere(seen, key):
    """With the first component as weights Oja's change is rounding, and no cosine is made of it."""
    kinds, components, labels = seen
    brain = layered([64, 1], key=key)
    settled = eqx.tree_at(lambda b: b.projections[0].weight, brain, components[:1])
    answers = jnp.where(labels[None, :, :, :1] > 0, 1.0, -1.0)
    assert alignment("oja", settled, kinds[0], answers)[0] == 0
    assert alignment("oja", brain, kinds[0], answers)[0] != 0
