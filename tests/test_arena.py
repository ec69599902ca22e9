"""Arenas: no step crosses a wall, what slides keeps its pace, and what has no room is refused."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import neurula as nl
from neurula.agents import Forager, Replayed, replayed
from neurula.environments import Arena, CartPole, circle, rectangle
from neurula.geometry import sight, slid
from neurula.wandering import wander

ROOMS = Arena(
    rectangle(1.0, 1.0),
    walls=[((0.5, 0.0), (0.5, 0.6)), ((0.5, 0.6), (0.8, 0.7)), ((0.0, 0.3), (0.4, 0.35))],
    holes=[((0.2, 0.6), (0.35, 0.6), (0.3, 0.8))],
)


def crossed(before, after, walls):
    """In double precision: which steps have their ends on different sides of a wall, and it its."""
    before, after, walls = (np.asarray(x, np.float64) for x in (before, after, walls))
    cross = lambda a, b: a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]  # noqa: E731
    a, b, p, q = walls[:, 0], walls[:, 1], before[:, None], after[:, None]
    across = cross(b - a, p - a) * cross(b - a, q - a) < 0
    return (across & (cross(q - p, a - p) * cross(q - p, b - p) < 0)).any(1)


@eqx.filter_jit
def pushed(start, steps):
    """Where a series of steps leads, in rooms with walls."""

    def one(here, step):
        after = slid(here, step, ROOMS.segments)
        return after, after

    return jax.lax.scan(one, start, steps)[1]


number = st.floats(-1, 1, width=32, allow_subnormal=False)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    start=st.integers(0, len(ROOMS.places) - 1),
    steps=st.lists(st.tuples(number, number), min_size=8, max_size=8),
    size=st.sampled_from([0.003, 0.04, 0.5, 3.0]),
)
def test_no_step_crosses_a_wall(start, steps, size):
    first = jnp.asarray(ROOMS.places[start], jnp.float32)
    path = np.asarray(pushed(first, size * jnp.asarray(steps, jnp.float32)))
    before = np.concatenate([np.asarray(first)[None], path[:-1]])
    assert not crossed(before, path, ROOMS.segments).any()
    assert ROOMS.contains(path).all()


def test_a_long_walk_stays_in_its_room(key):
    shut = Arena(walls=[((0.5, 0.0), (0.5, 1.0))])
    _, path = jax.vmap(lambda k: wander(shut, seconds=100.0, key=k))(jax.random.split(key, 4))
    x = np.asarray(path.position)[..., 0]
    assert ((x < 0.5).all(1) | (x > 0.5).all(1)).all()
    assert len(set((x[:, 0] < 0.5).tolist())) == 2  # rooms on both sides were begun in


def test_what_meets_a_wall_slides_along_it():
    step = jnp.array([0.02, 0.03])
    after = slid(jnp.array([0.99, 0.5]), step, Arena().segments)
    np.testing.assert_allclose(after, [0.999, 0.53], atol=1e-6)  # 1 mm from the wall
    after = slid(jnp.array([0.99, 0.99]), step, Arena().segments)  # into a corner
    np.testing.assert_allclose(after, [0.999, 0.999], atol=1e-6)
    free = slid(jnp.array([0.4, 0.5]), step, Arena().segments)
    np.testing.assert_allclose(free, [0.42, 0.53], atol=1e-6)


def test_an_arena_moves_by_velocity_and_shows_where_it_went(key):
    arena = Arena(dt=0.1)
    state = jnp.array([0.5, 0.5, 1.0, 0.0, 0.0, 0.0])
    state, event = arena.step(state, jnp.array([0.0, 0.4]), key=key)
    here = arena.read(event.observation)
    np.testing.assert_allclose(here.position, [0.5, 0.54], atol=1e-6)
    np.testing.assert_allclose(here.velocity, [0.0, 0.4], atol=1e-5)
    np.testing.assert_allclose(here.direction, np.pi / 2, atol=1e-6)
    rest, _ = arena.step(state, jnp.zeros(2), key=key)
    np.testing.assert_allclose(arena.read(rest).direction, np.pi / 2, atol=1e-6)  # kept


def test_a_torus_has_no_end(key):
    arena = Arena(rectangle(1.0, 0.5), periodic=True, dt=1.0)
    state = jnp.array([0.9, 0.1, 1.0, 0.0, 0.0, 0.0])
    state, _ = arena.step(state, jnp.array([0.2, -0.2]), key=key)
    np.testing.assert_allclose(state[:2], [0.1, 0.4], atol=1e-6)
    np.testing.assert_allclose(state[4:], [0.2, -0.2], atol=1e-6)


def test_sight_by_hand():
    walls = jnp.array([[[0.5, 0.0], [0.5, 0.6]]])
    points = jnp.array([[0.2, 0.3], [0.2, 0.9]])
    targets = jnp.array([[0.8, 0.3], [0.4, 0.1], [0.8, 0.9]])
    assert sight(points, targets, walls).tolist() == [[False, True, False], [True, True, True]]


def test_episodes_begin_anywhere_but_in_holes(key):
    arena = Arena(circle(0.5), holes=[((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))])
    starts = jax.vmap(lambda k: arena.reset(key=k)[0])(jax.random.split(key, 2000))
    places = np.asarray(starts[:, :2])
    assert arena.contains(places).all()
    away = places - 0.5
    assert np.hypot(*away.T).max() < 0.5
    assert not (np.abs(away).max(1) < 0.2).any()
    assert np.abs(away.mean(0)).max() < 0.03
    assert np.hypot(*away.T).mean() == pytest.approx(0.3713, abs=0.01)  # integral over the ring


def test_arenas_without_room_are_refused():
    with pytest.raises(ValueError, match="leave no room"):
        Arena(rectangle(1.0, 1.0), holes=[((-1, -1), (2, -1), (2, 2), (-1, 2))])
    with pytest.raises(ValueError, match="got 2 corners"):
        Arena(((0, 0), (1, 1)))
    with pytest.raises(ValueError, match="leave no room"):
        Arena(rectangle(0.003, 1.0))
    with pytest.raises(ValueError, match="periodic arena has 1 walls"):
        Arena(walls=[((0.5, 0.0), (0.5, 0.6))], periodic=True)
    with pytest.raises(ValueError, match="dt > 0 s"):
        Arena(dt=0.0)


def test_a_forager_needs_an_arena(key):
    with pytest.raises(ValueError, match="got CartPole"):
        Forager().init(CartPole(), key=key)
    with pytest.raises(ValueError, match=r"sample every 0\.1 s"):
        Replayed(jnp.zeros((5, 2)), 0.1).init(Arena(), key=key)


def test_a_recording_is_walked_again(key):
    arena = Arena(dt=0.1)
    times = np.array([0.0, 1.0, 3.0])
    positions = np.array([[0.2, 0.2], [0.4, 0.2], [0.4, 0.9]])
    agent = replayed(positions, times, arena)
    start = jnp.concatenate([agent.track[0], jnp.array([1.0, 0.0, 0.0, 0.0])])
    state, seen = agent.init(arena, key=key), start
    path = []
    for _ in range(len(agent.track)):
        state, velocity = agent.act(state, seen, key=key)
        seen, _ = arena.step(seen, velocity, key=key)
        path.append(seen[:2])
    np.testing.assert_allclose(np.stack(path), np.asarray(agent.track), atol=1e-5)
    np.testing.assert_allclose(agent.track[15], [0.4, 0.2 + 0.5 * 0.35], atol=1e-6)


def test_acting_and_wandering_are_one_process(key):
    arena, keep = Arena(dt=0.05), lambda s, w, t: t.next_observation
    live = lambda k: nl.act(Forager(), arena, steps=2000, watch=keep, key=k).watched  # noqa: E731
    keys = jax.random.split(key, 6)
    acted = arena.read(eqx.filter_jit(jax.vmap(live))(keys))
    _, walked = jax.vmap(lambda k: wander(arena, seconds=100.0, key=k))(keys)
    a, b = (np.linalg.norm(np.asarray(one.velocity), axis=-1) for one in (acted, walked))
    assert a.mean() == pytest.approx(b.mean(), rel=0.1)
    a, b = (np.cos(np.diff(np.asarray(one.direction))) for one in (acted, walked))
    assert a.mean() == pytest.approx(b.mean(), abs=0.02)


# Bad input


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"corners": ((0, 0), (1, 1), (1, 0), (0, 1))},
            r"An arena needs .* edges 0 and 2 that cross",
        ),
        (
            {"corners": ((0, 0), (1, 0), (1, 1), (0, 0))},
            r"the corner \(0.0, 0.0\) twice, one after",
        ),
        ({"corners": ()}, r"An arena needs 3 corners or more.* got 0 corners"),
        ({"corners": ((0, 0), (1, np.nan), (1, 1))}, r"A shape is a row of points \(x, y\)"),
        ({"corners": "square"}, r"points \(x, y\) in metres, got 'square'"),
        ({"walls": ((0.5, 0), (0.5, 0.6))}, r"walls and holes are lists of shapes"),
        ({"walls": [((0.5, 0.5), (0.5, 0.5))]}, r"walls with two different ends"),
        ({"holes": [((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8))]}, r"A hole needs .*cross"),
        ({"holes": [((0, 0), (1, 0), (1, 1), (0, 1))]}, r"The walls leave no room"),
        ({"dt": np.nan}, r"needs dt > 0 s"),
    ],
)
def test_shapes_of_which_nobody_can_say_what_is_inside(settings, says):
    with pytest.raises(ValueError, match=says):
        Arena(**settings)


def test_a_lane_narrower_than_the_grid_of_places_has_room(key):
    lane = Arena(rectangle(3.0, 0.03))
    assert len(lane.places) == 64
    np.testing.assert_allclose(lane.places[:, 1], 0.015)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Forager(scale=-1.0), r"A forager's scale is 0 or more, got -1.0"),
        (lambda: Forager(shape=0.0), r"A forager's shape is above 0, got 0.0"),
        (lambda: Forager(reach=np.nan), r"A forager's reach is above 0, got nan"),
        (lambda: wander(Arena(), seconds=0.0, key=jax.random.key(0)), r"at least one of its steps"),
        (lambda: replayed(np.ones((3, 2)), np.arange(3)[::-1], Arena()), r"ascending times"),
        (
            lambda: replayed(np.full((3, 2), np.nan), np.arange(3), Arena()),
            r"6 numbers that are mi",
        ),
    ],
)
def test_walks_that_nobody_can_walk(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_who_has_no_speed_stays(key):
    _, path = wander(Arena(), seconds=1.0, forager=Forager(scale=0.0, push=0.0), key=key)
    assert np.ptp(path.position, axis=0).max() < 1e-6
