"""Cells that fire in one place, and how they take walls.

O'Keefe & Dostrovsky (1971), Brain Res. 34:171. Distance around walls: Gustafson & Daw (2011), PLoS
Comput. Biol. 7:e1002235; distance by sight: George et al. (2024), eLife 13:e85274.
"""

import functools
from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, PRNGKeyArray

from ..environments.arena import Arena
from ..geometry import MARGIN, sight
from .spatial import AbstractSpatialCells

Distance = Literal["euclidean", "geodesic", "line of sight"]
Shape = Literal["gaussian", "difference of gaussians"]
FAR = 1e6  # m: out of reach


class PlaceCells(AbstractSpatialCells):
    """Rates that fall with the distance from a cell's centre.

    Equations, with d the distance (m), s the width (m), and q the ratio of two Gaussians:

        gaussian                   rate = peak exp(-d^2 / 2 s^2)
        difference of gaussians    rate = peak (exp(-d^2 / 2 s^2) - exp(-d^2 / 2 (q s)^2) / q^2)
                                          / (1 - 1 / q^2)

    The difference has a surround below zero, its sum over a plane is zero. `distance` is straight
    (euclidean), the shortest way around walls (geodesic; exact but for 4 mm per bend), or straight
    and infinite behind a wall (line of sight). Periodic arenas wrap. Raises `ValueError` for widths
    that are not positive, and for centres outside of the arena.
    """

    centres: Float[Array, "cell 2"]  # m
    arena: Arena = eqx.field(default_factory=Arena)
    width: float | Float[Array, " cell"] | Float[Array, ""] = 0.12  # m
    peak: float | Float[Array, " cell"] = 10.0  # Hz
    shape: Shape = eqx.field(static=True, default="gaussian")
    ratio: float = 1.5  # of the wider Gaussian to the narrower one
    distance: Distance = eqx.field(static=True, default="euclidean")

    def __check_init__(self):
        if isinstance(self.width, float | int) and not self.width > 0:
            raise ValueError(
                f"Place fields are wider than 0 m, got width={self.width:g}: rates would not be "
                "numbers. Use for example PlaceCells(centres, width=0.12)."
            )
        if self.shape not in get_args(Shape) or self.distance not in get_args(Distance):
            raise ValueError(
                f"Place cells have a shape of {get_args(Shape)} and a distance of "
                f"{get_args(Distance)}, got {self.shape!r} and {self.distance!r}. Use for example "
                "PlaceCells(centres, arena, distance='geodesic')."
            )
        if isinstance(self.ratio, float | int) and not self.ratio > 1:
            raise ValueError(
                f"The surround is wider than the centre, got ratio={self.ratio:g}: their "
                "difference would be nothing, or upside down. Use for example ratio=1.5."
            )
        if not isinstance(self.centres, Tracer) and self.distance != "euclidean":
            outside = ~self.arena.contains(np.asarray(self.centres))
            if outside.any():
                raise ValueError(
                    f"{outside.sum()} of {len(outside)} centres lie outside of the arena, the "
                    f"first at {np.asarray(self.centres)[outside][0]} m: no way leads there. Use "
                    "place_cells(arena, 100, key=key), or distance='euclidean'."
                )

    def rates(
        self, position: Float[Array, "2"], direction: Float[Array, ""]
    ) -> Float[Array, " cell"]:
        del direction
        near = (self.away(position) / self.width) ** 2 / 2
        if self.shape == "gaussian":
            return self.peak * jnp.exp(-near)
        share = 1 / self.ratio**2
        wide = share * jnp.exp(-near * share)
        return self.peak * (jnp.exp(-near) - wide) / (1 - share)

    def away(self, position: Float[Array, "2"]) -> Float[Array, " cell"]:
        """How far (m) it is to the centres."""
        straight = self.centres - position[None]
        if self.arena.periodic:
            left, right, bottom, top = self.arena.extent
            size = jnp.array([right - left, top - bottom])
            straight = jnp.mod(straight + size[None] / 2, size[None]) - size[None] / 2
        far = jnp.sqrt(jnp.sum(straight**2, axis=1))
        walls = self.arena.obstacles
        if self.distance == "euclidean" or not len(walls):
            return far
        seen = sight(position[None], self.centres, walls)[0]
        if self.distance == "line of sight":
            return jnp.where(seen, far, FAR)
        bends, ways = _ways(self.arena)
        if not len(bends):
            return jnp.where(seen, far, FAR)
        corners = jnp.asarray(bends, jnp.float32)
        last = _straight(corners, self.centres, walls)  # (corner, cell)
        onward = jnp.min(jnp.asarray(ways, jnp.float32)[:, :, None] + last[None], axis=1)
        first = _straight(position[None], corners, walls)[0]
        around = jnp.min(first[:, None] + onward, axis=0)
        return jnp.where(seen, far, around)


def place_cells(
    arena: Arena,
    count: int = 100,
    *,
    width: float = 0.12,
    peak: float = 10.0,
    distance: Distance = "euclidean",
    key: PRNGKeyArray,
) -> PlaceCells:
    """Gaussian place cells, their centres drawn from all over an arena."""
    places = jnp.asarray(arena.places, jnp.float32)
    if not 1 <= count <= len(places):
        raise ValueError(
            f"Between 1 and {len(places)} place cells have places of their own in this arena, got "
            f"{count=}. Write place_cells(arena, 100, key=key), or give centres to PlaceCells."
        )
    centres = jax.random.choice(key, places, (count,), replace=False)
    return PlaceCells(centres, arena, width, peak, distance=distance)


def _straight(
    points: Float[Array, "point 2"], targets: Float[Array, "target 2"], walls: Array
) -> Float[Array, "point target"]:
    """Distances (m) between what sees each other, very far otherwise."""
    far = jnp.sqrt(jnp.sum((points[:, None] - targets[None]) ** 2, axis=-1))
    return jnp.where(sight(points, targets, walls), far, FAR)


@functools.cache
def _ways(arena: Arena) -> tuple[np.ndarray, np.ndarray]:
    """Points (m) where shortest ways may bend, and the lengths (m) of the ways between them."""
    from scipy.sparse.csgraph import shortest_path

    bends = []
    for shape in (arena.corners, *arena.holes, *arena.walls):
        corners = np.array(shape)
        for back, corner, on in zip(
            np.roll(corners, 1, 0), corners, np.roll(corners, -1, 0), strict=True
        ):
            out = [(corner - end) / np.linalg.norm(corner - end) for end in (back, on)]
            push = out[0] + out[1]
            if np.linalg.norm(push) > 1e-6:
                bends.append(corner + 2 * MARGIN * push / np.linalg.norm(push))
    found = np.array(bends).reshape(-1, 2)
    found = found[arena.contains(found)]
    if not len(found):
        return found, np.zeros((0, 0))
    with jax.ensure_compile_time_eval():
        points = jnp.asarray(found, jnp.float32)
        ways = np.asarray(_straight(points, points, arena.obstacles), float)
    return found, np.minimum(shortest_path(ways), FAR)
