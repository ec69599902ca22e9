"""Models and a brain that have something in common; the comparisons as rsatoolbox calls them."""

import numpy as np
import pytest

from neurula import Dissimilarities

THEIRS = {
    "cosine": "cosine",
    "correlation": "corr",
    "whitened cosine": "cosine_cov",
    "whitened correlation": "corr_cov",
    "spearman": "spearman",
    "rho-a": "rho-a",
    "tau-a": "tau-a",
}
every = pytest.mark.parametrize("comparison", THEIRS)


def made(stimuli=10, models=4, subjects=5, seed=0):
    """Models and a brain that have something in common; some models have ties."""
    rng = np.random.default_rng(seed)
    pairs = stimuli * (stimuli - 1) // 2
    shared = rng.random(pairs)
    model, brain = shared + rng.random((models, pairs)), shared + rng.random((subjects, pairs))
    model[0], model[1] = model[0] > 1, np.round(4 * model[1])
    return model, brain


def named(values, prefix, stimuli=None):
    n = round((1 + np.sqrt(1 + 8 * values.shape[-1])) / 2)
    names = tuple(f"s{k}" for k in range(n)) if stimuli is None else stimuli
    values = values if values.ndim == 3 else values[:, None]
    return Dissimilarities(values, names, tuple(f"{prefix}{k}" for k in range(len(values))))
