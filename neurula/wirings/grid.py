"""Cells on a sheet that talk to their neighbours only: up, down, sideways and back."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..contracts import AbstractWiring, Weight

_CROSS = ((-1, 0), (0, -1), (0, 1), (1, 0))
_DIAGONALS = ((-1, -1), (-1, 1), (1, -1), (1, 1))


class Grid(AbstractWiring):
    """A height x width sheet, row by row; a stencil, not a matrix.

    Weights have the shape (neighbours,) if shared by all cells, as in a cellular automaton or a
    convolution, else (neighbours, height * width): one per neighbour of the listening cell, in the
    order of `offsets`. On a `periodic` sheet opposite edges touch.
    """

    height: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    neighbours: int = eqx.field(static=True, default=8)  # 4 or 8
    shared: bool = eqx.field(static=True, default=False)
    periodic: bool = eqx.field(static=True, default=False)
    alive: Bool[Array, "neighbour cell"] | None = None

    def __check_init__(self):
        if self.neighbours not in (4, 8):
            raise ValueError(
                f"Grid cells have 4 or 8 neighbours, but got {self.neighbours}. "
                "For other neighbourhoods build edges: `neurula.wirings.from_edges(...)`."
            )
        least = 3 if self.periodic else 1
        if min(self.height, self.width) < least:
            raise ValueError(
                f"A {'periodic ' if self.periodic else ''}grid is at least {least} x {least}, but "
                f"got {self.height} x {self.width}: on a smaller one a cell would be its own "
                "neighbour, or the same neighbour twice. For a ring use `small_world(rewire=0.0)`."
            )

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """Where the neighbours sit, as (rows down, columns right) from the listening cell."""
        return _CROSS if self.neighbours == 4 else _CROSS + _DIAGONALS

    @property
    def shape(self) -> tuple[int, int]:
        return self.height * self.width, self.height * self.width

    @property
    def _there(self) -> Bool[np.ndarray, "neighbour cell"]:
        rows, columns = np.divmod(np.arange(self.height * self.width), self.width)
        down, right = np.array(self.offsets).T[:, :, None]
        inside = (rows + down >= 0) & (rows + down < self.height)
        inside &= (columns + right >= 0) & (columns + right < self.width)
        return inside | self.periodic

    @property
    def exists(self) -> Bool[Array, "neighbour cell"]:
        there = jnp.asarray(self._there)
        return there if self.alive is None else there & self.alive

    def _gather(self, activity: Float[Array, " cell"]) -> Float[Array, "neighbour cell"]:
        """What every neighbour says; silence beyond an edge."""
        how: Literal["wrap", "constant"] = "wrap" if self.periodic else "constant"
        sheet = jnp.pad(activity.reshape(self.height, self.width), 1, mode=how)
        rows, columns = slice(1, 1 + self.height), slice(1, 1 + self.width)
        moved = lambda by, to: slice(by.start + to, by.stop + to)  # noqa: E731
        shifted = [sheet[moved(rows, down), moved(columns, right)] for down, right in self.offsets]
        return jnp.stack(shifted).reshape(self.neighbours, -1)

    def drive(self, weight: Weight, activity: Float[Array, " pre"]) -> Float[Array, " post"]:
        heard = self._gather(activity)
        if self.shared and self.alive is None:  # one product: half the time of a sum of many
            return weight @ heard
        return jnp.sum(self.spread(weight) * heard, axis=0)

    def ends(
        self, pre: Float[Array, " pre"], post: Float[Array, " post"]
    ) -> tuple[Float[Array, "neighbour cell"], Float[Array, "1 cell"]]:
        return self._gather(pre), post[None, :]

    def fill(self, value: Float[Array, ""] | float) -> Weight:
        if self.shared:
            return jnp.full((self.neighbours,), value, jnp.float32)
        return jnp.where(self.exists, jnp.asarray(value, jnp.float32), 0.0)

    def spread(self, weight: Weight) -> Float[Array, "neighbour cell"]:
        weight = weight[:, None] if self.shared else weight
        return jnp.where(self.exists, weight, 0.0)

    def keep(self, pre: Bool[Array, " pre"], post: Bool[Array, " post"]) -> "Grid":
        speaks = self._gather(pre.astype(jnp.float32)) > 0
        alive = self.exists & speaks & post[None, :]
        sheet = (self.height, self.width, self.neighbours, self.shared, self.periodic)
        return Grid(*sheet, alive)
