"""The covariance of the noise between units, shrunk where trials are few.

Ledoit & Wolf (2004), J. Multivar. Anal. 88:365 (towards a multiple of the identity); Schäfer &
Strimmer (2005), Stat. Appl. Genet. Mol. Biol. 4:32 (towards the diagonal).
"""

from typing import Literal

import numpy as np
from jaxtyping import Float

Shrinkage = Literal["ledoit-wolf", "schaefer-strimmer", "diagonal", "none"]
Covariance = Float[np.ndarray, "unit unit"]


def noise_covariance(
    residuals: Float[np.ndarray, "sample unit"],
    shrinkage: Shrinkage = "ledoit-wolf",
    *,
    degrees: int | None = None,
) -> Covariance:
    """The covariance of deviations from the mean response: units squared of the responses.

    `degrees` of freedom are the samples less the number of means that were taken off (default:
    one). "diagonal" keeps the variances only, "none" the plain estimate. Raises `ValueError` for
    too few samples and for units that never vary.
    """
    residuals = np.asarray(residuals, dtype=np.float64)
    samples = len(residuals)
    degrees = samples - 1 if degrees is None else degrees
    if degrees < 1:
        raise ValueError(
            f"Expected repeats of the stimuli, but {samples} samples leave {degrees} degrees of "
            "freedom for the noise: without repeats signal and noise cannot be told apart. Label "
            "the repeats alike, give a covariance from elsewhere, `noise=covariance`, or take "
            "`noise='identity'`."
        )
    residuals = residuals - residuals.mean(0)
    square = residuals.T @ residuals
    _check_noisy(np.diag(square))
    if shrinkage == "none":
        return square / degrees
    if shrinkage == "diagonal":
        return np.diag(np.diag(square)) / degrees
    fourth = (residuals**2).T @ residuals**2
    if shrinkage == "ledoit-wolf":
        return _towards_identity(square, fourth, samples) * samples / degrees
    if shrinkage == "schaefer-strimmer":
        return _towards_diagonal(square, fourth, samples, degrees)
    raise ValueError(
        f"Expected a shrinkage among 'ledoit-wolf', 'schaefer-strimmer', 'diagonal' and 'none', "
        f"but got {shrinkage!r}, which has no formula here. Write `shrinkage='ledoit-wolf'`."
    )


def _check_noisy(squares: Float[np.ndarray, " unit"]) -> None:
    still = np.flatnonzero(squares <= 0)
    if still.size:
        raise ValueError(
            f"Expected noise in every unit, but {still.size} of {squares.size} units are constant "
            f"(zero variance; first: {still[:10].tolist()}), and one divides by the noise. Leave "
            "them out: `responses[:, responses.std(0) > 0]`, or take `noise='identity'`."
        )


def _towards_identity(square: Covariance, fourth: Covariance, samples: int) -> Covariance:
    plain = square / samples
    target = np.trace(plain) / len(plain) * np.eye(len(plain))
    distance = np.sum((plain - target) ** 2)
    error = np.sum(fourth / samples - plain**2) / samples
    share = min(distance, error) / distance if distance > 0 else 1.0
    return share * target + (1 - share) * plain


def _towards_diagonal(
    square: Covariance, fourth: Covariance, samples: int, degrees: int
) -> Covariance:
    """The formula with its small-sample factors as rsatoolbox has them."""
    plain = square / degrees
    variances = np.diag(plain)
    deviations = np.sqrt(variances)
    first = square / deviations / deviations[:, None] / (samples - 1)
    second = fourth / variances / variances[:, None] / (samples - 1)
    spread = samples / degrees**2 * (second - first**2)
    off = ~np.eye(len(plain), dtype=bool)
    total = np.sum(first[off] ** 2)
    share = np.clip(np.sum(spread[off]) / total, 0, 1) if total > 0 else 1.0
    return np.where(off, (1 - share) * plain, plain)


def whitener(covariance: Covariance) -> Covariance:
    """A matrix A with A' A = inverse covariance. Raises `ValueError` where there is no inverse."""
    covariance = np.asarray(covariance, dtype=np.float64)
    try:
        lower = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise ValueError(
            f"Expected a noise covariance with an inverse, but this one ({covariance.shape}) is "
            "not positive definite: there are fewer trials than units, or units that say the "
            "same. Shrink it: `noise='ledoit-wolf'`."
        ) from None
    return np.linalg.inv(lower)
