"""Controls of equal size: as many cells as it takes to have as many parameters.

Equal parameters are not equal cells: an LSTM has four weights where an Elman network has one.
"""

from collections.abc import Callable

import equinox as eqx
import jax

from .contracts import AbstractBlock

MOST = 100_000  # cells


def cells_for(make: Callable[[int], AbstractBlock], parameters: int, *, multiple: int = 1) -> int:
    """The smallest number of cells with which a block has at least so many parameters.

    `make(cells)` builds the block; only shapes are worked out, no numbers drawn. The number is a
    multiple of `multiple`, for blocks that share cells out among heads. Raises `ValueError` where
    100,000 cells would not do.
    """

    def enough(groups: int) -> bool:
        block = eqx.filter_eval_shape(lambda: make(groups * multiple))
        sizes = eqx.filter(block, lambda x: isinstance(x, jax.ShapeDtypeStruct))
        return sum(leaf.size for leaf in jax.tree.leaves(sizes)) >= parameters

    low, high = 0, 1  # too few, perhaps enough
    while not enough(high):
        low, high = high, 2 * high
        if high * multiple > MOST:
            raise ValueError(
                f"Expected a block of {parameters} parameters, and with {low * multiple} cells "
                f"there are still fewer. Cells do not change its size enough. Ask for fewer "
                "parameters, or let `make` use its argument."
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high * multiple
