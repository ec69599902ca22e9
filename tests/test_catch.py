"""Catch: its rules, by hand, and what the best and a random player get."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.agents import Random, Scripted
from neurula.environments import Catch


def test_a_game_by_hand(key):
    game = Catch(rows=4, columns=3)
    state = jnp.array([0, 2, 1], jnp.int32)
    seen = []
    for action in (2, 2, 0):  # to the right, against the wall, and back
        state, event = game.step(state, jnp.int32(action), key=key)
        seen.append((float(event.reward), bool(event.terminated), event.observation.tolist()))
    assert seen[0] == (0, False, [[0, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 1]])
    assert seen[1] == (0, False, [[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1]])
    assert seen[2] == (-1, True, [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 1]])


def follow(seen, key):
    """To the ball."""
    ball, paddle = jnp.argmax(seen[:-1].sum(0)), jnp.argmax(seen[-1])
    return (jnp.sign(ball - paddle) + 1).astype(jnp.int32)


def test_the_best_catch_all_and_noise_has_the_stated_spread(key):
    best = Scripted(follow)
    returns = eqx.filter_jit(
        lambda k: nl.evaluate(best, Catch(noise=0.5), None, key=k, episodes=400)
    )
    found = np.asarray(returns(key))
    assert abs(found.mean() - 1) < 4 * 0.5 / 20
    assert 0.42 < found.std() < 0.58
    lived = eqx.filter_jit(lambda k: nl.act(best, Catch(), steps=90, key=k))(key)
    assert np.flatnonzero(lived.ended).tolist() == list(range(8, 90, 9))
    assert (np.asarray(lived.returns)[8::9] == 1).all()


def test_chance_is_the_exact_value_of_a_random_walk(key):
    """The paddle walks 9 steps between walls; it catches with probability 1/5, whatever it does."""
    lived = eqx.filter_jit(lambda k: nl.act(Random(), Catch(), steps=18_000, key=k))(key)
    mean = float(np.nanmean(lived.returns))
    assert abs(mean + 0.6) < 4 * (0.8 / np.sqrt(2000))


def test_refusals():
    with pytest.raises(ValueError, match="got 1 x 5"):
        Catch(rows=1)
