"""The pieces of replay-reward-sequences: memories, orders, and what must follow from them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.agents import EpsilonGreedy, backup_value, gain, need, policy_chain
from neurula.claims.replay_reward_sequences import (
    LENGTHS,
    ReplayRewardSequences,
    shuffled,
    way,
)
from neurula.environments import BlindCliffwalk, transitions

CLAIM = ReplayRewardSequences()


def updates(arm, length, key=0):
    count, learned = CLAIM.learn(arm, way(length), jax.random.key(key))
    return int(count), bool(learned)


def test_the_memory_is_the_world():
    for length in (2, 5):
        known, exact = way(length), transitions(BlindCliffwalk(length))
        assert known.right[:length].tolist() == [1 - s % 2 for s in range(length)]
        np.testing.assert_array_equal(known.world.reward[: length + 1], exact.reward)
        for s in range(length):
            assert int(known.next_state[s, known.right[s]]) == s + 1
            assert int(known.next_state[s, 1 - known.right[s]]) == length


@pytest.mark.parametrize("arm", ["reverse", "prioritised", "gain"])
def test_orders_that_go_back_from_the_reward_change_every_value_once(arm):
    for length in (2, 6):
        assert updates(arm, length) == (length, True)


def test_forward_order_sets_one_value_a_pass():
    # The last step of each pass but the last: passes end one step earlier each time.
    assert updates("forward", 6) == (6 * 5 + 1, True)


def test_random_order_needs_the_square_on_average():
    draw = jax.vmap(lambda k: CLAIM.learn("uniform", way(6), k)[0])
    counts = jax.jit(draw)(jax.random.split(jax.random.key(0), 400))
    counts = np.asarray(counts, float)
    assert abs(counts.mean() - 36) < 3 * counts.std() / 20


def test_the_sham_remembers_the_reward_elsewhere():
    for seed in range(5):
        reward = shuffled(way(6), jax.random.key(seed))
        assert float(reward.sum()) == 1
        assert int(reward.max(1).argmax()) < 5
    short = ReplayRewardSequences(sham_most=100)
    count, learned = short.learn("reward shuffled", way(4), jax.random.key(0))
    assert (int(count), bool(learned)) == (100, False)


def test_gain_and_need_by_hand():
    q = jnp.array([[0.0, 1.0], [0.0, 0.0]])
    targets = jnp.array([[2.0, 1.0], [0.0, 3.0]])
    policy = EpsilonGreedy(0.0)
    found = gain(q, targets, policy)
    # State 0: 2 beats 1, so that one gains 2 - 0 * ... : the old policy took 1, worth 1.
    # State 1: from half and half of (0, 3) to all of 3.
    np.testing.assert_allclose(found, [[1.0, 0.0], [0.0, 1.5]])
    chain = jnp.array([[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_allclose(need(chain, jnp.int32(0), 0.9), [1.0, 0.9], rtol=1e-6)
    both = backup_value(q, targets, policy, chain, jnp.int32(0), discount=0.9)
    np.testing.assert_allclose(both, [[1.0, 0.0], [0.0, 1.35]], rtol=1e-6)
    world = transitions(BlindCliffwalk(3))
    uniform = jnp.full((4, 2), 0.5)
    ahead = need(policy_chain(world, uniform), jnp.int32(0), 0.9)
    np.testing.assert_allclose(ahead[:3], [1, 0.45, 0.45**2], rtol=1e-5)


def test_lengths_are_those_of_the_card():
    assert LENGTHS[0] == 2
    assert LENGTHS[-1] == 14
