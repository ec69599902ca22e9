"""A string of bits that is its own phenotype: what genetic algorithms began with.

Holland (1975), Adaptation in Natural and Artificial Systems; uniform crossover: Syswerda (1989),
ICGA 2.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..allowed import require_between
from ..heredity import AbstractGenome, crossed


class Bits(AbstractGenome[Bool[Array, " bit"]]):
    """`size` bits, which `develop` gives as the numbers 0 and 1.

    Every bit flips with the chance `mutation`, 1 / size unless given. A child changes parents at
    `points` random places, so that neighbouring bits stay together; with `None` each bit comes from
    either parent. Which bits are neighbours is part of the code: `order` (bit i of what develops is
    gene order[i]) puts them apart.
    """

    size: int = eqx.field(static=True, default=32)
    mutation: float | Float[Array, ""] | None = None  # chance that a bit flips
    points: int | None = eqx.field(static=True, default=2)
    order: Array | None = None  # a permutation of 0 to size - 1

    def __check_init__(self):
        require_between(self, "size", 1.0)
        require_between(self, "mutation", 0.0, 1.0)
        if self.order is not None and self.order.shape != (self.size,):
            raise ValueError(
                f"Each of {self.size} bits has its place in the code, but got an order of shape "
                f"{self.order.shape}: bits would be missing. Use for example "
                f"`Bits({self.size}, order=jax.random.permutation(key, {self.size}))`."
            )

    def sample(self, *, key: PRNGKeyArray) -> Bool[Array, " bit"]:
        return jax.random.bernoulli(key, 0.5, (self.size,))

    def develop(self, genes: Bool[Array, " bit"], *, key: PRNGKeyArray) -> Float[Array, " bit"]:
        del key
        return (genes if self.order is None else genes[self.order]).astype(jnp.float32)

    def mutate(self, genes: Bool[Array, " bit"], *, key: PRNGKeyArray) -> Bool[Array, " bit"]:
        chance = 1 / self.size if self.mutation is None else self.mutation
        return genes ^ jax.random.bernoulli(key, chance, (self.size,))

    def cross(
        self, fitter: Bool[Array, " bit"], other: Bool[Array, " bit"], *, key: PRNGKeyArray
    ) -> Bool[Array, " bit"]:
        return crossed(fitter, other, self.points, key=key)

    def distance(self, one: Bool[Array, " bit"], other: Bool[Array, " bit"]) -> Float[Array, ""]:
        """The share of bits that differ."""
        return jnp.mean((one != other).astype(jnp.float32))

    def encode(self, developed: Any) -> Bool[Array, " bit"]:
        bits = developed > 0.5
        return bits if self.order is None else jnp.zeros(self.size, bool).at[self.order].set(bits)
