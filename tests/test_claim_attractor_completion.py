"""The memory of the completion claim against a Hopfield network by hand, and its readers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.attractor_completion import (
    AttractorCompletion,
    balanced,
    felt,
    memory,
    ridge,
    signs,
    with_one,
)
from neurula.rules import store

CELLS = 60


@pytest.fixture
def claim():
    return AttractorCompletion(cells=CELLS, steps=4, lessons=5)


@pytest.fixture
def patterns(key):
    return signs(jax.random.normal(key, (10, CELLS)))


def noisy(patterns, flips, seed=5):
    """Each pattern with this many cells turned."""
    chance = np.asarray(jax.random.uniform(jax.random.key(seed), patterns.shape))
    turned = np.argsort(np.argsort(chance, axis=1), axis=1) < flips
    return jnp.asarray(np.where(turned, -patterns, patterns))


@eqx.filter_jit
def recalled(claim, arm, patterns, starts, stored=None, beta=20.0):
    stored = jnp.ones(len(patterns), bool) if stored is None else stored
    return jax.vmap(claim.recall(arm, patterns, stored, jnp.float32(beta)))(starts)


@pytest.mark.parametrize("arm", ["pseudo-inverse", "storkey"])
def test_the_network_is_a_hopfield_network(claim, patterns, arm):
    starts = noisy(patterns, 15)
    found = recalled(claim, arm, patterns[:6], starts)
    weight, state = np.asarray(store(patterns[:6], arm)), np.asarray(starts)
    assert (np.diag(weight) == 0).all()
    for moment in range(5):
        np.testing.assert_array_equal(found[:, moment], state)
        state = np.where(state @ weight.T < 0, -1, 1)


@pytest.mark.parametrize("arm", ["pseudo-inverse", "storkey", "nearest", "modern"])
def test_a_few_patterns_are_completed(claim, patterns, arm):
    few = patterns[:4]
    found = recalled(claim, arm, few, noisy(few, 6))
    np.testing.assert_allclose(found[:, -1], few, atol=1e-3)


def test_features_stay_as_they_are(claim, patterns):
    start = 0.3 * patterns
    found = recalled(claim, "features", patterns, start)
    np.testing.assert_array_equal(found, jnp.repeat(start[:, None], 5, axis=1))


def test_nearest_is_the_stored_pattern_with_fewest_differing_cells(claim, patterns):
    starts = noisy(patterns, 20)
    found = recalled(claim, "nearest", patterns, starts)[:, 1]
    differ = (np.asarray(starts)[:, None] != np.asarray(patterns)[None]).sum(2)
    np.testing.assert_array_equal(found, np.asarray(patterns)[differ.argmin(1)])


def test_modern_memory_with_a_large_beta_looks_up_the_nearest(claim, patterns):
    starts = noisy(patterns, 20)
    found, wanted = (
        recalled(claim, arm, patterns, starts, beta=2000.0) for arm in ("modern", "nearest")
    )
    np.testing.assert_allclose(found[:, 1:], wanted[:, 1:], atol=1e-3)


@pytest.mark.parametrize("arm", ["pseudo-inverse", "storkey", "nearest", "modern"])
def test_what_is_not_stored_has_no_influence(claim, patterns, arm):
    stored = jnp.arange(10) < 4
    other = jnp.where(stored[:, None], patterns, -patterns[::-1])
    starts = noisy(patterns, 10)
    few = recalled(claim, arm, patterns[:4], starts)
    np.testing.assert_allclose(recalled(claim, arm, patterns, starts, stored), few, atol=1e-4)
    np.testing.assert_allclose(recalled(claim, arm, other, starts, stored), few, atol=1e-4)


def test_memory_wires_all_to_all_others():
    network = memory(jnp.ones((3, 3)) * (1 - jnp.eye(3)))
    exists = network.projections[0].wiring.exists
    np.testing.assert_array_equal(exists, ~np.eye(3, dtype=bool))


def test_balanced_takes_from_every_digit_in_turn(key):
    labels = jax.nn.one_hot(jax.random.randint(key, (400,), 0, 10), 10)
    chosen = np.asarray(balanced(labels, 70, key=key))
    assert len(set(chosen)) == 70
    for upto in (10, 30, 70):
        np.testing.assert_array_equal(np.asarray(labels)[chosen[:upto]].sum(0), upto / 10)
    other = np.asarray(balanced(labels, 70, key=jax.random.key(9)))
    assert set(chosen) != set(other)


def test_ridge_is_scikit_learns():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 6)).astype(np.float32), rng.normal(size=(50, 3)).astype(np.float32)
    weight = ridge(jnp.asarray(x), jnp.asarray(y), jnp.float32(2.0))
    whole = np.concatenate([x, np.ones((50, 1))], axis=1)  # the intercept is penalised too
    wanted = Ridge(alpha=2.0, fit_intercept=False).fit(whole, y).predict(whole)
    np.testing.assert_allclose(with_one(jnp.asarray(x)) @ weight, wanted, atol=1e-4)


def test_features_are_the_hidden_cells_and_ignore_how_bright_a_picture_is(claim, key):
    eye = eqx.filter_jit(lambda: claim.eye(key=key)[0])()
    pictures = jax.random.uniform(key, (2, 3, 64))
    weight = np.asarray(eye.projections[0].weight)
    found = felt(eye, pictures)
    np.testing.assert_allclose(found, np.tanh(np.asarray(pictures) @ weight.T), atol=1e-5)
    np.testing.assert_array_equal(signs(felt(eye, 0.3 * pictures)), signs(found))


def test_run_keeps_every_load_and_visibility_and_a_course_in_time(claim, key):
    settings = {"ridge": jnp.float32(1.0)}
    found = jax.jit(lambda k: claim.run("nearest", settings, key=k))(key)
    assert found.kept["accuracy"].shape == (4, 3)
    assert found.curves["accuracy"].shape == (5,)
    assert found.score == pytest.approx(float(found.kept["accuracy"].mean()), abs=1e-6)
    assert found.curves["accuracy"][-1] == pytest.approx(float(found.score), abs=1e-6)
    assert found.kept["fixed"].tolist() == [1, 1, 1, 1]
