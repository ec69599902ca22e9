"""Whether networks have the same cells, whatever their order.

Li, Yosinski, Clune, Lipson & Hopcroft (2016), ICLR, arXiv:1511.07543.
"""

import numpy as np
from jaxtyping import Float


def matched_correlation(
    first: Float[np.ndarray, "network stimulus unit"],
    held: Float[np.ndarray, "network other unit"],
) -> Float[np.ndarray, "network network"]:
    """Mean Pearson's r of the held-out responses of units of two networks, matched one to one.

    Units of every pair of networks are matched by the assignment with the largest sum of
    correlations over the `first` stimuli. With the same stimuli on both sides chance pushes the
    number up, the more the fewer there are. Units that do not vary have a correlation of 0; a
    network with itself has 1.
    """
    from scipy.optimize import linear_sum_assignment

    many, _, units = first.shape
    guides, judges = _standard(first), _standard(held)
    found = np.ones((many, many))
    for i in range(1, many):
        guide, judge = (
            np.tensordot(x[i], x[:i], (0, 1)).reshape(units, i, units) for x in (guides, judges)
        )
        for j in range(i):
            mine, theirs = linear_sum_assignment(guide[:, j], maximize=True)
            found[i, j] = found[j, i] = judge[mine, j, theirs].mean()
    return found


def _standard(
    responses: Float[np.ndarray, "network stimulus unit"],
) -> Float[np.ndarray, "network stimulus unit"]:
    """Columns of mean 0 and length 1; zeros where nothing varies."""
    centred = responses - responses.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    size = np.linalg.norm(responses, axis=1, keepdims=True)
    flat = length <= 1e-9 * np.maximum(size, 1e-300)
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, length))
