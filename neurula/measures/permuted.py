"""Permutations: all of them where they are few, else as many as asked for, with the data's own.

Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9:39 (a p-value from drawn permutations is
never zero: the data are one of them).
"""

import itertools
import math
from typing import Any

import numpy as np
from jaxtyping import Float, Int

Permutations = Int[np.ndarray, "permutation item"]


def permutations_of(items: int, most: int, seed: int) -> Permutations:
    """All orders of the items if they are no more than `most`; else so many, the first as it is."""
    if math.factorial(items) <= most:
        return np.array(list(itertools.permutations(range(items))))
    drawn = np.random.default_rng(seed).random((most, items)).argsort(1)
    drawn[0] = np.arange(items)
    return drawn


def share_as_high(
    null: Float[np.ndarray, "*rest permutation"], first: Float[np.ndarray, "*rest"]
) -> Any:
    """One-sided p-values: how many of the null, along its last axis, are as high as the first."""
    room = 1e-9 * np.maximum(1.0, np.abs(first))  # equal but for rounding is as high
    return np.mean(null >= (first - room)[..., None], axis=-1)
