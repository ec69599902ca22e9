"""What similarities would be if all areas had one profile over layers, and only noise differed.

Permuted areas assume that all are measured equally well. They are not: noise draws an area from a
profile that all share towards the middle, and later areas are often the noisier ones. Here the
areas keep their own noise, as it is seen between subjects, and lose their own profile: subjects'
deviations from the mean of their area change sign at random, around a shared profile with the
height and gain of each area. (Winkler et al. 2014, NeuroImage 92:381, on changing signs.)
"""

import numpy as np
from jaxtyping import Float


def shared_profiles(
    similarity: Float[np.ndarray, "layer area subject"], draws: int, seed: int
) -> Float[np.ndarray, "draw layer area"]:
    """Means over subjects under that null. The shared profile weighs areas by their precision."""
    layers, _, subjects = similarity.shape
    mean = similarity.mean(2)
    rest = similarity - mean[:, :, None]
    noise = np.sum(rest**2, axis=(0, 2)) / (layers * (subjects - 1))
    precision = 1 / (noise + 1e-9 * noise.max() + np.finfo(float).tiny)
    height = mean.mean(0)
    shared = (mean - height) @ (precision / precision.sum())
    gain = np.maximum(shared @ (mean - height), 0) / max(shared @ shared, np.finfo(float).tiny)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (draws, similarity.shape[1], subjects))
    signs /= np.sqrt(subjects * (subjects - 1))  # deviations from their own mean are too small
    return height + gain * shared[:, None] + np.einsum("las,das->dla", rest, signs)
