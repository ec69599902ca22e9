"""Networks that look at a digit for several time steps, and others as large, for two claims.

Lateral connections and feedback as in Spoerer, McClure & Kriegeskorte (2017), Front. Psychol.
8:1551; attractors as in Ramsauer et al. (2021), ICLR.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..builders import layered, looped
from ..network import Network
from ..neurons import Leaky, Rate

LATERAL = (("hidden1", "hidden1"), ("hidden2", "hidden2"))
BOTH = (*LATERAL, ("hidden2", "hidden1"))
LOOPS = {"recurrent": BOTH, "deep": BOTH, "one look": BOTH, "blank": BOTH, "lateral": LATERAL}
PIXELS, CLASSES = 64, 10
Settings = dict[str, Float[Array, ""]]
Answers = Callable[[Float[Array, "time in"]], Float[Array, "look out"]]


def network(arm: str, width: int, settings: Settings, *, key: PRNGKeyArray) -> Network:
    """Two hidden layers, as wide as it takes to have the recurrent network's parameters.

    Time constants, in looks, are learned from `tau` on.
    """
    at_forward, at_loops = jax.random.split(key)

    def cells(size: int) -> Rate | Leaky:
        if arm in LOOPS:
            return Leaky("relu", jnp.full(size, settings["tau"]), jnp.zeros(size))
        return Rate("relu", jnp.zeros(size))

    wide = matched(arm, width)
    sizes = [PIXELS, wide, wide, CLASSES]
    forward = layered(sizes, neuron=cells, gain=settings["gain"], key=at_forward)
    loops = LOOPS.get(arm, ())
    return looped(forward, loops, gain=settings["loop"], key=at_loops) if loops else forward


def matched(arm: str, width: int) -> int:
    """Cells in a layer, the fewest that give as many parameters as recurrent ones of `width`."""
    if arm == "attractor":  # stores as many numbers as the recurrent network has in its loops
        return width
    rest = PIXELS + CLASSES + 2  # weights and biases per cell, but for those in between
    squares, constants = (1 + len(LOOPS[arm]), 2) if arm in LOOPS else (1, 0)
    per_cell = rest + constants
    total = 4 * width**2 + (rest + 2) * width
    half = per_cell / (2 * squares)
    return int(np.ceil((half**2 + total / squares) ** 0.5 - half - 1e-9))


def top(brain: Network, picture: Float[Array, " pixel"]) -> Float[Array, " cell"]:
    """Activity of the upper layer of a network without memory."""
    return brain.observe(brain.init(), picture)[2].activity["hidden2"]


def falling(
    brain: Network, stored: Float[Array, "pattern cell"], beta: Float[Array, ""], looks: int
) -> Answers:
    """Answers from the activity of the upper layer while it falls towards stored patterns.

    At first the activity is what the picture evokes; every step replaces it by the mean of the
    patterns, weighed by the softmax of `beta` times the cosine with each.
    """
    directions = unit(stored)

    def step(x: Float[Array, " cell"], _: None) -> tuple[Array, Array]:
        x = jax.nn.softmax(beta * (directions @ unit(x))) @ stored
        return x, x

    def say(picture: Float[Array, "1 pixel"]) -> Float[Array, "look out"]:
        start = top(brain, picture[0])
        course = jax.lax.scan(step, start, None, length=looks - 1)[1]
        course = jnp.concatenate([start[None], course])
        read = lambda x: brain.observe(brain.init(), picture[0], clamp={"hidden2": x})[1]  # noqa: E731
        return jax.vmap(read)(course)

    return say


def unit(x: Float[Array, "*any cell"]) -> Float[Array, "*any cell"]:
    """The same directions, of length 1; nothing stays nothing."""
    return x / jnp.sqrt(jnp.sum(x**2, axis=-1, keepdims=True) + 1e-12)
