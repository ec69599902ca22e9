"""A place of any shape to walk in, with walls that nobody crosses.

After the world of RatInABox: George, Rastogi, de Cothi, Clopath, Stachenfeld & Barry (2024),
eLife 13:e85274. Geometry and collisions are our own.
"""

import functools
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Event
from ..geometry import MARGIN, Walls, edges, enclosed, entangled, slid

Point = tuple[float, float]
FINE = 64  # starting places along the longer side, at most
STILL = 1e-7  # m; who moves less has no direction


class Whereabouts(NamedTuple):
    """What an arena shows, in words. Leading axes are those of the observations."""

    position: Float[Array, "*time 2"]  # m
    direction: Float[Array, "*time"]  # rad from the x axis towards y, -pi to pi
    velocity: Float[Array, "*time 2"]  # m/s, of the last step


def rectangle(width: float | int, height: float | int) -> tuple[Point, ...]:
    """Corners (m) of a rectangle with one corner at 0, 0."""
    return _points(((0, 0), (width, 0), (width, height), (0, height)))


def circle(radius: float, *, sides: int = 64) -> tuple[Point, ...]:
    """Corners (m) of a regular polygon around `radius`, `radius`: a circle for most purposes."""
    turns = 2 * np.pi * np.arange(sides) / sides
    return tuple((float(radius * (1 + np.cos(a))), float(radius * (1 + np.sin(a)))) for a in turns)


def _points(shape: Any) -> tuple[Point, ...]:
    try:
        found = np.asarray(shape, float).reshape(len(shape), 2)
    except (TypeError, ValueError):
        found = np.full((1, 2), np.nan)
    if not np.isfinite(found).all():
        raise ValueError(
            f"A shape is a row of points (x, y) in metres, got {shape!r}: nobody could say where "
            "it is. Use for example Arena(((0, 0), (1, 0), (1, 1)), walls=[((0.5, 0), (0.5, 0.3))])"
            "; walls and holes are lists of shapes."
        )
    return tuple((float(x), float(y)) for x, y in found)


def _shapes(shapes: Any) -> tuple[tuple[Point, ...], ...]:
    return tuple(_points(shape) for shape in shapes)


def _check_outline(corners: tuple[Point, ...], what: str) -> None:
    """Raises `ValueError` for outlines of which nobody can say what is inside."""
    again = [i for i, corner in enumerate(corners) if corner == corners[i - 1]]
    crossed = entangled(corners) if len(corners) > 2 and not again else None
    if len(corners) < 3 or again or crossed:
        found = f"{len(corners)} corners"
        if again:
            found = f"the corner {corners[again[0]]} twice, one after the other or first and last"
        elif crossed:
            found = f"edges {crossed[0]} and {crossed[1]} that cross"
        raise ValueError(
            f"{what} needs 3 corners or more, all different, in order around it, got {found}: it "
            "would have no inside, or no clear one. Use for example ((0, 0), (1, 0), (1, 1)); the "
            "outline closes by itself."
        )


class Arena(AbstractEnvironment[Float[Array, "6"]]):
    """A polygon with inner walls and holes; by default a square of 1 m. Reward is always 0.

    An action is a velocity (m/s). It is kept for `dt` seconds:

        x <- x + dt v, but at a wall what would lead across it is lost, and the rest slides along.

    An observation is the position (2 numbers, m), the cosine and sine of the direction, and the
    velocity that came of it (2, m/s); `read` says it in words. The direction is that of the last
    movement, or of the wish to move for who is stopped by a wall. Episodes begin anywhere, never
    end, and no step crosses a wall. A `periodic` arena is a rectangle whose opposite sides are one.

    Raises `ValueError` where walls leave no room, for outlines that cross themselves, and for
    periodic arenas with walls.
    """

    corners: tuple[Point, ...] = eqx.field(
        static=True, converter=_points, default=rectangle(1.0, 1.0)
    )  # m, in order around the boundary
    walls: tuple[tuple[Point, ...], ...] = eqx.field(
        static=True, converter=_shapes, default=()
    )  # m, each from one end to the other
    holes: tuple[tuple[Point, ...], ...] = eqx.field(
        static=True, converter=_shapes, default=()
    )  # m, corners of each
    periodic: bool = eqx.field(static=True, default=False)
    dt: float = eqx.field(static=True, default=0.02)  # s
    fastest: float = eqx.field(static=True, default=2.0)  # m/s, along x and along y

    def __check_init__(self):
        walls = all(len(wall) == 2 and wall[0] != wall[1] for wall in self.walls)
        if not (0 < self.dt < np.inf and 0 < self.fastest < np.inf and walls):
            raise ValueError(
                "An arena needs dt > 0 s, fastest > 0 m/s and walls with two different ends, got "
                f"{self}. Use for example Arena(walls=[((0.5, 0.0), (0.5, 0.6))], dt=0.02)."
            )
        for what, shape in (("An arena", self.corners), *(("A hole", hole) for hole in self.holes)):
            _check_outline(shape, what)
        straight = len(self.corners) == 4 and self.corners == rectangle(*self.corners[2])
        if self.periodic and (self.walls or self.holes or not straight):
            raise ValueError(
                f"A periodic arena has {len(self.walls)} walls, {len(self.holes)} holes and the "
                f"corners {self.corners}: only a rectangle from 0, 0 without any can be "
                "folded to a torus. Use Arena(rectangle(1.0, 1.0), periodic=True)."
            )
        if not len(self.places):
            raise ValueError(
                f"The walls leave no room: of {FINE} places along each side none lies within the "
                f"{len(self.corners)} corners, outside of {len(self.holes)} holes and farther than "
                f"{MARGIN:g} m from all walls. Use for example Arena(rectangle(1.0, 1.0))."
            )

    @property
    def actions(self) -> Box:
        return Box((2,), -self.fastest, self.fastest)

    @property
    def observations(self) -> Box:
        return Box((6,))

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top (m), as `measures.visits` takes it."""
        (left, bottom), (right, top) = np.min(self.corners, 0), np.max(self.corners, 0)
        return float(left), float(right), float(bottom), float(top)

    @property
    def segments(self) -> Walls:
        """All that stops a walker: boundary, edges of holes, inner walls."""
        around = [] if self.periodic else edges(self.corners)
        holes = [edge for hole in self.holes for edge in edges(hole)]
        return jnp.asarray(np.array([*around, *holes, *self.walls], np.float32).reshape(-1, 2, 2))

    @property
    def obstacles(self) -> Walls:
        """What may hide one place from another: all but a convex boundary, which hides none."""
        ways = np.subtract(np.roll(self.corners, -1, 0), self.corners)
        turns = ways[:, 0] * np.roll(ways[:, 1], -1) - ways[:, 1] * np.roll(ways[:, 0], -1)
        convex = (turns >= 0).all() or (turns <= 0).all()
        return self.segments[len(self.corners) if convex and not self.periodic else 0 :]

    @property
    def places(self) -> Float[np.ndarray, "place 2"]:
        """Free places (m) on a fine grid."""
        return _places(self.corners, self.walls, self.holes, self.periodic)

    def contains(self, points: Float[np.ndarray, "point 2"]) -> np.ndarray:
        """Which points (m) lie inside, and in no hole."""
        return _free(points, self.corners, self.holes)

    def read(self, observation: Float[Array, "*time 6"]) -> Whereabouts:
        """Position (m), direction (rad) and velocity (m/s) of observations."""
        turn = jnp.arctan2(observation[..., 3], observation[..., 2])
        return Whereabouts(observation[..., :2], turn, observation[..., 4:])

    def reset(self, *, key: PRNGKeyArray) -> tuple[Float[Array, "6"], Event]:
        at_place, at_turn = jax.random.split(key)
        place = jax.random.choice(at_place, jnp.asarray(self.places, jnp.float32))
        turn = jax.random.uniform(at_turn, minval=-jnp.pi, maxval=jnp.pi)
        state = jnp.concatenate([place, jnp.stack([jnp.cos(turn), jnp.sin(turn)]), jnp.zeros(2)])
        return state, _event(state)

    def step(
        self, state: Float[Array, "6"], action: Array, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, "6"], Event]:
        del key  # nothing is left to chance
        state = self.move(state, action)
        return state, _event(state)

    def move(self, state: Float[Array, "6"], velocity: Float[Array, "2"]) -> Float[Array, "6"]:
        """The state after `dt` seconds of a velocity (m/s)."""
        before, wish = state[:2], self.dt * velocity
        if self.periodic:
            left, right, bottom, top = self.extent
            size, low = jnp.array([right - left, top - bottom]), jnp.array([left, bottom])
            after, moved = low + jnp.mod(before + wish - low, size), wish
        else:
            after = slid(before, wish, self.segments)
            moved = after - before
        far, wished = jnp.linalg.norm(moved), jnp.linalg.norm(wish)
        turn = jnp.where(far > STILL, moved, jnp.where(wished > STILL, wish, state[2:4]))
        turn = turn / jnp.maximum(jnp.linalg.norm(turn), 1e-12)
        return jnp.concatenate([after, turn, moved / self.dt])


def _event(state: Float[Array, "6"]) -> Event:
    no = jnp.zeros((), bool)
    return Event(state, jnp.zeros(()), no, no)


def _free(points: np.ndarray, corners: tuple, holes: tuple) -> np.ndarray:
    inside = enclosed(points, corners)
    for hole in holes:
        inside &= ~enclosed(points, hole)
    return inside


@functools.cache
def _places(corners: tuple, walls: tuple, holes: tuple, periodic: bool) -> np.ndarray:
    low, high = np.min(corners, 0), np.max(corners, 0)
    width = max(float((high - low).max()) / FINE, 1e-9)
    # a lane narrower than one step of the grid has places along its middle
    lines = [np.arange(a + min(width, b - a) / 2, b, width) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*lines), -1).reshape(-1, 2)
    grid = grid[_free(grid, corners, holes)]
    for a, b in (*(() if periodic else edges(corners)), *map(tuple, walls),
                 *(edge for hole in holes for edge in edges(hole))):  # fmt: skip
        start, along = np.array(a), np.subtract(b, a)
        share = np.clip((grid - start) @ along / max(along @ along, 1e-12), 0, 1)
        grid = grid[np.linalg.norm(grid - start - share[:, None] * along, axis=1) > 2 * MARGIN]
    return grid
