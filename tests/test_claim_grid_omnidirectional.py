"""Known facts about the pieces of grid-omnidirectional; not what it finds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims.grid_omnidirectional import (
    ALL,
    BACKWARD,
    DEEP,
    DIGITS,
    LATERAL,
    NARROW,
    SHUFFLED,
    TRACING,
    WIDE,
    GridOmnidirectional,
)
from neurula.costs import flops
from neurula.live import parameters

KEY = jax.random.key(0)
CLAIM = GridOmnidirectional()
NETS = {arm: CLAIM.net(arm, TRACING, CLAIM.shape(arm), key=KEY) for arm in CLAIM.arms}


def work(net):
    seen = jnp.zeros(net.inputs["input"])
    return flops(lambda x: net.step(None, x)[1], seen)


def test_arms_have_the_sizes_that_are_said():
    sizes = {arm: int(parameters(net)) for arm, net in NETS.items()}
    assert sizes == {
        ALL: 415, SHUFFLED: 415, DEEP: 3799, WIDE: 505, NARROW: 475, LATERAL: 334, BACKWARD: 409,
    }  # fmt: skip
    for arm, size in sizes.items():
        says = CLAIM.arms[arm].says
        assert f"{size:,} parameters" in says or arm == SHUFFLED


def test_the_deep_control_takes_as_many_operations():
    assert work(NETS[DEEP]) == pytest.approx(work(NETS[ALL]), rel=0.03)
    assert work(NETS[DEEP]) >= work(NETS[ALL])
    for arm in (LATERAL, BACKWARD):
        assert work(NETS[arm]) == pytest.approx(work(NETS[ALL]), rel=0.15)
    assert work(NETS[SHUFFLED]) == pytest.approx(work(NETS[ALL]), rel=0.01)


@pytest.mark.parametrize("arm", [ALL, DEEP, NARROW, LATERAL, BACKWARD])
def test_steps_reach_from_end_to_end(arm):
    """The longest curve has two arms, two corners and a pixel between: one step less than it."""
    assert NETS[arm].steps > 2 * CLAIM.arm + 2


def test_the_wide_control_sees_two_pixels_far():
    side = CLAIM.side
    net = NETS[WIDE]
    middle = side**2 // 2
    noise = jax.random.uniform(KEY, (3 * side**2,))
    slope = jax.grad(lambda x: net.step(None, x)[1][middle])(noise)
    felt = np.abs(np.asarray(slope)).reshape(3, side, side).sum(0) > 0
    rows, columns = np.nonzero(felt)
    assert felt.any()
    assert np.abs(rows - side // 2).max() <= 2
    assert np.abs(columns - side // 2).max() <= 2


def test_shuffled_links_are_as_many_and_lead_elsewhere():
    """Every cell stands in for one; those that stand in for neighbours are seldom neighbours."""
    order = np.asarray(NETS[SHUFFLED].order)
    side = CLAIM.side
    assert sorted(order) == list(range(side**2))
    rows, columns = np.divmod(order.reshape(side, side), side)
    apart = np.maximum(abs(np.diff(rows, axis=1)), abs(np.diff(columns, axis=1)))
    assert np.mean(apart <= 1) < 0.3


def test_arms_begin_alike():
    same = (NETS[ALL].links["lateral"], NETS[SHUFFLED].links["lateral"])
    np.testing.assert_array_equal(*same)


@pytest.mark.parametrize("arm", [ALL, WIDE])
def test_digits_are_read_from_all_cells(arm):
    net = CLAIM.net(arm, DIGITS, CLAIM.shape(arm), key=KEY)
    assert net.inputs == {"input": 64}
    assert net.outputs == {"output": 10}
