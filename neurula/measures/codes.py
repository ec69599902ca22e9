"""Filters that examples themselves suggest: sparse, independent, clustered, principal.

Sparse: Olshausen & Field (1996), Nature 381:607. Independent: Bell & Sejnowski (1997), Vision Res.
37:3327; Hyvarinen (1999), IEEE Trans. Neural Netw. 10:626. Clusters: Coates, Lee & Ng (2011),
AISTATS. Principal: Hancock, Baddeley & Smith (1992), Network 3:61.
"""

import warnings
from typing import Literal

import numpy as np
from jaxtyping import Float, Real

from .sparse_coding import random_dictionary, sparse_dictionary

Kind = Literal["sparse", "independent", "clusters", "principal"]
Words = Float[np.ndarray, "word pixel"]


def code_filters(
    examples: Real[np.ndarray, "example pixel"],
    count: int,
    kind: Kind,
    *,
    penalty: float = 1.0,
    passes: int = 4,
    rng: np.random.Generator,
) -> Words:
    """`count` filters of length 1 that describe the examples, which should be whitened.

    - "sparse": a dictionary for codes with few cells active, from random words; `penalty` and
      `passes` as in `sparse_dictionary`.
    - "independent": directions in which examples are least like Gaussian noise (FastICA with
      tanh, all at once, up to 100 steps), in the space of the first `count` components.
    - "clusters": centres that examples of equal length lie around (k-means).
    - "principal": directions of most variance, strongest first.

    The last three take up to as many filters as there are pixels; scikit-learn does "independent"
    and "clusters".
    """
    examples = np.asarray(examples, np.float32)
    if kind not in ("sparse", "independent", "clusters", "principal"):
        raise ValueError(
            f'Expected kind "sparse", "independent", "clusters" or "principal", but got {kind!r}: '
            'no other code is known here. Begin with kind="sparse".'
        )
    most = examples.shape[1] if kind in ("independent", "principal") else len(examples)
    if not 1 <= count <= most:
        raise ValueError(
            f"Expected 1 to {most} filters of kind {kind!r}, but got {count} for examples of shape "
            f"{examples.shape}: there are no more directions, or examples, than that. Ask for "
            f"{most}, or use kind='sparse', which may have more filters than pixels."
        )
    if kind == "sparse":
        start = random_dictionary(count, examples.shape[1], rng)
        return sparse_dictionary(examples, start, penalty=penalty, passes=passes, rng=rng)
    seed = int(rng.integers(2**31))
    found = {"independent": _independent, "clusters": _clusters, "principal": _principal}[kind]
    words = np.asarray(found(examples, count, seed), float)
    return words / np.linalg.norm(words, axis=1, keepdims=True)


def _principal(examples: np.ndarray, count: int, seed: int) -> np.ndarray:
    _, patterns = np.linalg.eigh(np.cov(examples.T.astype(float)))
    return patterns.T[::-1][:count]


def _independent(examples: np.ndarray, count: int, seed: int) -> np.ndarray:
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    model = FastICA(count, whiten="unit-variance", max_iter=100, tol=1e-3, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last few filters wander
        model.fit(examples)
    return model.mixing_.T


def _clusters(examples: np.ndarray, count: int, seed: int) -> np.ndarray:
    from sklearn.cluster import MiniBatchKMeans

    length = np.linalg.norm(examples, axis=1, keepdims=True)
    alike = examples / np.maximum(length, 1e-12)
    model = MiniBatchKMeans(count, batch_size=1024, max_iter=20, n_init=1, random_state=seed)
    return model.fit(alike).cluster_centers_
