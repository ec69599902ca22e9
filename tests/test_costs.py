"""FLOPs against closed forms."""

import jax
import jax.numpy as jnp
import pytest

from neurula.costs import count, flops, multiplications


def test_a_matrix_product_is_two_m_n_k():
    a, b = jnp.ones((3, 4)), jnp.ones((4, 5))
    assert flops(jnp.matmul, a, b) == 2 * 3 * 4 * 5


def test_a_batched_product_counts_every_member():
    a, b = jnp.ones((7, 3, 4)), jnp.ones((7, 4, 5))
    assert flops(jax.vmap(jnp.matmul), a, b) == 7 * 2 * 3 * 4 * 5


def test_a_vector_product_and_elementwise_work():
    weight, bias, x = jnp.ones((6, 5)), jnp.ones(6), jnp.ones(5)
    assert flops(lambda w, b, x: jnp.tanh(w @ x + b), weight, bias, x) == 2 * 6 * 5 + 6 + 6


def test_reductions_count_what_goes_in():
    assert flops(jnp.sum, jnp.ones((8, 9))) == 72
    assert flops(jnp.cumsum, jnp.ones(11)) == 11


@pytest.mark.parametrize("length", [1, 10, 1000])
def test_the_body_of_a_scan_counts_as_often_as_it_runs(length):
    def loop(x):
        return jax.lax.scan(lambda c, _: (c @ c, None), x, None, length=length)[0]

    assert flops(loop, jnp.ones((4, 4))) == length * 2 * 4**3


def test_nested_loops_multiply():
    def inner(c, _):
        return jax.lax.fori_loop(0, 5, lambda i, c: c * 2.0, c), None

    def loop(x):
        return jax.lax.scan(inner, x, None, length=7)[0]

    assert flops(loop, jnp.ones(3)) == 7 * 5 * 3


def test_a_gradient_through_a_matrix_product_costs_two_more():
    w, x = jnp.ones((6, 5)), jnp.ones((5, 9))
    forward = 2 * 6 * 5 * 9
    both = flops(jax.value_and_grad(lambda w, x: (w @ x).sum(), argnums=(0, 1)), w, x)
    assert both == 3 * forward + 6 * 9  # the sum


def test_the_dearest_branch_of_a_cond_counts():
    def choose(x):
        return jax.lax.cond(x.sum() > 0, lambda x: x @ x, lambda x: x + x, x)

    assert flops(choose, jnp.ones((4, 4))) == 16 + 1 + 2 * 64


def test_a_loop_of_unknown_length_counts_once_and_says_so():
    def loop(x):
        return jax.lax.while_loop(lambda c: c.sum() < 100, lambda c: c * 2, x)

    found = count(loop, jnp.ones(4))
    assert found.flops == 4 + 1 + 4
    assert found.gaps == {"a loop of unknown length, counted once"}


def test_a_callback_is_not_counted_and_says_so():
    def call(x):
        return jax.pure_callback(lambda x: x, x, x) + x

    found = count(call, jnp.ones(4))
    assert (found.flops, found.gaps) == (4, {"pure_callback, not counted"})


def test_a_convolution():
    image, kernel = jnp.ones((2, 3, 10, 10)), jnp.ones((5, 3, 3, 3))

    def conv(image, kernel):
        return jax.lax.conv_general_dilated(image, kernel, (1, 1), "VALID")

    assert flops(conv, image, kernel) == 2 * (2 * 5 * 8 * 8) * (3 * 3 * 3)


def test_it_looks_into_jit_checkpoint_and_custom_derivatives():
    x = jnp.ones(4)
    assert flops(jax.jit(lambda x: x * x), x) == 4
    assert flops(jax.checkpoint(lambda x: x * x), x) == 4
    assert flops(jax.nn.relu, x) == 4


def test_scatter_counts_what_is_added():
    assert flops(lambda x: jnp.zeros(10).at[jnp.array([1, 2, 2])].add(x), jnp.ones(3)) == 3


def test_integers_and_random_bits_are_no_floating_point_work():
    assert flops(lambda k: jax.random.bits(k, (100,)), jax.random.key(0)) == 0
    assert flops(lambda x: x * x + 1, jnp.ones(9, jnp.int32)) == 0


def test_solving_costs_a_factorisation_and_two_triangles():
    n = 30
    found = flops(jnp.linalg.solve, jnp.eye(n), jnp.ones(n))
    assert found == pytest.approx(2 * n**3 / 3 + 2 * n**2, rel=0.02)


def test_a_factorisation_of_a_batch():
    assert flops(jnp.linalg.cholesky, jnp.stack([jnp.eye(6)] * 4)) >= 4 * 6**3 / 3


def test_multiplications_are_half_of_a_product_and_none_of_a_sum():
    a, b = jnp.ones((3, 4)), jnp.ones((4, 5))
    assert multiplications(jnp.matmul, a, b) == 3 * 4 * 5
    assert multiplications(jnp.add, a, a) == 0
    assert multiplications(lambda a: jnp.tanh(a * a / 2), a) == 2 * 12


def test_what_no_result_needs_is_not_counted():
    def wasteful(x):
        _ = x @ x
        return jax.lax.scan(lambda c, _: (c * 2, x @ c), x, None, length=3)[0]

    assert flops(wasteful, jnp.ones((4, 4))) == 3 * 16
