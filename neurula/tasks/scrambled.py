"""Pictures with the spectrum of a natural one and nothing else of it: controls for codes.

Random phases: Theiler et al. (1992), Physica D 58:77; for pictures: Dakin, Hess, Ledgeway & Achtman
(2002), Curr. Biol. 12:R476.
"""

import numpy as np
from jaxtyping import Float, Real

Picture = Real[np.ndarray, "row column"]
Drawn = Float[np.ndarray, "row column"]


def phase_scrambled(picture: Picture, rng: np.random.Generator) -> Drawn:
    """The amplitude spectrum and the mean of `picture`, with phases of Gaussian noise.

    Edges, which need phases to agree, are gone; correlations between pixels of the whole picture,
    taken as periodic, stay as they were.
    """
    picture = np.asarray(picture, float)
    noise = np.fft.rfft2(rng.standard_normal(picture.shape))
    turn = noise / np.maximum(np.abs(noise), 1e-300)
    turn[0, 0] = 1.0  # the mean stays
    return np.fft.irfft2(np.fft.rfft2(picture) * turn, picture.shape)


def white_noise(picture: Picture, rng: np.random.Generator) -> Drawn:
    """Independent Gaussian pixels with the mean and the variance of `picture`: a flat spectrum."""
    picture = np.asarray(picture, float)
    return picture.mean() + picture.std() * rng.standard_normal(picture.shape)
