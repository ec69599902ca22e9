"""Local receptive fields: every cell of a sheet looks at a patch of another sheet."""

import jax.numpy as jnp
import numpy as np

from .dense import Dense


def patches(post: tuple[int, int], pre: tuple[int, int], *, radius: float) -> Dense:
    """Locally connected, each cell with weights of its own (unlike a convolution).

    Both sheets, (height, width), are laid over each other; a cell hears all cells of the other
    sheet within `radius`, in rows and in columns, measured in cells of the sheet that speaks.
    """

    def places(sheet: tuple[int, int]) -> np.ndarray:
        rows = (np.arange(sheet[0]) + 0.5) * pre[0] / sheet[0]
        columns = (np.arange(sheet[1]) + 0.5) * pre[1] / sheet[1]
        return np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)

    apart = np.abs(places(post)[:, None] - places(pre)[None, :]).max(-1)
    mask = apart <= radius
    if not mask.any(1).all():
        raise ValueError(
            f"With radius {radius}, {int((~mask.any(1)).sum())} of {len(mask)} cells hear nobody: "
            f"a sheet of {post} laid over one of {pre} needs more. Try a radius of "
            f"{np.ceil(apart.min(1).max() * 10) / 10}."
        )
    return Dense(*mask.shape, jnp.asarray(mask))
