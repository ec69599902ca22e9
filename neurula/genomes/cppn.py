"""Networks that paint: a number for every point of space, made of functions of coordinates.

Stanley (2007), Genet. Program. Evolvable Mach. 8:131 (compositional pattern producing networks).
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..neurons.heterogeneous import CPPN
from ..neurons.rate import Nonlinearity, squash
from .marks import find
from .neat import Neat
from .neat_genes import NeatGenes


def cppn(
    inputs: int,
    outputs: int = 1,
    *,
    nonlinearities: tuple[Nonlinearity, ...] = CPPN,
    output: Nonlinearity = "tanh",
    cells: int = 12,
    connections: int = 48,
    **settings: Any,
) -> Neat:
    """NEAT with the functions of Stanley (2007): periods, symmetry, repetition with variation.

    `settings` are those of `Neat`. With `nonlinearities=("identity", "square")` and
    `output="identity"` a pattern is a polynomial, which knows of no period and no symmetry.
    """
    return Neat(
        inputs, outputs, nonlinearities=nonlinearities, output=output, cells=cells,
        connections=connections, **settings,
    )  # fmt: skip


def patterns(
    neat: Neat, genes: NeatGenes, points: Float[Array, "point input"]
) -> Float[Array, "point output"]:
    """What the genes paint at all points at once.

    The answer to which the developed network settles (after `neat.depth(genes)` steps), but in one
    sweep over its cells, each after all that it listens to.
    """
    if neat.loops or points.shape[1] != neat.inputs:
        raise ValueError(
            f"A pattern is a function of {neat.inputs} coordinates, without loops, but got points "
            f"with {points.shape[1]} and loops={neat.loops}. Use "
            f"`cppn({points.shape[1]}, {neat.outputs})`."
        )
    fixed = neat.inputs + 1 + neat.outputs  # places of inputs, bias and outputs; then hidden cells
    matrix = _matrix(genes, fixed)
    order = jnp.argsort(_levels(matrix[fixed:, fixed:]))
    places = jnp.concatenate([jnp.arange(fixed), fixed + order])
    matrix, kinds = matrix[places][:, places], genes.kind[order]
    values = jnp.zeros((matrix.shape[0], points.shape[0]))
    values = values.at[: neat.inputs].set(points.T).at[neat.inputs].set(1.0)

    def one(index: Int[Array, ""], values: Float[Array, "cell point"]) -> Array:
        drive = matrix[fixed + index] @ values
        return values.at[fixed + index].set(_squash(neat.nonlinearities, kinds[index], drive))

    values = jax.lax.fori_loop(0, len(order), one, values)
    painted = matrix[neat.inputs + 1 : fixed] @ values
    return squash(neat.output, painted.ravel()).reshape(painted.shape).T


def _matrix(genes: NeatGenes, fixed: int) -> Float[Array, "cell cell"]:
    """Weights of enabled connections, (to, from)."""

    def place(cell: Int[Array, " connection"]) -> Int[Array, " connection"]:
        found, hidden = find(genes.cells, cell)
        return jnp.where(hidden, found + fixed, jnp.minimum(cell, fixed - 1))

    weight = jnp.where(genes.exists & genes.enabled, genes.weight, 0.0)
    size = fixed + genes.cells.shape[0]
    return jnp.zeros((size, size)).at[place(genes.target), place(genes.source)].add(weight)


def _levels(matrix: Float[Array, "cell cell"]) -> Int[Array, " cell"]:
    """The longest way to each cell."""
    joined = matrix != 0

    def deeper(_: Any, level: Int[Array, " cell"]) -> Int[Array, " cell"]:
        return jnp.max(jnp.where(joined, level[None, :] + 1, 0), axis=1, initial=0)

    return jax.lax.fori_loop(0, len(matrix), deeper, jnp.zeros(len(matrix), jnp.int32))


def _squash(
    table: tuple[Nonlinearity, ...], kind: Int[Array, ""], drive: Float[Array, " point"]
) -> Float[Array, " point"]:
    answer = squash(table[0], drive)
    for index, name in enumerate(table[1:], start=1):
        answer = jnp.where(kind == index, squash(name, drive), answer)
    return answer
