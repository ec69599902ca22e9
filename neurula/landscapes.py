"""Fitness of strings of bits and of points, mostly hard on purpose: traps, epistasis, islands.

Deb & Goldberg (1993), Foundations of Genetic Algorithms 2:93 (traps); Kauffman & Levin (1987), J.
Theor. Biol. 128:11 (NK). Higher is better everywhere.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray


def trap(bits: Bool[Array, " bit"] | Float[Array, " bit"], *, block: int = 5) -> Float[Array, ""]:
    """The mean over blocks of neighbouring bits of a deceptive trap, 1 for ones alone.

    A block of k bits with u ones is worth 1 if u = k, else (k - 1 - u) / k: every step uphill from
    anywhere else leads to zeros alone, which are worth (k - 1) / k. Bits may be numbers, 0 or 1, so
    that a gradient can be asked for: it is -1 / k a bit, 0 in a block of ones. Raises `ValueError`
    for bits that make no whole blocks.
    """
    if block < 2 or bits.shape[0] % block:
        raise ValueError(
            f"A trap takes whole blocks of at least 2 bits, but got {bits.shape[0]} bits and "
            f"block={block}. Use a multiple of the block, for example 40 bits and block=5."
        )
    ones = jnp.sum(bits.reshape(-1, block).astype(jnp.float32), axis=1)
    return jnp.mean(jnp.where(ones > block - 0.5, 1.0, (block - 1 - ones) / block))


class NK(eqx.Module):
    """Each of N bits is worth what it is worth together with its K right neighbours, on a ring.

    fitness = mean_i table_i(b_i, b_{i+1}, ..., b_{i+K}), with entries drawn uniformly from [0, 1).
    K = 0 has one peak; with K = N - 1 fitness of neighbouring strings is unrelated.
    """

    table: Float[Array, "bit pattern"]  # 2^(K + 1) patterns; the own bit is the highest digit

    @property
    def bits(self) -> int:
        """N."""
        return self.table.shape[0]

    @property
    def others(self) -> int:
        """K."""
        return self.table.shape[1].bit_length() - 2

    def __call__(self, bits: Bool[Array, " bit"]) -> Float[Array, ""]:
        """The fitness of one string."""
        return jnp.mean(self.table[jnp.arange(self.bits), self.patterns(bits)])

    def patterns(self, bits: Bool[Array, " bit"]) -> Int[Array, " bit"]:
        """Which entry of its table each bit reads."""
        shifted = jnp.stack([jnp.roll(bits, -i) for i in range(self.others + 1)])
        powers = 2 ** jnp.arange(self.others, -1, -1)
        return jnp.sum(shifted.astype(jnp.int32) * powers[:, None], axis=0)


def nk(bits: int, others: int, *, key: PRNGKeyArray) -> NK:
    """A random landscape. Raises `ValueError` unless 0 <= others < bits."""
    if not 0 <= others < bits:
        raise ValueError(
            f"In an NK landscape a bit depends on 0 to N - 1 others, but got bits={bits}, "
            f"others={others}. Use for example `nk(20, 4, key=key)`."
        )
    return NK(jax.random.uniform(key, (bits, 2 ** (others + 1))))


def islands(
    point: Float[Array, " axis"],
    goal: Float[Array, " axis"],
    *,
    radius: float = 0.3,
    sea: float = -1.0,
) -> Float[Array, ""]:
    """Disjoint balls around the points of the integer lattice; the sea between them is flat.

    On the island of lattice point c a point is worth -|c - goal| / (1 + |goal|) - |point - c|^2:
    more inland, and more on islands nearer to the goal. 0 is the best: the goal itself, a point of
    the lattice. At sea everything is worth `sea` less than the worst of the islands that matter,
    whatever the place: slopes tell nothing there, nor where the next island lies.
    """
    centre = jnp.round(point)
    inland = jnp.sum((point - centre) ** 2)
    far = jnp.linalg.norm(centre - goal) / (1 + jnp.linalg.norm(goal))
    return jnp.where(inland <= radius**2, -far - inland, sea - radius**2 - 1.0)


def quadratic(
    point: Float[Array, " axis"], goal: Float[Array, " axis"], *, condition: float = 100.0
) -> Float[Array, ""]:
    """A smooth bowl upside down: -sum_i h_i (point_i - goal_i)^2 / 2, with 0 at the goal the best.

    The curvatures h_i run evenly in their logarithm from 1 to `condition`: its gradient is
    -h_i (point_i - goal_i), and one step of Newton's method leads from anywhere to the goal.
    """
    curvature = jnp.geomspace(1.0, condition, point.shape[0])
    return -jnp.sum(curvature * (point - goal) ** 2) / 2
