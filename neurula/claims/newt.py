"""A picture of a newt for cells to grow, and ways to hurt it: newts grow limbs again.

The pictures and discs of Mordvintsev, Randazzo, Niklasson & Levin (2020), Distill 5:e23, were
others.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..automaton import AutomatonState

SHAPES = ("right half", "lower half", "middle third", "every second cell")
NEWT = (
    "..gggg..",
    "..kggk..",
    "..gggg..",
    "gggyyggg",
    "..gyyg..",
    "gggyyggg",
    "...gg...",
    "....grr.",
)
COLOURS = {".": (0, 0, 0, 0), "g": (0.2, 0.6, 0.3, 1), "k": (0, 0, 0, 1)}
COLOURS |= {"y": (0.9, 0.8, 0.2, 1), "r": (0.8, 0.3, 0.2, 1)}
COLOUR, ALPHA = 4, 3  # channels that show, and which of them is life
STORED = 8  # numbers from which the decoder paints
Sheet = Float[Array, "channel cell"]


def newt(enlarge: int, border: int) -> Sheet:
    """Red, green, blue and opacity, each place of the drawing so many cells wide and high."""
    places = np.array([[COLOURS[c] for c in row] for row in NEWT], np.float32)
    large = places.repeat(enlarge, 0).repeat(enlarge, 1)
    wide = (border, border)
    return jnp.asarray(np.pad(large, (wide, wide, (0, 0))).reshape(-1, COLOUR).T)


def harms(side: int) -> Bool[np.ndarray, "shape cell"]:
    """Which cells of a square sheet each of the shapes takes everything from."""
    row, column = np.indices((side, side))
    third = np.abs(column - (side - 1) / 2) < side / 6
    found = [column >= side / 2, row >= side / 2, third, (row + column) % 2 == 0]
    return np.stack(found).reshape(len(SHAPES), -1)


def disc(state: AutomatonState, *, key: PRNGKeyArray) -> AutomatonState:
    """The harm that is met while learning: a disc of a sixth to a third of the side."""
    side = round(state.channels.shape[1] ** 0.5)
    at_place, at_size = jax.random.split(key)
    middle = side * jax.random.uniform(at_place, (2, 1))
    radius = side * jax.random.uniform(at_size, minval=1 / 6, maxval=1 / 3)
    cells = jnp.asarray(np.indices((side, side)).reshape(2, -1), jnp.float32)
    return hurt(state, jnp.sum((cells - middle) ** 2, 0) <= radius**2)


def hurt(state: AutomatonState, harmed: Bool[Array, " cell"]) -> AutomatonState:
    """The same sheet, of which some cells hold nothing any more."""
    kept = jnp.where(harmed[None, :], 0.0, state.channels)
    return eqx.tree_at(lambda s: s.channels, state, kept)


def painted(
    error: Callable[[Sheet], Float[Array, ""]], cells: int, updates: int, *, key: PRNGKeyArray
) -> Sheet:
    """What two layers of weights paint from a stored vector when they have learned to."""
    start = eqx.nn.MLP(STORED, COLOUR * cells, 2, 1, key=key)
    optimiser, (weights, rest) = optax.adam(1e-2), eqx.partition(start, eqx.is_array)

    def paint(weights: eqx.nn.MLP) -> Sheet:
        return eqx.combine(weights, rest)(jnp.ones(STORED)).reshape(COLOUR, -1)

    def update(carry, _):
        weights, momentum = carry
        slope = jax.grad(lambda w: error(paint(w)))(weights)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
            change, momentum = optimiser.update(slope, momentum, weights)
        return (eqx.apply_updates(weights, change), momentum), None

    begin = weights, optimiser.init(weights)
    return paint(jax.lax.scan(update, begin, length=updates)[0][0])
