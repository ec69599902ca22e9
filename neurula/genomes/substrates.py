"""Networks whose cells have places, to be filled with weights by a pattern over these places.

Stanley, D'Ambrosio & Gauci (2009), Artif. Life 15:185, figure 4 (sheets, sandwiches of sheets).
"""

import itertools
from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..contracts import AbstractNeuron
from ..network import Network
from ..neurons import Rate
from ..populations import Population, Positions, Projection
from ..wirings import Dense


def sheet(height: int, width: int) -> Float[Array, "cell 2"]:
    """Places (x, y) of a grid of cells, row by row: from -1 to 1, a lone row or column at 0."""
    axes = [jnp.linspace(-1, 1, n) if n > 1 else jnp.zeros(1) for n in (width, height)]
    x, y = jnp.meshgrid(*axes)
    return jnp.stack([x.ravel(), y.ravel()], 1)


def sandwich(
    shapes: Sequence[tuple[int, int]],
    *,
    neuron: Callable[[int], AbstractNeuron] | None = None,
    output: AbstractNeuron | None = None,
) -> Network:
    """Sheets of (height, width), each joined to the next, all weights still 0.

    Populations are "input", "hidden1", ..., "output", within a step. `neuron(size)` makes hidden
    cells (tanh without a bias unless given), `output` those of the last sheet (likewise).
    """
    if len(shapes) < 2:
        raise ValueError(
            f"A sandwich has two sheets at least, an input and an output, but got {len(shapes)}. "
            "Use for example `sandwich([(5, 5), (5, 5)])`."
        )
    make = neuron or (lambda size: Rate("tanh"))
    names = ["input", *[f"hidden{i}" for i in range(1, len(shapes) - 1)], "output"]
    sizes = [height * width for height, width in shapes]
    last = output or Rate("tanh")
    cells = [Rate("identity"), *map(make, sizes[1:-1]), last]
    parts = zip(names, sizes, cells, shapes, strict=True)
    populations = {
        name: Population(size, cell, Positions(sheet(*shape))) for name, size, cell, shape in parts
    }
    joined = [
        Projection(a, b, Dense(post, pre), jnp.zeros((post, pre)), delay=0)
        for (a, pre), (b, post) in itertools.pairwise(zip(names, sizes, strict=True))
    ]
    return Network(populations, joined, senses=["input"], voices=["output"])
