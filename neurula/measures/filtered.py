"""What a slow synapse makes of spikes: the state that a readout sees.

Maass, Natschlaeger & Markram (2002), Neural Comput. 14:2531.
"""

import math

import numpy as np
from jaxtyping import Float, Int


def filtered(
    times: Float[np.ndarray, " spike"],
    cells: Int[np.ndarray, " spike"],
    at: Float[np.ndarray, " sample"],
    *,
    size: int,
    tau: float,
) -> Float[np.ndarray, "sample cell"]:
    """Spikes of `size` cells, each decaying as exp(-t / tau), summed at the times `at`.

    Times and `tau` in ms, both lists in order; a spike counts from its own moment on.
    """
    at = np.asarray(at, float)
    if np.any(np.diff(at) < 0):
        raise ValueError(
            "Expected the times `at` in order, but some come before their forerunner: what is left "
            "of old spikes is carried on from sample to sample. Use `np.sort(at)`."
        )
    found = np.zeros((len(at), size))
    sample = np.searchsorted(at, times)  # the first one that sees the spike
    seen = sample < len(at)
    sample, who, when = sample[seen], np.asarray(cells)[seen], np.asarray(times, float)[seen]
    np.add.at(found, (sample, who), np.exp((when - at[sample]) / tau))
    for i in range(1, len(at)):
        found[i] += found[i - 1] * math.exp((at[i - 1] - at[i]) / tau)
    return found
