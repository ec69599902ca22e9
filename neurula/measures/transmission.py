"""How much a response tells of its stimulus: that something came, and a copy of it.

Green & Swets (1966), Signal Detection Theory; Sahani & Linden (2003), NeurIPS 15:125.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


def roc_area(
    there: Float[Array, "*what trial"], absent: Float[Array, "*what other"]
) -> Float[Array, "*what"]:
    """Area under the ROC curve of one number a trial: with a stimulus, and without.

    The chance that a trial with the stimulus has the larger number; equal numbers count half.
    """
    more = there[..., :, None] - absent[..., None, :]
    return 0.5 + 0.5 * jnp.mean(jnp.sign(more), axis=(-2, -1))


def linear_share(
    stimulus: Float[Array, " time"], responses: Float[Array, "time what repeat"], *, lags: int
) -> Float[Array, " what"]:
    """Share of a response's explainable variance that a linear filter of the stimulus predicts.

    The filter looks back over `lags` time steps, is fitted to the first half of the time and tested
    on the second. Explainable is what the mean over repeats has beyond its error.
    """
    past = [jnp.roll(stimulus, lag) for lag in range(lags)]
    seen = jnp.stack([*past, jnp.ones_like(stimulus)], axis=1)[lags:]
    mean = jnp.mean(responses, axis=2)[lags:]
    half = len(seen) // 2
    fit = seen[:half].T @ seen[:half] + 1e-3 * jnp.eye(lags + 1)
    filters = jnp.linalg.solve(fit, seen[:half].T @ mean[:half])
    missed = jnp.mean((mean[half:] - seen[half:] @ filters) ** 2, axis=0)
    error = jnp.var(responses[lags + half :], axis=2, ddof=1) / responses.shape[2]
    spread = jnp.var(mean[half:], axis=0)
    return (spread - missed) / jnp.maximum(spread - jnp.mean(error, axis=0), 1e-6)
