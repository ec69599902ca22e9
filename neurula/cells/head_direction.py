"""Cells that fire while the head points one way.

Taube, Muller & Ranck (1990), J. Neurosci. 10:420; von Mises curves: Zhang (1996), J. Neurosci.
16:2112.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .spatial import AbstractSpatialCells


class HeadDirectionCells(AbstractSpatialCells):
    """Rates that fall with the angle from a preferred direction.

    Equation: rate = peak exp(sharpness (cos(direction - preferred) - 1)).
    Half the peak is reached at arccos(1 - ln 2 / sharpness), 45 degrees at the default.
    """

    preferred: Float[Array, " cell"]  # rad from the x axis towards y
    sharpness: float = 2.37  # von Mises' concentration
    peak: float = 10.0  # Hz

    def rates(
        self, position: Float[Array, "2"], direction: Float[Array, ""]
    ) -> Float[Array, " cell"]:
        del position
        return self.peak * jnp.exp(self.sharpness * (jnp.cos(direction - self.preferred) - 1))


def head_direction_cells(
    count: int = 60, *, sharpness: float = 2.37, peak: float = 10.0
) -> HeadDirectionCells:
    """Cells whose preferred directions lie evenly around the circle."""
    if count < 1 or not sharpness > 0:
        raise ValueError(
            f"Head-direction cells are 1 or more, of a sharpness above 0, got {count=}, "
            f"{sharpness=}: none would have a direction. Write head_direction_cells(60)."
        )
    return HeadDirectionCells(jnp.linspace(0, 2 * jnp.pi, count, endpoint=False), sharpness, peak)
