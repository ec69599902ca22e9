"""The arms of growth against direct codes: what each evolves, and what a score means."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.claims import GrowthVsDirect
from neurula.claims.growth_vs_direct import TASKS
from neurula.genomes import Weights
from neurula.network import Network

KEY = jax.random.key(0)
CLAIM = GrowthVsDirect()


@pytest.mark.parametrize("task", TASKS)
def test_genomes_have_the_lengths_that_the_arms_say(task):
    genes = {arm: CLAIM.genome(arm, task, 64, key=KEY) for arm in CLAIM.arms}
    sizes = {arm: genome.size for arm, genome in genes.items()}
    assert sizes["grown"] == sizes["shuffled"] == sizes["random projection"] == 195
    inputs, outputs = TASKS[task]
    whole = 64 * (64 + inputs + outputs + 1) + outputs
    assert sizes["direct, many genes"] == whole
    few = genes["direct, few genes"].brain.populations["cells"].size
    count = lambda cells: cells * (cells + inputs + outputs + 1) + outputs  # noqa: E731
    assert sizes["direct, few genes"] == count(few) <= 195 < count(few + 1)


def test_direct_and_projected_genes_start_from_one_network():
    many, projected = (
        CLAIM.genome(arm, "cart-pole", 64, key=KEY)
        for arm in ("direct, many genes", "random projection")
    )
    assert isinstance(many, Weights)
    for one, two in zip(jax.tree.leaves(many.brain), jax.tree.leaves(projected.brain), strict=True):
        np.testing.assert_array_equal(one, two)
    weight = np.asarray(many.brain.projections[1].weight)
    assert weight.std() == pytest.approx(1 / 8, rel=0.05)


def test_scores_of_networks_that_never_act():
    """Silent networks push to one side: the pole falls soon, the car never gets there."""

    def silent(task) -> Network:
        brain = CLAIM.genome("direct, few genes", task, 64, key=KEY).brain
        return jax.tree.map(jnp.zeros_like, brain)

    exam = lambda task: CLAIM.life("grown", task, exam=True)  # noqa: E731
    fallen = exam("cart-pole")(silent("cart-pole"), key=KEY).fitness
    assert 8 / 200 <= fallen <= 12 / 200  # under a constant push it falls after 8 to 11 steps
    assert exam("mountain-car")(silent("mountain-car"), key=KEY).fitness == 0
    guess = CLAIM.life("grown", "MNIST-1D", exam=True)(silent("MNIST-1D"), key=KEY).fitness
    assert abs(float(guess)) < 0.06  # chance
    loss = CLAIM.life("direct, few genes", "MNIST-1D")(silent("MNIST-1D"), key=KEY).fitness
    assert loss == pytest.approx(-np.log(10), abs=1e-4)
    unfit = CLAIM.life("grown", "cart-pole")(CLAIM.genome("grown", "cart-pole", 8, key=KEY).develop(
        jnp.zeros(195), key=KEY), key=KEY).fitness  # fmt: skip
    assert unfit == -np.inf  # genes of zero connect nothing
