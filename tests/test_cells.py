"""Spatial cells: what maps of long walks give back, and closed forms."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurula.cells import (
    BoundaryVectorCells,
    GridCells,
    HeadDirectionCells,
    PlaceCells,
    boundary_vector_cells,
    follow,
    grid_cells,
    head_direction_cells,
    place_cells,
    spikes,
)
from neurula.environments import Arena, rectangle
from neurula.measures import grid_lattice, grid_score, head_direction, rate_map, visits
from neurula.wandering import wander

WALL = Arena(walls=[((0.5, 0.0), (0.5, 0.6))])
NOWHERE = jnp.float32(0.0)  # a direction that does not matter


@pytest.fixture(scope="module")
def walk():
    times, path = wander(Arena(dt=0.05), seconds=3600.0, key=jax.random.key(5))
    return visits(np.asarray(path.position), np.asarray(times), extent=(0, 1, 0, 1)), path


def test_maps_of_a_long_walk_give_back_place_fields(walk):
    seen, path = walk
    cells = PlaceCells(jnp.array([[0.3, 0.6], [0.7, 0.4]]), width=jnp.array([0.08, 0.12]))
    fired = np.asarray(spikes(follow(cells, path), dt=0.05, key=jax.random.key(1)))
    maps = rate_map(seen, spikes=[seen.times[one] for one in fired.T])
    x = (np.arange(40) + 0.5) * 0.025
    for one, centre, width in zip(maps, np.asarray(cells.centres), (0.08, 0.12), strict=True):
        rates = np.where(one > np.nanmax(one) / 2, one, 0.0)  # the core of the field
        across, down = (rates.sum(axis) / rates.sum() for axis in (0, 1))
        found = np.array([(across * x).sum(), (down * x).sum()])
        np.testing.assert_allclose(found, centre, atol=0.015)
        # Half the peak is sqrt(2 ln 2) widths away; the map's own blur of 0.05 m adds.
        radius = np.sqrt((one > np.nanmax(one) / 2).sum() / np.pi) * 0.025
        assert radius == pytest.approx(np.sqrt(2 * np.log(2) * (width**2 + 0.05**2)), rel=0.1)


def test_maps_of_a_long_walk_give_back_grids(walk):
    seen, path = walk
    cells = grid_cells(2, 3, spacings=(0.35, 0.45), threshold=-0.5, key=jax.random.key(2))
    maps = rate_map(seen, rates=np.asarray(follow(cells, path)), sigma=1.0)
    lattice = grid_lattice(maps)
    np.testing.assert_allclose(lattice.spacing, np.repeat([0.35, 0.45], 3), rtol=0.06)
    turns = np.repeat(np.degrees(np.asarray(cells.orientation)), 3)
    assert (np.abs((lattice.orientation - turns + 30) % 60 - 30) < 4).all()
    assert (grid_score(maps) > 1.0).all()


def test_a_grid_peaks_at_its_offset_and_at_its_neighbours():
    cells = GridCells(jnp.array([[[0.2, 0.3]]]), jnp.array([0.4]), jnp.array([0.2]), threshold=-0.5)
    rate = lambda x, y: float(cells.rates(jnp.array([x, y]), NOWHERE)[0])  # noqa: E731
    assert rate(0.2, 0.3) == pytest.approx(10.0)
    for k in range(6):
        angle = 0.2 + k * np.pi / 3
        assert rate(0.2 + 0.4 * np.cos(angle), 0.3 + 0.4 * np.sin(angle)) == pytest.approx(10.0)
    middle = 0.4 / np.sqrt(3)  # of a triangle: no rate at all
    place = 0.2 + middle * np.cos(0.2 + np.pi / 6), 0.3 + middle * np.sin(0.2 + np.pi / 6)
    assert rate(*place) == pytest.approx(0.0, abs=1e-4)


def test_ways_around_a_wall_by_hand():
    centre, here = jnp.array([[0.3, 0.3]]), jnp.array([0.7, 0.2])
    away = {
        how: float(PlaceCells(centre, WALL, distance=how).away(here)[0])
        for how in ("euclidean", "geodesic", "line of sight")
    }
    assert away["euclidean"] == pytest.approx(np.hypot(0.4, 0.1))
    assert away["geodesic"] == pytest.approx(np.hypot(0.2, 0.3) + np.hypot(0.2, 0.4), abs=4e-3)
    assert away["line of sight"] > 1e3
    seen = jnp.array([0.6, 0.95])
    for how in away:
        cells = PlaceCells(centre, WALL, distance=how)
        assert float(cells.away(seen)[0]) == pytest.approx(np.hypot(0.3, 0.65))


def test_the_shortest_way_is_what_a_search_over_a_fine_grid_finds():
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    maze = Arena(walls=[((0.33, 0.0), (0.33, 0.7)), ((0.66, 1.0), (0.66, 0.3))])
    size = 41
    lines = np.linspace(0.0125, 0.9875, size)
    x, y = np.meshgrid(lines, lines)
    points = jnp.asarray(np.stack([x.ravel(), y.ravel()], 1), jnp.float32)
    moves = [(a, b) for a in range(-3, 4) for b in range(-3, 4) if np.gcd(a, b) == 1]
    rows, columns = np.divmod(np.arange(size**2), size)
    ends = []
    for a, b in moves:
        inside = (rows + a >= 0) & (rows + a < size) & (columns + b >= 0) & (columns + b < size)
        start = np.flatnonzero(inside)
        ends.append(np.stack([start, start + a * size + b], 1))
    ends = np.concatenate(ends)
    p, q = (np.asarray(points, np.float64)[ends[:, k]] for k in (0, 1))
    blocked = np.zeros(len(ends), bool)
    for x, low, high in ((0.33, 0.0, 0.7), (0.66, 0.3, 1.0)):
        t = (x - p[:, 0]) / np.where(p[:, 0] == q[:, 0], np.inf, q[:, 0] - p[:, 0])
        height = p[:, 1] + t * (q[:, 1] - p[:, 1])
        blocked |= (t > 0) & (t < 1) & (height > low) & (height < high)
    graph = coo_array((np.hypot(*(p - q).T)[~blocked], ends[~blocked].T), (size**2, size**2))
    found = dijkstra(graph.tocsr(), indices=5 * size + 5)
    cells = PlaceCells(points[5 * size + 5][None], maze, distance="geodesic")
    away = np.asarray(jax.vmap(cells.away)(points))[:, 0]
    np.testing.assert_allclose(away, found, rtol=0.03, atol=0.03)
    assert found.max() > 1.9  # around both walls


def test_a_difference_of_gaussians_sums_to_zero():
    cells = PlaceCells(jnp.array([[1.0, 1.0]]), Arena(rectangle(2, 2)), 0.1,
                       shape="difference of gaussians")  # fmt: skip
    lines = jnp.linspace(0.01, 1.99, 100)
    places = jnp.stack(jnp.meshgrid(lines, lines), -1).reshape(-1, 2)
    rates = jax.vmap(lambda x: cells.rates(x, NOWHERE)[0])(places)
    assert float(rates.max()) == pytest.approx(10.0, rel=0.05)
    assert float(rates.min()) < -0.5
    assert abs(float(rates.sum())) < 1e-3 * float(jnp.abs(rates).sum())


def test_place_fields_wrap_around_a_torus():
    cells = PlaceCells(jnp.array([[0.05, 0.5]]), Arena(periodic=True))
    assert float(cells.away(jnp.array([0.95, 0.5]))[0]) == pytest.approx(0.1, abs=1e-6)


def test_boundary_vector_cells_peak_at_their_distance():
    room = Arena(rectangle(4.0, 4.0))
    far, turn = jnp.array([0.1, 0.5]), jnp.array([0.0, jnp.pi / 2])
    cells = BoundaryVectorCells(far, turn, room)
    steps = jnp.arange(0.02, 1.5, 0.01)
    east = jnp.stack([4.0 - steps, jnp.full_like(steps, 2.0)], 1)
    north = jnp.stack([jnp.full_like(steps, 2.0), 4.0 - steps], 1)
    rates = jax.vmap(lambda x: cells.rates(x, NOWHERE))
    near, above = np.asarray(rates(east)[:, 0]), np.asarray(rates(north)[:, 1])
    # A straight wall is farther on both sides: the best place is a little nearer than preferred.
    assert 0.08 <= float(steps[near.argmax()]) <= 0.1
    assert 0.47 <= float(steps[above.argmax()]) <= 0.5
    assert near.max() == pytest.approx(10.0, rel=0.02)
    assert above.max() == pytest.approx(10.0, rel=0.02)
    assert float(rates(north)[-1, 0]) < 0.01  # in the middle of the room there is no wall
    with pytest.raises(ValueError, match="need boundaries"):
        BoundaryVectorCells(far, turn, Arena(periodic=True))


def test_a_wall_gives_a_boundary_cell_a_second_field(key):
    assert boundary_vector_cells(WALL, 7, key=key).preferred_distance.shape == (7,)
    cells = BoundaryVectorCells(jnp.array([0.1]), jnp.array([jnp.pi]), WALL)
    rates = [float(cells.rates(jnp.array([x, 0.3]), NOWHERE)[0]) for x in (0.1, 0.3, 0.6)]
    assert rates[0] > 9.5  # west wall
    assert rates[2] > 9.5  # the inner one
    assert rates[1] < 5


def test_head_direction_cells_are_found_by_the_measure(walk):
    seen, path = walk
    cells = head_direction_cells(4, sharpness=3.0)
    fired = np.asarray(spikes(follow(cells, path), dt=0.05, key=jax.random.key(4)))
    for one, preferred in zip(fired.T, np.asarray(cells.preferred), strict=True):
        found = head_direction(np.asarray(path.direction), seen.times, seen.times[one])
        assert np.cos(found.preferred - preferred) > 0.995
        assert found.length == pytest.approx(0.8100, abs=0.03)  # I1(3) / I0(3)


def test_spikes_come_at_their_rate():
    rates = jnp.broadcast_to(jnp.array([0.0, 5.0, 40.0, -3.0]), (40_000, 4))
    fired = np.asarray(spikes(rates, dt=0.01, key=jax.random.key(3)))
    expected = 1 - np.exp(-np.array([0.0, 5.0, 40.0, 0.0]) * 0.01)
    np.testing.assert_allclose(fired.mean(0), expected, atol=4 * np.sqrt(0.25 / 40_000))


def test_cells_that_cannot_be_are_refused(key):
    with pytest.raises(ValueError, match=r"1 of 2 centres lie outside .* \[2\. 2\.\] m"):
        PlaceCells(jnp.array([[0.5, 0.5], [2.0, 2.0]]), distance="geodesic")
    with pytest.raises(ValueError, match="wider than 0 m, got width=-1"):
        place_cells(Arena(), 5, width=-1.0, key=key)
    with pytest.raises(ValueError, match="got 2, 1 and 0"):
        GridCells(jnp.zeros((1, 3, 2)), jnp.ones(2), jnp.zeros(1))
    with pytest.raises(ValueError, match=r"-0.5 to below 1, got 1, 1 and -0.7"):
        GridCells(jnp.zeros((1, 3, 2)), jnp.ones(1), jnp.zeros(1), threshold=-0.7)
    assert isinstance(head_direction_cells(3), HeadDirectionCells)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda a, k: place_cells(a, -1, key=k), r"Between 1 and 4096 place cells.*got count=-1"),
        (lambda a, k: place_cells(a, 5000, key=k), r"Between 1 and 4096 place cells"),
        (lambda a, k: place_cells(a, 2, width=np.nan, key=k), r"wider than 0 m, got width=nan"),
        (lambda a, k: PlaceCells(jnp.ones((1, 2)), ratio=1.0), r"The surround is wider"),
        (
            lambda a, k: grid_cells(1, 2, spacings=(0.0,), key=k),
            r"with a spacing above 0 m for each",
        ),
        (lambda a, k: grid_cells(3, 2, spacings=(0.3, 0.4), key=k), r"got modules=3, count=2"),
        (lambda a, k: head_direction_cells(0), r"are 1 or more, .*got count=0"),
        (lambda a, k: boundary_vector_cells(a, 0, key=k), r"are 1 or more, got count=0"),
    ],
)
def test_cells_that_would_have_no_rates(make, says, key):
    with pytest.raises(ValueError, match=says):
        make(Arena(), key)


def test_a_distance_that_is_misspelt_is_not_taken_for_another():
    misspelt = SimpleNamespace(width=0.1, shape="gaussian", distance="geodesics")
    with pytest.raises(
        ValueError, match=r"a distance of \('euclidean'.*'gaussian' and 'geodesics'"
    ):
        PlaceCells.__check_init__(misspelt)
