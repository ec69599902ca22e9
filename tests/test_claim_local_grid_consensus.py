"""Known facts about the pieces of local-grid-consensus, its task too; not what it finds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula import trainable
from neurula.claims.local_grid_consensus import (
    ALONE,
    CNN,
    LONG,
    MIDDLE,
    NARROW,
    SCRAMBLED,
    SHORT,
    UNTIED,
    LocalGridConsensus,
    voted,
)  # fmt: skip
from neurula.contracts import AbstractBlock, Sample
from neurula.costs import flops
from neurula.tasks import Digits, Everywhere

KEY = jax.random.key(0)
CLAIM = LocalGridConsensus()


def size(arm):
    shapes = eqx.filter_eval_shape(lambda: trainable(CLAIM.brain(arm, key=KEY)))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


def work(arm):
    brain = eqx.filter_eval_shape(lambda: CLAIM.brain(arm, key=KEY))
    weights, rest = eqx.partition(brain, lambda x: isinstance(x, jax.ShapeDtypeStruct))
    play = lambda w, x: (lambda b: b.step(b.init(), x)[1])(eqx.combine(w, rest))  # noqa: E731
    return flops(play, weights, jnp.zeros(64))


def test_arms_have_the_sizes_that_are_said():
    assert size(LONG) == size(SHORT) == size(MIDDLE) == size(SCRAMBLED) == 4 * 16 * 32
    assert size(UNTIED) == 10 * size(LONG)
    assert size(NARROW) == pytest.approx(size(LONG), rel=0.1)
    assert size(LONG) <= size(CNN) < size(LONG) + 36
    assert size(ALONE) < size(LONG)


def test_arms_take_the_operations_that_are_said():
    long = work(LONG)
    assert work(UNTIED) == pytest.approx(long, rel=0.02)
    assert work(SHORT) == pytest.approx(long / 10, rel=0.05)
    assert work(MIDDLE) == pytest.approx(long * 0.4, rel=0.05)


@pytest.mark.parametrize(("side", "steps"), [(8, (10, 4, 1)), (16, (20, 8, 2))])
def test_steps_are_shares_of_the_side(side, steps):
    claim = LocalGridConsensus(side=side)
    assert tuple(claim.steps(arm) for arm in (LONG, MIDDLE, SHORT)) == steps
    assert claim.task().shape == (1, side**2, 10 * side**2)


@pytest.mark.parametrize("arm", [ALONE, SHORT])
def test_how_far_cells_see(arm):
    """Alone a cell sees its own pixel, with one step it sees those beside it."""
    brain = CLAIM.brain(arm, key=KEY)
    held = brain.block
    noise = 0.1 * jax.random.normal(KEY, held.leave.shape)
    brain = eqx.tree_at(lambda b: b.block.leave, brain, noise)
    said = lambda x: brain.step(brain.init(), x)[1].reshape(10, 64)[:, 27]  # noqa: E731
    felt = np.abs(eqx.filter_jit(jax.jacobian(said))(jnp.ones(64))).sum(0).reshape(8, 8) > 0
    beside = np.zeros((8, 8), bool)
    reach = 0 if arm == ALONE else 1
    beside[3 - reach : 4 + reach, 3 - reach : 4 + reach] = True
    assert felt[3, 3]
    assert not felt[~beside].any()
    assert felt.sum() > (0 if arm == ALONE else 4)


def sample(pixels, answer):
    target = np.tile(np.eye(3, dtype=np.float32)[answer].repeat(4)[None], (1, 1))
    return Sample(jnp.asarray([pixels], jnp.float32), jnp.asarray(target))


def test_the_majority_of_cells_with_ink_wins():
    task = Everywhere()
    says = np.eye(3, dtype=np.float32)[[0, 1, 1, 2]].T.reshape(1, -1)  # what four cells say
    seen = sample([1, 1, 1, 0], 1)  # the last sees no ink
    np.testing.assert_array_equal(task.votes(jnp.asarray(says)[0], seen), [1, 2, 0])
    assert task.score(jnp.asarray(says), seen) == 1
    assert task.agreement(jnp.asarray(says)[0], seen) == pytest.approx(2 / 3)
    assert task.score(jnp.asarray(says), sample([1, 0, 0, 1], 1)) == 0


def test_cells_without_ink_are_not_taught():
    task = Everywhere()
    said = jax.random.normal(KEY, (1, 12))
    slope = np.asarray(jax.grad(lambda y: task.error(y, sample([1, 0, 1, 0], 2)))(said))
    expected = np.asarray(jax.nn.softmax(said.reshape(3, 4), 0)) - np.array([[0], [0], [1]])
    expected[:, [1, 3]] = 0
    np.testing.assert_allclose(slope.reshape(3, 4), expected / 2, atol=1e-6)


def test_scrambling_moves_pixels_and_keeps_answers():
    order = jax.random.permutation(KEY, 64)
    tasks = (Everywhere(Digits(), each) for each in (None, order))
    one, other = (eqx.filter_jit(task.sample)("train", key=KEY) for task in tasks)
    np.testing.assert_array_equal(other.stimuli[0], one.stimuli[0][order])
    np.testing.assert_array_equal(other.target, one.target)
    np.testing.assert_array_equal(one.stimuli, Digits().sample("train", key=KEY).stimuli)


def test_a_vote_of_cells_that_know_is_right_at_all_times():
    """A brain that reads the answer off its first pixel, at every cell."""

    class Knows(AbstractBlock):
        @property
        def inputs(self):
            return {"input": 64}

        @property
        def outputs(self):
            return {"output": 640}

        def init(self, *, key=None):
            del key
            return jnp.zeros((1, 64))

        def step(self, state, inputs):
            return state, jnp.repeat(jax.nn.one_hot(inputs[0].astype(jnp.int32), 10), 64)

    labels = jnp.arange(6)
    pictures = jnp.ones((6, 1, 64)).at[:, 0, 0].set(labels.astype(jnp.float32) + 0.5)
    target = jnp.repeat(jax.nn.one_hot(labels, 10), 64, axis=1)[:, None]
    found = eqx.filter_jit(voted)(Knows(), Everywhere(), Sample(pictures, target))
    np.testing.assert_array_equal(found["accuracy"], [1, 1, 1])
    for name in ("agreement", "changed", "forgotten"):
        assert found[name] == 1


def test_the_full_budget_has_sixteen_cells_a_side():
    """Traced, not run."""
    claim = LocalGridConsensus(**LocalGridConsensus.budgets["full"].settings)
    run = lambda key, rate: claim.run(LONG, {"rate": rate}, key=key)  # noqa: E731
    outcome = eqx.filter_eval_shape(run, KEY, jnp.float32(0.01))
    assert claim.side == 16
    assert outcome.kept["accuracy"].shape == (3,)


def test_sides_that_have_no_eighths_are_refused():
    with pytest.raises(ValueError, match=r"multiple of 8, got 12.*--side 8"):
        LocalGridConsensus(side=12)
