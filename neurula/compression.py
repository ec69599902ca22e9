"""A network's weights in a given number of bits, so that descent can train what is written down.

Pruning: Han, Pool, Tran & Dally (2015),
NeurIPS 28. Rounding with gradients passed straight through: Bengio, Leonard & Courville (2013),
arXiv:1308.3432; Rastegari et al. (2016), ECCV. Steps: Max (1960), IRE Trans. Inf. Theory 6:7.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

BITS = 32  # of a number in full
STEPS = {1: 1.596, 2: 0.9957, 3: 0.5860, 4: 0.3352}  # by bits, in standard deviations: Max (1960)
Matrices = list[Float[Array, "_ _"]]  # (post, pre) each


class Code(NamedTuple):
    """`decode(genes)` gives the matrices; `genes` to begin with; how many bits are written down."""

    decode: Callable[[Any], Matrices]
    genes: Any
    bits: float | int


def low_rank(trained: Matrices, room: int, *, value: int) -> Code:
    """The truncated singular value decomposition: two factors of `value` bits a number.

    One rank for all matrices, the largest for which there is room, less where a matrix has less.
    """
    ranks = lambda rank: [min(rank, *w.shape) for w in trained]  # noqa: E731
    bits = lambda rank: sum(  # noqa: E731
        value * k * sum(w.shape) + 2 * BITS for k, w in zip(ranks(rank), trained, strict=True)
    )
    rank, factors = largest(bits, room, max(min(w.shape) for w in trained)), []
    for k, w in zip(ranks(rank), trained, strict=True):
        left, strength, right = jnp.linalg.svd(w, full_matrices=False)
        root = jnp.sqrt(strength[:k])
        factors.append((left[:, :k] * root[None, :], root[:, None] * right[:k]))
    decode = lambda genes: [rounded(a, value) @ rounded(b, value) for a, b in genes]  # noqa: E731
    return Code(decode, factors, bits(rank))


def pruned(trained: Matrices, room: int, *, value: int) -> Code:
    """The largest weights of all, `value` bits each, and log2(n choose k) to say which they are."""
    n = sum(w.size for w in trained)

    def bits(k: int) -> float:
        ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        return ways / math.log(2) + value * k + BITS * len(trained)

    count = largest(bits, room, n // 2)
    sizes = jnp.concatenate([jnp.abs(w).ravel() for w in trained])
    least = jax.lax.top_k(sizes, count)[0][-1]
    masks = [(jnp.abs(w) >= least).astype(jnp.float32) for w in trained]
    return Code(_masked(masks, value), trained, bits(count))


def narrow(start: Matrices, room: int) -> Code:
    """Every weight in 1 to 4 bits; where one bit is too much, the last hidden cells fall silent.

    Layers keep their share of cells, as far as they go.
    """
    value = min(4, max(1, room // sum(w.size + BITS for w in start)))
    ends, wide = (start[0].shape[1], start[-1].shape[0]), [w.shape[0] for w in start[:-1]]
    most = max(wide, default=1)

    def cells(width: int) -> list[tuple[int, int]]:
        kept = [ends[0], *[max(1, n * width // most) for n in wide], ends[1]]
        return list(zip(kept[1:], kept[:-1], strict=True))

    bits = lambda width: sum(value * a * b + BITS for a, b in cells(width))  # noqa: E731
    width = largest(bits, room, most)
    pairs = zip(start, cells(width), strict=True)
    masks = [jnp.zeros(w.shape).at[:a, :b].set(1.0) for w, (a, b) in pairs]
    return Code(_masked(masks, value), start, bits(width))


def _masked(masks: Matrices, value: int) -> Callable[[Any], Matrices]:
    return lambda genes: [rounded(g, value, m) for g, m in zip(genes, masks, strict=True)]


def rounded(
    numbers: Float[Array, "a b"], bits: int, mask: Float[Array, "a b"] | None = None
) -> Float[Array, "a b"]:
    """Numbers in few bits by even steps around 0; gradients pass as if nothing were rounded.

    The step suits normal numbers of the same root mean square, which takes 32 bits to tell.
    """
    mask = jnp.ones_like(numbers) if mask is None else mask
    power = jnp.sum(mask * numbers**2) / jnp.maximum(jnp.sum(mask), 1.0)
    step = STEPS[bits] * jnp.sqrt(power + 1e-12)
    half = 2 ** (bits - 1)
    near = step * (jnp.clip(jnp.floor(numbers / step), -half, half - 1) + 0.5)
    return mask * (numbers + jax.lax.stop_gradient(near - numbers))


def largest(bits: Callable[[int], Any], room: float | int, most: int) -> int:
    """The largest number up to `most` whose bits there is room for.

    Raises `ValueError` where there is no room for 1.
    """
    if bits(1) > room:
        raise ValueError(
            f"The shortest code takes {bits(1):.0f} bits, but there is room for {room:.0f}: "
            "nothing could be written down. Compress less."
        )
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if bits(middle) <= room else (low, middle - 1)
    return low
