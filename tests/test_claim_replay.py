"""The games of the claims about replay: what chance and the best player get, and who plays."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurula.agents import A2C, DQN, Random, Scripted, Shuffled
from neurula.claims import ReplayRandomOrder, ReplayVsOnline
from neurula.claims.games import CART_POLE, CATCH, FLOOR, logs
from neurula.memories import Blocks, Recent, Uniform


def follow(seen, key):
    """To the ball."""
    ball, paddle = jnp.argmax(seen[:-1].sum(0)), jnp.argmax(seen[-1])
    return (jnp.sign(ball - paddle) + 1).astype(jnp.int32)


def played(game, agent, steps):
    return np.asarray(eqx.filter_jit(lambda k: game.play(agent, steps, key=k))(jax.random.key(0)))


def test_chance_scores_0_and_the_best_1():
    assert abs(played(CATCH, Random(), 9000).mean()) < 4 * 0.5 / np.sqrt(1000)
    assert abs(played(CART_POLE, Random(), 20_000).mean()) < 0.01
    np.testing.assert_allclose(played(CATCH, Scripted(follow), 96), 1, atol=1e-6)


def test_a_tenth_without_an_end_has_no_score():
    balance = Scripted(
        lambda seen, key: (seen[2] + 0.5 * seen[3] + 0.1 * seen[1] > 0) * jnp.int32(1)
    )
    found = played(CART_POLE, balance, 2000)
    assert (found[[0, 1, 3, 4]] == 0).all()
    assert found[2] > 0.5  # steps 400 to 599: the clock ended the first episode


def test_logs_have_a_floor():
    scores = np.array([-1.0, 0.0, 0.5, 1.0])
    np.testing.assert_allclose(logs(scores), np.log([FLOOR, FLOOR, 0.5, 1]), rtol=1e-5)


def test_arms_differ_in_what_they_are_named_after():
    rate, kinds = jnp.float32(1e-3), {}
    claim = ReplayVsOnline()
    for arm in claim.arms:
        agent = claim.agent(arm, rate, 1000)
        if isinstance(agent, DQN):
            kinds[arm] = type(agent.memory.sampler), agent.target
        else:
            assert isinstance(agent, A2C if arm == "actor-critic" else Shuffled)
    assert kinds == {
        "replay, target": (Uniform, 100),
        "latest, target": (Recent, 100),
        "replay": (Uniform, None),
        "latest": (Recent, None),
    }
    orders = ReplayRandomOrder()
    agents = {arm: orders.agent(arm, rate) for arm in orders.arms}
    ratios = {arm: a.replay_ratio for arm, a in agents.items() if isinstance(a, DQN)}
    assert ratios == {
        "random": 1 / 4, "blocks": 1 / 4, "latest, repeated": 1 / 4, "latest, once": 1 / 32,
    }  # fmt: skip
    assert isinstance(agents["blocks"].memory.sampler, Blocks)
