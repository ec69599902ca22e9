"""Points, walls and what lies between them: the plane geometry of places to act.

A wall is a line segment, (2 ends, 2 coordinates); lengths are in metres. Functions take one point;
`jax.vmap` gives many.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

MARGIN = 1e-3  # m, nearer to a wall nobody goes
Point = Float[Array, "2"]
Walls = Float[Array, "wall 2 2"]


def cross(a: Float[Array, "*#n 2"], b: Float[Array, "*#n 2"]) -> Float[Array, "..."]:
    """The signed area of the parallelogram over two vectors."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def crossings(start: Point, step: Point, walls: Walls) -> Float[Array, " wall"]:
    """After which share of a step each wall's line is met, infinity where the wall itself is not.

    Walls are longer by the margin at both ends, so that nothing slips through a joint. Shares above
    1 are met beyond the step; walls that are parallel to it are never met.
    """
    along = walls[:, 1] - walls[:, 0]
    there = walls[:, 0] - start[None]
    area = cross(jnp.broadcast_to(step, along.shape), along)
    safe = jnp.where(area == 0, 1.0, area)
    share = cross(there, along) / safe
    place = cross(there, jnp.broadcast_to(step, there.shape)) / safe
    spare = MARGIN / jnp.linalg.norm(along, axis=1)
    met = (area != 0) & (share >= 0) & (place >= -spare) & (place <= 1 + spare)
    return jnp.where(met, share, jnp.inf)


def slid(start: Point, step: Point, walls: Walls) -> Point:
    """Where a step ends that slides along the walls it meets, and crosses none.

    At a wall, what is left of the step loses its part across the wall; three walls in one step are
    the most. A step whose straight line would still cross a wall is not made at all.
    """
    along = walls[:, 1] - walls[:, 0]
    length = jnp.linalg.norm(along, axis=1)
    across = jnp.stack([-along[:, 1], along[:, 0]], 1) / length[:, None]
    here, left = start, step
    for _ in range(3):
        share = crossings(here, left, walls)
        speed = across @ left
        into = jnp.maximum(jnp.abs(speed), 1e-12)
        away = jnp.sum(across * (here[None] - walls[:, 0]), axis=1)  # signed distance to the line
        towards = away * speed < 0
        close = (jnp.abs(away) - MARGIN) / into  # the share after which the margin is reached
        stop = jnp.clip(close, 0.0, 1.0)
        at = here[None] + stop[:, None] * left[None]
        place = jnp.sum((at - walls[:, 0]) * along, axis=1) / length
        beside = towards & (close < 1) & (place >= -MARGIN) & (place <= length + MARGIN)
        stop = jnp.where((share <= 1) | beside, stop, jnp.inf)
        first = jnp.argmin(stop)
        hit = stop[first] < jnp.inf
        go = jnp.where(hit, stop[first], 1.0)
        here, left = here + go * left, (1 - go) * left
        normal = across[first] * -jnp.sign(speed[first])
        back = jnp.maximum(-close[first], 0.0) * into[first]  # too near already
        lift = (1 - go) * into[first] + back
        left = jnp.where(hit, left + lift * normal, 0.0)
    crossed = jnp.any(crossings(start, here - start, walls) <= 1)
    return jnp.where(crossed, start, here)


def offsets(point: Point, walls: Walls) -> Float[Array, "wall 2"]:
    """The shortest way from each wall to a point, as a vector."""
    along = walls[:, 1] - walls[:, 0]
    there = point[None] - walls[:, 0]
    share = jnp.sum(there * along, axis=1) / jnp.sum(along**2, axis=1)
    return there - jnp.clip(share, 0.0, 1.0)[:, None] * along


def sight(
    points: Float[Array, "point 2"], targets: Float[Array, "target 2"], walls: Walls
) -> Bool[Array, "point target"]:
    """Whether no wall stands between points and targets; who stands at a wall's line sees past it.

    A wall cuts a line of sight if it has its ends on different sides, and its own line has point
    and target on different sides.
    """
    a, b = walls[None, :, 0], walls[None, :, 1]

    def side(of: Float[Array, "n 2"]) -> Float[Array, "n wall"]:
        there = of[:, None] - a
        return cross(jnp.broadcast_to(b - a, there.shape), there)

    def beyond(end: Float[Array, "1 wall 2"]) -> Float[Array, "point target wall"]:
        """Side of an end of the line from point to target: (target - point) x (end - point)."""
        to_end = lambda of: cross(of[:, None], end)  # noqa: E731
        between = cross(targets[None], points[:, None])
        return to_end(targets)[None] - to_end(points)[:, None] - between[..., None]

    ends = beyond(a) * beyond(b) < 0
    lines = side(points)[:, None] * side(targets)[None] < 0
    return ~jnp.any(ends & lines, axis=-1)


def edges(corners: tuple[tuple[float, float], ...]) -> list[tuple]:
    """The walls of a polygon, one after the other."""
    return [(a, b) for a, b in zip(corners, (*corners[1:], corners[0]), strict=True)]


def enclosed(
    points: Float[np.ndarray, "point 2"], corners: tuple[tuple[float, float], ...]
) -> Bool[np.ndarray, " point"]:
    """Which points lie in a polygon: a line to the right leaves it an odd number of times."""
    (x, y), inside = points.T, np.zeros(len(points), bool)
    for (ax, ay), (bx, by) in edges(corners):
        if ay != by:
            to_the_right = x < ax + (y - ay) * (bx - ax) / (by - ay)
            inside ^= ((ay > y) != (by > y)) & to_the_right
    return inside


def entangled(corners: tuple[tuple[float, float], ...]) -> tuple[int, int] | None:
    """Two edges of a polygon that cross, by their numbers from 0; None where none do."""
    start = np.array(corners)
    end = np.roll(start, -1, 0)
    along = end - start

    def side(of: np.ndarray) -> np.ndarray:
        """Of which side of an edge (row) a point (column) is: (edge, point)."""
        there = of[None] - start[:, None]
        return np.sign(along[:, None, 0] * there[..., 1] - along[:, None, 1] * there[..., 0])

    apart = side(start) * side(end) < 0
    pairs = np.argwhere(apart & apart.T)
    return None if not len(pairs) else (int(pairs[0][0]), int(pairs[0][1]))
