"""Worlds of finitely many states: their matrices, their steps, and what they refuse."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurula as nl
from neurula.agents import Random, Scripted, value_iteration
from neurula.environments import (
    BlindCliffwalk,
    CartPole,
    DeepSea,
    GridWorld,
    KeyDoor,
    cliff,
    corridor,
    detour,
    four_rooms,
    maze,
    open_field,
    transitions,
)


def walk(world, actions):
    """The states and rewards of a list of actions from the first start."""
    state, states, rewards = jnp.argmax(world.starts).astype(jnp.int32), [], []
    for action in actions:
        state, event = world.step(state, jnp.int32(action), key=jax.random.key(0))
        states.append(int(state))
        rewards.append(float(event.reward))
    return states, rewards, bool(event.terminated)


def test_a_drawing_becomes_cells():
    world = GridWorld("S.#\n.BG\n...")
    assert world.observations.size == 8
    assert world.places.tolist()[2] == [1, 0]
    assert world.state_at(2, 1) == 6
    assert world.neighbours[0].tolist() == [0, 1, 2, 0]
    assert world.neighbours[2].tolist() == [0, 2, 5, 2]  # right of it is the barrier
    assert walk(world, [0, 2, 1, 2, 1, 1, 0]) == ([0, 2, 2, 5, 6, 7, 4], [0] * 6 + [1], True)


def test_falling_leads_back_and_steps_cost():
    world = GridWorld("...\nSCG", rewards={"C": -99.0}, falls="C", cost=-1.0)
    assert walk(world, [1, 0, 1, 1, 2]) == ([3, 0, 1, 2, 5], [-100, -1, -1, -1, -1], True)


@pytest.mark.parametrize("world", [GridWorld("S.#\n..G", slip=0.3), KeyDoor(3)])
def test_steps_follow_the_matrix(world):
    exact = transitions(world)
    sums = np.asarray(exact.probability.sum(-1))
    np.testing.assert_allclose(sums, np.where(exact.terminal, 0, 1)[:, None] * np.ones_like(sums))
    state, action = jnp.argmax(exact.starts).astype(jnp.int32), jnp.int32(1)
    keys = jax.random.split(jax.random.key(0), 4000)
    step = jax.vmap(lambda k: world.step(state, action, key=k)[1])
    events = eqx.filter_jit(step)(keys)
    share = np.bincount(events.observation, minlength=sums.shape[0]) / 4000
    np.testing.assert_allclose(share, exact.probability[state, action], atol=0.03)
    np.testing.assert_allclose(events.reward.mean(), exact.reward[state, action], atol=0.03)


def test_only_one_way_finds_the_treasure():
    sea = DeepSea(5)
    _, rewards, ended = walk(sea, [1] * 5)
    np.testing.assert_allclose(rewards, [-0.002] * 4 + [0.998], rtol=1e-5)
    assert ended
    assert sum(walk(sea, [1, 1, 0, 1, 1])[1]) < 0
    treacherous = DeepSea(5, treacherous=True)
    other = DeepSea(5, treacherous=True, layout=1)
    assert treacherous.rightwards.tolist() != other.rightwards.tolist()
    found = Scripted(lambda seen, key: treacherous.rightwards[seen].astype(jnp.int32))
    returns = nl.evaluate(found, treacherous, None, episodes=2, limit=9, key=jax.random.key(0))
    np.testing.assert_allclose(returns, 0.99, rtol=1e-5)
    live = eqx.filter_jit(lambda key: nl.act(Random(), sea, steps=20, key=key))
    lived = live(jax.random.key(0))
    assert np.flatnonzero(lived.ended).tolist() == [4, 9, 14, 19]


def test_the_door_opens_with_the_key_only():
    world = KeyDoor(3, distractor=0.1)
    without = walk(world, [1, 1, 1])
    np.testing.assert_allclose(without[1], [0.1, 0, 0], rtol=1e-6)
    assert not without[2]
    states, rewards, ended = walk(world, [0, 2, 1, 1, 1])
    assert (states, rewards, ended) == ([0, 3, 4, 5, 6], [0, 0, 0, 0, 1], True)


def test_worlds_nobody_can_live_in_are_refused():
    with pytest.raises(ValueError, match=r"'G' in row and column \(0, 2\) cannot be reached"):
        GridWorld("S#G\n.#.")
    with pytest.raises(ValueError, match="needs a free cell"):
        GridWorld("##\n##")
    with pytest.raises(ValueError, match=r"equally long, got \[2, 3\]"):
        GridWorld("...\n..")
    with pytest.raises(ValueError, match=r"what \['x'\] in the drawing means"):
        GridWorld("S.x")
    with pytest.raises(ValueError, match=r"got 1\.5"):
        GridWorld("S.G", slip=1.5)
    with pytest.raises(ValueError, match="got 2 starts"):
        GridWorld("S.S\nC..", rewards={"C": -1.0}, falls="C")
    with pytest.raises(ValueError, match="There is no cell in row 0, column 1"):
        GridWorld("S#\n..").state_at(0, 1)
    with pytest.raises(ValueError, match="depth=0"):
        DeepSea(0)
    with pytest.raises(ValueError, match="length=2"):
        KeyDoor(2)
    with pytest.raises(TypeError, match="CartPole is not an AbstractFiniteWorld"):
        transitions(CartPole())
    with pytest.raises(MemoryError, match=r"10,000,001 states by 2 actions .* GiB are free"):
        transitions(BlindCliffwalk(10**7))
    with pytest.raises(ValueError, match="A drawing has at least one line"):
        GridWorld("")
    for rewards in ({"G": np.nan}, {"GG": 1.0}, {"#": 1.0}):
        with pytest.raises(ValueError, match=r"finite numbers by single letters other than '#'"):
            GridWorld("S.G", rewards=rewards)
    with pytest.raises(ValueError, match=r"finite numbers .* got \{'cost': inf\}"):
        GridWorld("S.G", cost=np.inf)


ROOMS = [
    (maze(), 14),
    (corridor(4), 4),
    (detour(), 5),
    (detour("near"), 11),
    (detour("far"), 15),
    (four_rooms(), 14),
]


@pytest.mark.parametrize(("room", "steps"), ROOMS)
def test_well_known_rooms_and_their_shortest_ways(room, steps):
    start = room.letters.index("S") if "S" in room.letters else 0
    found = value_iteration(transitions(room), 0.9)[start].max()
    np.testing.assert_allclose(found, 0.9 ** (steps - 1), rtol=1e-4)


def test_rooms():
    assert four_rooms().observations.size == 104
    assert not four_rooms(goal=None).terminal.any()
    assert len({detour(block).observations.size for block in ("none", "near", "far")}) == 1
    safe = value_iteration(transitions(cliff()), 0.999)  # nearly undiscounted: 13 steps
    np.testing.assert_allclose(safe[cliff().state_at(3, 0)].max(), -12.92, atol=0.01)
    assert walk(BlindCliffwalk(3), [1, 0, 1]) == ([1, 2, 3], [0, 0, 1], True)
    assert walk(BlindCliffwalk(3), [1, 1]) == ([1, 3], [0, 0], True)
    with pytest.raises(ValueError, match="got 0 x 3"):
        open_field(0, 3)
    with pytest.raises(ValueError, match="length=0"):
        corridor(0)
    with pytest.raises(ValueError, match="length=0"):
        BlindCliffwalk(0)
    with pytest.raises(ValueError, match=r"got row and column \(0, 0\), which is a wall"):
        four_rooms(goal=(0, 0))
