"""The pieces of the Baldwin experiment against guesses made one by one and loops written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.baldwin_effect import PLASTIC, Alleles, nk, trials_until_found


def test_failed_guesses_are_those_of_guessing():
    """Three plastic alleles, guessed one by one, a hundred guesses a life."""
    alleles = jnp.asarray([1, PLASTIC, 1, PLASTIC, PLASTIC], jnp.int8)
    keys = jax.random.split(jax.random.key(0), 4000)
    drawn = np.asarray(jax.vmap(lambda key: trials_until_found(alleles, key=key))(keys))
    guesses = np.random.default_rng(0).integers(0, 2, (4000, 100, 3)).all(-1)
    made = guesses.argmax(1)
    assert drawn.mean() == pytest.approx(7.0, abs=0.4)  # (1 - p) / p with p = 1 / 8
    assert drawn.mean() == pytest.approx(made.mean(), abs=0.6)
    for few in (0, 1, 5, 20):
        assert (drawn <= few).mean() == pytest.approx((made <= few).mean(), abs=0.035)
        assert (drawn <= few).mean() == pytest.approx(1 - (7 / 8) ** (few + 1), abs=0.03)


def test_what_is_innate_needs_no_guess_and_what_is_wrong_no_guess_mends():
    find = lambda alleles: float(  # noqa: E731
        trials_until_found(jnp.asarray(alleles, jnp.int8), key=jax.random.key(1))
    )
    assert find([1, 1, 1]) == 0
    assert find([1, 0, PLASTIC]) == np.inf
    assert np.isfinite(find([PLASTIC] * 20))


def test_founders_and_children():
    genome, keys = Alleles(20, 0.5), jax.random.split(jax.random.key(2), 2000)
    founders = np.asarray(jax.vmap(lambda key: genome.sample(key=key))(keys))
    shares = [(founders == allele).mean() for allele in (0, 1, PLASTIC)]
    np.testing.assert_allclose(shares, [0.25, 0.25, 0.5], atol=0.01)

    zeros, ones = jnp.zeros(20, jnp.int8), jnp.ones(20, jnp.int8)
    children = np.asarray(jax.vmap(lambda key: genome.cross(zeros, ones, key=key))(keys))
    changes = (np.diff(children, axis=1) != 0).sum(1)
    assert (changes == 1).all()  # one point, and both parents give something
    cuts = np.abs(np.diff(children, axis=1)).argmax(1)
    assert np.bincount(cuts, minlength=19) / 2000 == pytest.approx(np.full(19, 1 / 19), abs=0.025)
    assert children[:, 0].mean() == pytest.approx(0.5, abs=0.05)


def test_nk_is_kauffmans():
    rng = np.random.default_rng(3)
    tables, bits = rng.uniform(size=(7, 8)), rng.integers(0, 2, 7)
    worth = [
        tables[i, bits[i] + 2 * bits[(i + 1) % 7] + 4 * bits[(i + 2) % 7]] for i in range(7)
    ]  # fmt: skip
    found = nk(jnp.asarray(bits), jnp.asarray(tables, jnp.float32))
    assert float(found) == pytest.approx(np.mean(worth), rel=1e-5)
