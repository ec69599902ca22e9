"""Worlds that differ from life to life: turned reaching and bandits, by hand and by what pays."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.agents import Random, Scripted
from neurula.environments import ContextBandits, Reaching, turned
from neurula.environments.bandits import Machine
from neurula.environments.reaching import Reach


def test_a_quarter_turn_sends_right_to_up(key):
    np.testing.assert_allclose(
        turned(jnp.array([1.0, 0.0]), jnp.float32(jnp.pi / 2)), [0.0, 1.0], atol=1e-6
    )
    world, right = Reaching(), jnp.array([1.0, 0.0])
    for target, reward in ([0.0, 1.0], 0.0), ([1.0, 0.0], -2.0), ([0.0, -1.0], -4.0):
        state = Reach(jnp.float32(jnp.pi / 2), jnp.array(target))
        after, event = world.step(state, right, key=key)
        assert event.reward == pytest.approx(reward, abs=1e-5)
        assert after.turn == state.turn
        assert jnp.linalg.norm(event.observation) == pytest.approx(1.0, abs=1e-5)


def test_who_turns_back_hits_and_who_does_not_is_off_by_the_chord(key):
    # Reaching straight ahead under a turn t costs |R - 1|^2 = 2 - 2 cos t.
    world = Reaching()
    begin, event = world.reset(key=key)
    _, straight = world.step(begin, event.observation, key=key)
    assert straight.reward == pytest.approx(-float(2 - 2 * jnp.cos(begin.turn)), abs=1e-4)
    _, back = world.step(begin, turned(event.observation, -begin.turn), key=key)
    assert back.reward == pytest.approx(0.0, abs=1e-5)


def test_turns_are_uniform_and_bounded():
    keys = jax.random.split(jax.random.key(0), 2000)
    turns = jax.vmap(lambda k: Reaching(0.5).reset(key=k)[0].turn)(keys)
    assert jnp.max(jnp.abs(turns)) <= 0.5
    assert jnp.mean(turns) == pytest.approx(0.0, abs=0.02)
    assert jnp.std(turns) == pytest.approx(0.5 / 3**0.5, rel=0.05)
    with pytest.raises(ValueError, match="half a circle"):
        Reaching(4.0)


def test_arms_pay_as_often_as_their_chances_say():
    chances = jnp.array([[0.9, 0.1], [0.3, 0.6]])
    keys = jax.random.split(jax.random.key(0), 2000)
    for context in (0, 1):
        for arm in (0, 1):
            machine = Machine(chances, jnp.int32(context))
            pull = lambda k, m=machine, a=arm: ContextBandits(2, 2).step(m, jnp.int32(a), key=k)  # noqa: E731
            after, event = jax.vmap(pull)(keys)
            assert jnp.mean(event.reward) == pytest.approx(float(chances[context, arm]), abs=0.03)
            assert jnp.mean(jnp.float32(after.context)) == pytest.approx(0.5, abs=0.04)


def test_one_arm_is_good_in_every_context_and_chance_pays_the_mean():
    world = ContextBandits()
    machine, _ = world.reset(key=jax.random.key(1))
    np.testing.assert_allclose(machine.chances.sum(1), np.full(5, 1.3), rtol=1e-5)
    np.testing.assert_allclose(machine.chances.max(1), np.full(5, 0.9), rtol=1e-5)
    lived = eqx.filter_jit(lambda k: nl.act(Random(), world, steps=3000, key=k))(jax.random.key(2))
    assert jnp.mean(lived.rewards) == pytest.approx((0.9 + 4 * 0.1) / 5, abs=0.03)
    with pytest.raises(ValueError, match="nothing could be learned"):
        ContextBandits(good=0.1, bad=0.1)


def test_a_life_does_not_end():
    ahead = Scripted(lambda seen, key: seen)
    lived = eqx.filter_jit(lambda k: nl.act(ahead, Reaching(0.0), steps=50, key=k))(
        jax.random.key(0)
    )
    np.testing.assert_allclose(lived.rewards, np.zeros(50), atol=1e-6)
    assert not lived.ended.any()
