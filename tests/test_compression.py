"""Codes of few bits against counting, closed forms and NumPy; genes trained by hand."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import neurula as nl
from neurula.compression import largest, low_rank, narrow, pruned, rounded
from neurula.contracts import AbstractTask
from neurula.genomes import Weights
from neurula.trained_genes import train_genes

RANDOM = np.random.RandomState(0)
MATRICES = [jnp.asarray(RANDOM.normal(size=s), jnp.float32) for s in ((8, 6), (4, 8), (2, 4))]
WEIGHTS = 8 * 6 + 4 * 8 + 2 * 4


def test_one_bit_is_the_sign_and_the_mean_size_of_normal_numbers():
    """The best two levels for normal numbers are sqrt(2 / pi) standard deviations from 0."""
    found = np.asarray(rounded(MATRICES[0], 1))
    level = math.sqrt(2 / math.pi) * np.sqrt(np.mean(np.asarray(MATRICES[0]) ** 2))
    np.testing.assert_allclose(found, np.sign(MATRICES[0]) * level, rtol=1e-3)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_bits_make_levels(bits):
    """No more than 2^bits, evenly spaced, each number at the nearest."""
    numbers = jnp.asarray(RANDOM.normal(size=(40, 50)), jnp.float32)
    found = np.asarray(rounded(numbers, bits))
    levels = np.unique(found.round(5))
    assert len(levels) == 2**bits
    np.testing.assert_allclose(np.diff(levels), levels[1] - levels[0], rtol=1e-3)
    nearest = levels[np.abs(np.asarray(numbers)[..., None] - levels).argmin(-1)]
    np.testing.assert_allclose(found, nearest, atol=1e-4)


def test_gradients_pass_straight_through_what_is_kept():
    mask = jnp.asarray(RANDOM.rand(8, 6) < 0.5, jnp.float32)
    wanted = jnp.asarray(RANDOM.normal(size=(8, 6)), jnp.float32)
    slope = jax.grad(lambda w: jnp.sum(wanted * rounded(w, 2, mask)))(MATRICES[0])
    np.testing.assert_allclose(slope, wanted * mask, rtol=1e-6)


def test_a_matrix_of_low_rank_survives_but_for_rounding():
    """Signs of a product of vectors that hold 1 and -1 alone are told exactly by 1 bit each."""
    one, other = (np.sign(RANDOM.normal(size=n)).astype(np.float32) for n in (8, 6))
    code = low_rank([jnp.asarray(np.outer(one, other))], 14 + 64, value=1)
    assert code.bits == 14 + 64
    (found,) = code.decode(code.genes)
    np.testing.assert_allclose(found, np.outer(one, other) * 1.596**2 / 4, rtol=1e-3)


def test_low_rank_takes_the_largest_rank_there_is_room_for():
    """2 r (14 + 12 + 6) bits at rank r, 2 at most for the last, and two steps for each matrix."""
    bits = [2 * (14 * r + 12 * min(r, 4) + 6 * min(r, 2)) + 6 * 32 for r in (1, 2, 3)]
    for rank, room in enumerate(bits, 1):
        code = low_rank(MATRICES, room, value=2)
        assert code.bits == room
        assert [a.shape[1] for a, _ in code.genes] == [rank, rank, min(rank, 2)]


def test_pruning_keeps_the_largest_and_counts_where_they_are():
    room = 150
    code = pruned(MATRICES, room, value=2)
    kept = sum(int(np.sum(np.asarray(w) != 0)) for w in code.decode(code.genes))
    length = lambda k: math.log2(math.comb(WEIGHTS, k)) + 2 * k + 3 * 32  # noqa: E731
    assert length(kept) <= room < length(kept + 1)
    assert code.bits == pytest.approx(length(kept), rel=1e-6)
    sizes = np.concatenate([np.abs(w).ravel() for w in MATRICES])
    least = np.sort(sizes)[-kept]
    for weight, found in zip(MATRICES, code.decode(code.genes), strict=True):
        np.testing.assert_array_equal(np.asarray(found) != 0, np.abs(weight) >= least)


def test_few_bits_silence_the_last_cells():
    """Of 8 and 4 hidden cells 4 and 2 are left: 4 x 6 + 2 x 4 + 2 x 2 weights of one bit."""
    code = narrow(MATRICES, 36 + 96)
    assert code.bits == 36 + 96
    found = [np.asarray(w) != 0 for w in code.decode(code.genes)]
    for there, (rows, columns) in zip(found, ((4, 6), (2, 4), (2, 2)), strict=True):
        assert there[:rows, :columns].all()
        assert there.sum() == rows * columns
    assert narrow(MATRICES, 3 * (WEIGHTS + 96)).bits == 3 * WEIGHTS + 96, "3 bits where they fit"


def test_no_room_is_refused():
    with pytest.raises(ValueError, match=r"shortest code takes 10 bits, but there is room for 9"):
        largest(lambda n: 10 * n, 9, 5)
    assert [largest(lambda n: 10 * n, room, 5) for room in (10, 39, 40, 999)] == [1, 3, 4, 5]


class Twice(AbstractTask):
    """Say 3 to 2, always."""

    @property
    def shape(self):
        return 1, 1, 1

    def sample(self, split, *, key):
        return nl.Sample(jnp.full((1, 1), 2.0), jnp.full((1, 1), 3.0))

    def exam(self, split, *, key):
        return jax.tree.map(lambda x: x[None], self.sample(split, key=key))

    def error(self, outputs, sample):
        return jnp.sum((outputs - sample.target) ** 2)

    def score(self, outputs, sample):
        return -self.error(outputs, sample)


def test_genes_go_down_the_gradient_through_development(key):
    """w = 0.5 g_0, b = 0.5 g_1; from 0 the error (2 w + b - 3)^2 has slopes -6 and -3 by gene."""
    genome = Weights(nl.layered([1, 1], key=key), scale=0.5)
    develop = lambda genes: genome.develop(genes, key=key)  # noqa: E731
    how = {"optimiser": optax.sgd(0.1), "steps": 1, "batch": 3, "key": key}
    found = train_genes(develop, jnp.zeros(2), Twice(), **how)
    np.testing.assert_allclose(np.sort(found), [0.3, 0.6], rtol=1e-5)
