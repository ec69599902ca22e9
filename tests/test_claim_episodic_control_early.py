"""What the episodic-control experiment is made of: windows of a life, counted memories, a judge."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.agents import DQN, MFEC, NEC
from neurula.claims.episodic_control_early import (
    BINS,
    BLIND,
    EPISODIC,
    NEURAL,
    OFTEN,
    ONCE,
    TASKS,
    WORLDS,
    EpisodicControlEarly,
    learnable,
    mean,
)
from neurula.experiment import Outcome

CLAIM = EpisodicControlEarly()
SETTINGS = {"discount": jnp.float32(0.95), "rate": jnp.float32(1e-3)}


def test_returns_are_averaged_over_the_episodes_that_ended():
    assert mean(jnp.array([jnp.nan, 1.0, jnp.nan, 0.0])) == 0.5
    assert mean(jnp.full(3, jnp.nan)) == 0


def test_agents_are_those_of_the_arms():
    agents = {arm: CLAIM.agent(arm, SETTINGS) for arm in CLAIM.arms}
    assert {arm: type(agent) for arm, agent in agents.items()} == {
        EPISODIC: MFEC, BLIND: MFEC, NEURAL: NEC, OFTEN: DQN, ONCE: DQN,
    }  # fmt: skip
    assert (agents[OFTEN].replay_ratio, agents[ONCE].replay_ratio) == (8, 1)
    assert (agents[EPISODIC].blind, agents[BLIND].blind) == (False, True)
    for agent in agents.values():  # equal exploration, done by the time that early returns count
        assert (agent.start, agent.end, agent.exploring) == (1.0, 0.05, CLAIM.early // 2)


def test_places_of_memory_count_as_parameters():
    """Catch: 50 pixels, three actions, 32 hidden cells, keys of 16 numbers, 400 places."""
    world, _, _ = WORLDS["catch"]
    count = lambda arm: learnable(CLAIM.agent(arm, SETTINGS), world)  # noqa: E731
    places = 3 * 400 * (16 + 1)
    hidden = 50 * 32 + 32
    assert count(EPISODIC) == places
    assert count(NEURAL) == places + hidden + 32 * 16 + 16
    assert count(ONCE) == hidden + 32 * 3 + 3


def test_the_blind_see_no_difference(key):
    world, _, _ = WORLDS["catch"]
    seen = jax.random.uniform(key, (2, 10, 5))
    for arm, same in ((BLIND, True), (EPISODIC, False)):
        agent = CLAIM.agent(arm, SETTINGS)
        state = agent.init(world, key=key)
        assert bool((agent.cue(state, seen[0]) == agent.cue(state, seen[1])).all()) is same


def outcomes(early, late):
    """Fabricated lives; others than those named get 0.5."""
    noise = np.random.default_rng(0).normal(0, 0.02, (len(CLAIM.arms), 10, len(TASKS)))

    def one(i, arm):
        kept = {
            "early": jnp.asarray(early.get(arm, 0.5) + noise[i], jnp.float32),
            "late": jnp.asarray(late.get(arm, 0.8) + noise[i], jnp.float32),
            **{task: jnp.zeros((10, BINS)) for task in TASKS},
        }
        return Outcome(jnp.zeros(10), kept=kept)

    return {arm: one(i, arm) for i, arm in enumerate(CLAIM.arms)}


@pytest.mark.parametrize(
    ("first", "last", "ruling"),
    [(0.9, 0.8, "supported"), (0.6, 0.8, "refuted"), (0.9, 1.1, "refuted")],
)
def test_a_lead_has_to_come_and_to_go(first, last, ruling):
    evidence = CLAIM.evidence(outcomes({EPISODIC: first}, {EPISODIC: last}))
    assert evidence.primary.decide().ruling == ruling
    lead = evidence.secondary["early lead"].decide().estimate
    assert lead == pytest.approx(first - 0.5, abs=0.02)


def test_gates_fall_where_nothing_is_learned():
    held = CLAIM.evidence(outcomes({EPISODIC: 0.9}, {OFTEN: 0.9})).gates
    fell = CLAIM.evidence(outcomes({EPISODIC: 0.9, BLIND: 0.9}, {OFTEN: 0.6})).gates
    assert [gate.held for gate in held] == [True, True]
    assert [gate.held for gate in fell] == [False, False]


@pytest.mark.slow
def test_arms_live_in_the_same_worlds_and_mapped_lives_are_those_alone(key):
    claim = EpisodicControlEarly(steps=80, early=40, capacity=20)
    settings = {"discount": jnp.float32(0.95)}
    run = lambda k: claim.run(EPISODIC, settings, key=k)  # noqa: E731
    keys = jax.random.split(key, 2)
    both, alone = jax.jit(jax.vmap(run))(keys), jax.jit(run)(keys[1])
    np.testing.assert_allclose(both.kept["late"][1], alone.kept["late"], atol=1e-5)
    assert alone.kept["early"].shape == (len(TASKS),)
