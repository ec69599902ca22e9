"""A walk to a goal that lies near, behind a wall: who only comes nearer walks into a trap.

After the deceptive mazes of Lehman & Stanley (2011), Evol. Comput. 19:189; the map is our own.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..behaviour import AbstractEnvironment, Box, Event
from ..geometry import Walls, slid
from .arena import Arena, Point

# A dead end that opens away from the goal, and on its roof a chamber that opens upwards.
ROOF, CHAMBER = 0.6, 0.8  # m, heights
TRAP = (
    ((0.2, ROOF), (0.8, ROOF)), ((0.2, 0.25), (0.2, ROOF)), ((0.8, 0.25), (0.8, ROOF)),
    ((0.4, ROOF), (0.4, CHAMBER)), ((0.6, ROOF), (0.6, CHAMBER)),
)  # fmt: skip


class DeceptiveMaze(AbstractEnvironment[Float[Array, "2"]]):
    """A walker in a square of 1 m that knows where it is; the reward is by how much it came nearer.

    An action is a step (m), along x and along y, up to `stride`; at a wall what would lead across
    it is lost, and the rest slides along. What is seen is the place, from -1 to 1 in both
    directions. An episode begins at `start`, without chance, and terminates within `radius` of the
    goal. Rewards add up to distance at the start - distance at the end (m).
    """

    arena: Arena = eqx.field(static=True, default_factory=lambda: Arena(walls=TRAP))
    start: Point = eqx.field(static=True, default=(0.5, 0.4))  # m
    goal: Point = eqx.field(static=True, default=(0.5, 0.7))  # m
    radius: float = eqx.field(static=True, default=0.08)  # m, around the goal
    stride: float = eqx.field(static=True, default=0.05)  # m, in a step

    def __check_init__(self):
        ends = np.array([self.start, self.goal], np.float64)
        if not self.arena.contains(ends).all() or self.stride <= 0 or self.radius <= 0:
            raise ValueError(
                f"A maze has its start and its goal inside, strides and a goal larger than 0 m, "
                f"but got start={self.start}, goal={self.goal}, stride={self.stride}, radius="
                f"{self.radius} in an arena of {self.arena.extent} m. Use for example "
                "`DeceptiveMaze(goal=(0.5, 0.7))`."
            )

    @property
    def actions(self) -> Box:
        return Box((2,), -self.stride, self.stride)

    @property
    def observations(self) -> Box:
        return Box((2,), -1.5, 1.5)  # walls are thin, and floats are not exact

    @property
    def walls(self) -> Walls:
        """All that stops the walker (m)."""
        return self.arena.segments

    def distance(self, place: Float[Array, "2"]) -> Float[Array, ""]:
        """To the goal (m), as the crow flies."""
        return jnp.sqrt(jnp.sum((place - jnp.array(self.goal)) ** 2))

    def seen(self, place: Float[Array, "2"]) -> Float[Array, "2"]:
        """What a walker sees at a place (m)."""
        left, right, bottom, top = self.arena.extent
        middle = jnp.array([left + right, bottom + top]) / 2
        return (place - middle) / (max(right - left, top - bottom) / 2)

    def reset(self, *, key: PRNGKeyArray) -> tuple[Float[Array, "2"], Event]:
        del key
        place, no = jnp.array(self.start), jnp.zeros((), bool)
        return place, Event(self.seen(place), jnp.zeros(()), no, no)

    def step(
        self, state: Float[Array, "2"], action: Array, *, key: PRNGKeyArray
    ) -> tuple[Float[Array, "2"], Event]:
        del key
        place = slid(state, action, self.walls)
        nearer = self.distance(state) - self.distance(place)
        there = self.distance(place) <= self.radius
        return place, Event(self.seen(place), nearer, there, jnp.zeros((), bool))
