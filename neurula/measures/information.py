"""How much a cell's firing tells about where the animal is.

Skaggs, McNaughton, Gothard & Markus (1993), Adv. Neural Inf. Process. Syst. 5:1030; on its bias:
Souza, Pavão, Belchior & Tort (2018), Neuroscience 375:62.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Information(NamedTuple):
    """What `spatial_information` gives, each for every cell. NaN: it never fired."""

    per_spike: Float[np.ndarray, "*cells"]  # bits
    per_second: Float[np.ndarray, "*cells"]  # bits


def spatial_information(
    maps: Float[np.ndarray, "*cells row column"], seconds: Float[np.ndarray, "row column"]
) -> Information:
    """Skaggs' information, sum_b p_b (f_b / F) log2(f_b / F) per spike, and F times that a second.

    f_b is the rate in bin b, p_b the share of the `seconds` spent there, F = sum_b p_b f_b; bins
    that are NaN or were not visited stay out, 0 log 0 = 0, and bins below the mean count in full.
    Estimated from few spikes it is too high: take off the mean of shuffles (`shuffled`).
    """
    there = np.isfinite(maps) & (seconds > 0)
    share = np.where(there, seconds, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = share / share.sum((-2, -1), keepdims=True)
        rates = np.where(there, maps, 0.0)
        mean = (share * rates).sum((-2, -1), keepdims=True)
        relative = rates / mean
        logs = np.log2(relative, out=np.zeros_like(relative), where=relative > 0)
    bits = (share * relative * logs).sum((-2, -1))
    return Information(bits, bits * mean[..., 0, 0])
