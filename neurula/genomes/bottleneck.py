"""A small network tells the weight of every connection from the codes of its two cells.

Zador (2019), Nat. Commun. 10:3770; Shuvaev, Lachi, Koulakov & Zador (2024), PNAS 121:e2409160121.
"""

import math
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..allowed import require_kind
from ..contracts import AbstractWiring, Weight
from ..heredity import AbstractVectorGenome
from ..network import Network
from ..populations import Projection

BITS = 32  # of a gene


class Bottleneck(AbstractVectorGenome):
    """The genes are the numbers of one small network g for each projection of `brain`.

    w_ij = g(x_j, y_i) / sqrt(n), n the connections that a cell listens to on average, with the
    codes x_j and y_i of the two cells, and g a perceptron with layers of tanh cells:
        h_1 = tanh(A x + B y + c), ..., w = v . h + u, each number gene / sqrt(numbers summed).
    A code holds the binary digits of a cell's number in its population, as -1 and 1. In Gray's
    code neighbours differ in one digit. With `hidden=()` w is linear in the codes. Connections
    that share a weight get the mean. What else `brain` has (biases, delays) stays as it is.

    Genes pass gradients: jax.grad of an error of `develop(genes)` trains the genome.
    `shuffled` is a sham that destroys what the genome knows: "cells" deals the codes out anew in
    every population, "connections" deals the weights out anew among a projection's connections.
    """

    brain: Network
    hidden: tuple[int, ...] = eqx.field(static=True, default=(10,))  # cells of g's hidden layers
    code: Literal["gray", "binary"] = eqx.field(static=True, default="gray")
    shuffled: Literal["cells", "connections"] | None = eqx.field(static=True, default=None)
    deal: int = eqx.field(static=True, default=0)  # which shuffle
    mutation: float = 0.1  # standard deviation of the change of a gene

    def __check_init__(self):
        require_kind(self, "brain", Network, "Bottleneck(layered([4, 8, 1], key=key))")
        if self.code not in ("gray", "binary"):
            raise ValueError(
                f"A code is 'gray' or 'binary', but got code={self.code!r}, of which no cell would "
                "know its digits. Use `Bottleneck(brain, code='gray')`."
            )
        if any(cells < 1 for cells in self.hidden) or not self.mutation >= 0:
            raise ValueError(
                f"`Bottleneck` needs hidden layers of at least one cell and a mutation of at least "
                f"0, but got hidden={self.hidden}, mutation={self.mutation}. Use "
                "`Bottleneck(brain, hidden=(10,))`, or `hidden=()` for a linear one."
            )

    @property
    def size(self) -> int:
        return sum(self._sizes(projection) for projection in self.brain.projections)

    def bits(self, *, codes: bool = True) -> int:
        """How long the genome is: 32 bits for a gene and, with `codes`, 1 bit for a digit.

        Codes that are just the cells' numbers need not be stored, dealt out ones need.
        """
        cells = {name: p.size for name, p in self.brain.populations.items()}
        listed = sum(n * digits(n) for n in cells.values()) if codes else 0
        return BITS * self.size + listed

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " gene"]:
        return jax.random.normal(key, (self.size,))

    def develop(self, genes: Float[Array, " gene"], *, key: PRNGKeyArray) -> Any:
        del key
        ends = np.cumsum([self._sizes(p) for p in self.brain.projections])[:-1].tolist()
        shares = iter(jnp.split(genes, ends))
        return self.brain.edit(lambda p: self._grow(p, next(shares))).constrain()

    def codes(self, population: str) -> Float[np.ndarray, "cell digit"]:
        """The codes of a population's cells, as -1 and 1, the highest digit first."""
        size = self.brain.populations[population].size
        number = np.arange(size)
        if self.shuffled == "cells":
            place = sorted(self.brain.populations).index(population)
            number = np.random.RandomState([self.deal, place]).permutation(size)
        number = number ^ (number >> 1) if self.code == "gray" else number
        shifts = np.arange(digits(size))[::-1]
        return (2.0 * (number[:, None] >> shifts & 1) - 1.0).astype(np.float32)

    def _layers(self, projection: Projection) -> list[tuple[int, int]]:
        """(cells above, cells below) of every layer of g."""
        known = sum(
            digits(self.brain.populations[name].size)
            for name in (projection.source, projection.target)
        )
        sizes = (known, *self.hidden, 1)
        return list(zip(sizes[1:], sizes[:-1], strict=True))

    def _sizes(self, projection: Projection) -> int:
        return sum(above * (below + 1) for above, below in self._layers(projection))

    def _grow(self, projection: Projection, genes: Float[Array, " gene"]) -> Projection:
        """The projection with the weights that its genes tell."""
        layers, wiring = self._layers(projection), projection.wiring
        pre, post = self.codes(projection.source), self.codes(projection.target)
        felt = None
        for above, below in layers:
            count = above * (below + 1)
            matrix = genes[:count].reshape(above, below + 1) / math.sqrt(below + 1)
            genes, weight, bias = genes[count:], matrix[:, :-1], matrix[:, -1]
            if felt is None:  # linear in the codes, so that cells come before connections
                two = weight[:, : pre.shape[1]] @ pre.T, weight[:, pre.shape[1] :] @ post.T
                one, other = jax.vmap(wiring.ends)(two[0], two[1] + bias[:, None])
                felt = one + other
            else:
                bias = bias.reshape(-1, *[1] * (felt.ndim - 1))
                felt = jnp.tensordot(weight, jnp.tanh(felt), 1) + bias
        assert felt is not None
        value = felt[0]
        if self.shuffled == "connections":
            place = [p.name for p in self.brain.projections].index(projection.name)
            order = np.random.RandomState([self.deal, place]).permutation(value.size)
            value = value.ravel()[order].reshape(value.shape)
        weight = collected(wiring, value)
        return eqx.tree_at(lambda p: p.weight, projection, weight / jnp.sqrt(heard(wiring)))


def digits(cells: int) -> int:
    """How many binary digits number so many cells, at least one."""
    return max(1, (cells - 1).bit_length())


def collected(wiring: AbstractWiring, value: Float[Array, "*edge"]) -> Weight:
    """Weights from a number for every connection: the mean over those that share a weight."""
    ones = wiring.fill(1.0)
    shape = jax.eval_shape(wiring.spread, ones)
    back = jax.linear_transpose(wiring.spread, ones)
    (total,) = back(jnp.broadcast_to(value, shape.shape).astype(shape.dtype))
    (count,) = back(jnp.ones(shape.shape, shape.dtype))
    return jnp.where(count == 0, 0.0, total / jnp.where(count == 0, 1.0, count)) * ones


def heard(wiring: AbstractWiring) -> Float[Array, ""]:
    """How many connections a cell listens to on average, at least 1."""
    shape = jax.eval_shape(lambda: wiring.spread(wiring.fill(1.0))).shape
    exists = jnp.ones(shape, bool) if wiring.exists is None else wiring.exists
    count = jnp.sum(jnp.broadcast_to(exists, shape).astype(jnp.float32))
    return jnp.maximum(1.0, count / max(1, wiring.shape[0]))
