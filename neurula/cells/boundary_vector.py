"""Cells that fire where a wall is at some distance, in some direction.

Hartley, Burgess, Lever, Cacucci & O'Keefe (2000), Hippocampus 10:369; found by Lever, Burton,
Jeewajee, O'Keefe & Burgess (2009), J. Neurosci. 29:9771.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..environments.arena import Arena
from ..geometry import crossings
from .spatial import AbstractSpatialCells

NARROWEST, HALVING = 0.122, 1.83  # m: the width of near fields, and what doubles it
SHARP = 0.2  # rad
NEAREST, FARTHEST = 0.05, 0.3  # m, of distances that are drawn


class BoundaryVectorCells(AbstractSpatialCells):
    """Allocentric: what counts is the direction in the room, not the animal's own.

    Equations: with r(a) the distance of the nearest wall in direction a, d and f the preferred
    distance and direction, and s = narrowest (1 + d / halving),

        rate ~ sum over a of exp(-(r(a) - d)^2 / 2 s^2) / s  exp(-(a - f)^2 / 2 sharp^2),

    scaled so that an endless straight wall at the preferred place gives `peak`. Constants are
    those of Hartley et al. Raises `ValueError` for an arena without walls.
    """

    preferred_distance: Float[Array, " cell"]  # m
    preferred_direction: Float[Array, " cell"]  # rad from the x axis towards y
    arena: Arena = eqx.field(default_factory=Arena)
    narrowest: float = NARROWEST  # m
    halving: float = HALVING  # m
    sharp: float = SHARP  # rad
    peak: float = 10.0  # Hz
    rays: int = eqx.field(static=True, default=120)  # directions in which walls are looked for

    def __check_init__(self):
        if self.arena.periodic:
            raise ValueError(
                "Boundary vector cells need boundaries, but a periodic arena has none: they would "
                "never fire. Use Arena(rectangle(1.0, 1.0)), or place_cells."
            )

    def rates(
        self, position: Float[Array, "2"], direction: Float[Array, ""]
    ) -> Float[Array, " cell"]:
        del direction
        angles = jnp.linspace(0, 2 * jnp.pi, self.rays, endpoint=False)
        units = jnp.stack([jnp.cos(angles), jnp.sin(angles)], 1)
        walls = self.arena.segments
        far = jax.vmap(lambda unit: jnp.min(crossings(position, unit, walls)))(units)
        # beside an endless wall, whose distance grows with the angle from its nearest point
        aside = jnp.linspace(-jnp.pi / 2, jnp.pi / 2, self.rays // 2 + 1)[1:-1]
        alone = self.preferred_distance[:, None] / jnp.cos(aside)[None]
        most = jnp.sum(self._seen(alone, jnp.broadcast_to(aside[None], alone.shape)), axis=1)
        apart = angles[None] - self.preferred_direction[:, None]
        apart = jnp.mod(apart + jnp.pi, 2 * jnp.pi) - jnp.pi
        return self.peak * jnp.sum(self._seen(far[None], apart), axis=1) / most

    def _seen(
        self, far: Float[Array, "#cell angle"], apart: Float[Array, "cell angle"]
    ) -> Float[Array, "cell angle"]:
        """What walls at a distance (m) and an angle (rad) from the preferred one add."""
        liked = self.preferred_distance[:, None]
        width = self.narrowest * (1 + liked / self.halving)
        return jnp.exp(-(((far - liked) / width) ** 2 + (apart / self.sharp) ** 2) / 2)


def boundary_vector_cells(
    arena: Arena, count: int = 50, *, peak: float = 10.0, key: PRNGKeyArray
) -> BoundaryVectorCells:
    """Cells with directions drawn evenly and distances between 5 and 30 cm."""
    if count < 1:
        raise ValueError(
            f"Boundary vector cells are 1 or more, got {count=}: there would be none. Write "
            "boundary_vector_cells(arena, 50, key=key)."
        )
    at_distance, at_direction = jax.random.split(key)
    far = jax.random.uniform(at_distance, (count,), minval=NEAREST, maxval=FARTHEST)
    turn = jax.random.uniform(at_direction, (count,), maxval=2 * np.pi)
    return BoundaryVectorCells(far, turn, arena, peak=peak)
