"""Historical marks without a history: the same structure bears the same number everywhere.

Stanley & Miikkulainen (2002), Evol. Comput. 10:99, count innovations as they happen, so that
runs and islands cannot be compared. Here a mark is a function of what it marks.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

NOTHING = int(np.iinfo(np.int32).max)  # in an empty place: sorts behind all marks
HASH = 26  # bits; those above tell how many splits deep a structure lies
DEEPEST = 30
FEW = 64
ONE_LOOP = 32  # XLA for CPUs writes longer sums to memory before it adds them: 7 times as slow


def mark(source: Array, target: Array, split: Array | int) -> Int[Array, "..."]:
    """The mark of a connection (split 0), or of the cell put into it by its `split`-th split.

    `source` and `target` are marks of cells. Structure made of later structure has a higher mark:
    the upper bits hold its depth (at most 30), the lower 26 a hash.
    """
    split = jnp.asarray(split, jnp.int32)
    deep = jnp.maximum(source, target) >> HASH
    deep = jnp.minimum(deep + (split > 0).astype(jnp.int32), DEEPEST)
    mixed = _mix(_mix(_mix(_bits(source)) + _bits(target)) + _bits(split))
    low = (mixed & jnp.uint32((1 << HASH) - 1)).astype(jnp.int32)
    return (deep << HASH) | low


def _bits(number: Array) -> Array:
    return jnp.asarray(number).astype(jnp.uint32)


def _mix(word: Array) -> Array:
    """Murmur3's finaliser, which lets every bit flip half of the others (Appleby 2011)."""
    word = word + jnp.uint32(0x9E3779B9)
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B)
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    return word ^ (word >> 16)


def find(
    marks: Int[Array, " place"], wanted: Int[Array, " other"]
) -> tuple[Int[Array, " other"], Bool[Array, " other"]]:
    """Where each wanted mark is among sorted ones, and whether it is there at all."""
    if marks.shape[0] <= FEW:  # comparing all with all is faster, and little memory
        places = jnp.zeros(wanted.shape, jnp.int32)
        for begin in range(0, marks.shape[0], ONE_LOOP):
            below = marks[begin : begin + ONE_LOOP, None] < wanted[None, :]
            places = places + jnp.sum(below.astype(jnp.int32), axis=0, dtype=jnp.int32)
    else:
        places = jnp.searchsorted(marks, wanted, method="scan_unrolled").astype(jnp.int32)
    places = jnp.minimum(places, marks.shape[0] - 1)
    return places, (marks[places] == wanted) & (wanted != NOTHING)


def look_up(
    marks: Int[Array, " place"], values: Array, wanted: Int[Array, " other"]
) -> tuple[Array, Bool[Array, " other"]]:
    """The value that belongs to each wanted mark (0 if there is none), and whether there is one."""
    places, there = find(marks, wanted)
    return jnp.where(there, values[places], 0), there
