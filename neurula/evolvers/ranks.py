"""What a rank is worth: fitness enters strategies by its order alone.

Hansen & Ostermeier (2001), Evol. Comput. 9:159; Wierstra et al. (2014), J. Mach. Learn. Res.
15:949, section 3.1; Salimans et al. (2017), arXiv:1703.03864.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def ranks(fitness: Float[Array, " genome"]) -> Int[Array, " genome"]:
    """0 for the fittest, and so on; ties by the order of genomes."""
    order = jnp.argsort(-fitness, stable=True)
    return jnp.zeros(fitness.shape, jnp.int32).at[order].set(jnp.arange(fitness.shape[0]))


def log_utilities(fitness: Float[Array, " genome"]) -> Float[Array, " genome"]:
    """max(0, ln(n / 2 + 1) - ln(rank + 1)), made to sum to 1, less 1 / n: the better half counts.

    Tied genomes share what their ranks are worth, so that no luck of order moves anything.
    """
    count = fitness.shape[0]
    raw = jnp.maximum(0.0, jnp.log(count / 2 + 1) - jnp.log(jnp.arange(1.0, count + 1)))
    return shared(fitness, raw / jnp.sum(raw) - 1 / count)


def centred_ranks(fitness: Float[Array, " genome"]) -> Float[Array, " genome"]:
    """From 1/2 for the fittest down to -1/2, evenly; tied genomes share."""
    count = fitness.shape[0]
    return shared(fitness, jnp.linspace(0.5, -0.5, count))


def shared(
    fitness: Float[Array, " genome"], worth: Float[Array, " rank"]
) -> Float[Array, " genome"]:
    """What each genome's rank is worth, the mean over ranks among equals."""
    ordered = -jnp.sort(-fitness)
    first = jnp.searchsorted(-ordered, -fitness, side="left")
    last = jnp.searchsorted(-ordered, -fitness, side="right")
    summed = jnp.concatenate([jnp.zeros(1), jnp.cumsum(worth)])
    return (summed[last] - summed[first]) / (last - first).astype(jnp.float32)
