"""What is measured in the middle of every layer: of small networks, and of a pretrained one.

Skottun et al. (1991), Vision Res. 31:1079 (F1 / F0); Luo et al. (2016), NeurIPS 29:4898 (effective
receptive fields); Tan & Le (2019), ICML, PMLR 97:6105 (the pretrained network).
"""

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Split
from ..data import load
from ..measures import effective_side, nonlinear_share, phase_modulation, receptive_fields
from ..pretrained import (
    LAYERS,
    Activations,
    EfficientNetLite0,
    calibrated,
    efficientnet_lite0,
    untrained,
)
from ..stacked_filters import StackedFilters
from ..tasks.patches import draw_patches, whitened

WIDE, CELLS = 64, 16  # pixels that the pretrained network sees; channels of a layer that count
COARSE = 4  # numbers along a side of pictures by which it is asked how linear it is
EARLY = {"block 1": 7, "block 2": 11, "block 3": 19}  # theoretical receptive fields, pixels
SMALL = 32  # pixels, more than these fields
FREQUENCIES = (0.06, 0.1, 0.15, 0.2, 0.3)  # cycles per pixel
Numbers = dict[str, Float[np.ndarray, "layer cell"]]


def invariance(ratio: Float[np.ndarray, " cell"]) -> Float[np.ndarray, " cell"]:
    """F1 / F0 on another scale: 0 where it is pi / 2, as of linear cells, 1 where it is 0."""
    return 1 - ratio / (np.pi / 2)


# ---- small networks ---------------------------------------------------------------------------


@eqx.filter_jit
def _drives(brain: StackedFilters, pictures: Float[Array, "picture pixel"]) -> Array:
    return jax.vmap(brain.middle)(pictures)


@eqx.filter_jit
def _slopes(brain: StackedFilters, pictures: Float[Array, "picture pixel"]) -> Array:
    return jax.lax.map(jax.jacrev(brain.middle), pictures)


@eqx.filter_jit
def _draw(task: AbstractTask, split: Split, key: PRNGKeyArray, count: int) -> Array:
    draw = lambda k: task.sample(split, key=k).stimuli[0]  # noqa: E731
    return jax.vmap(draw)(jax.random.split(key, count))


def look_into(
    brain: StackedFilters, task: AbstractTask, pictures: int, key: PRNGKeyArray
) -> Numbers:
    """Invariance, complexity and receptive fields of the cells in the middle of every layer."""
    layers, cells, side = len(brain.layers), len(brain.layers[0].bias), brain.side
    stimuli = [_draw(task, "test", each, pictures) for each in jax.random.split(key)]
    drives = [np.asarray(_drives(brain, x), float).reshape(pictures, -1) for x in stimuli]
    seen, held = (np.asarray(x, float) for x in stimuli)
    missed = nonlinear_share(seen, drives[0], held, drives[1])

    def watch(film: np.ndarray) -> np.ndarray:
        heard = _drives(brain, jnp.asarray(film.reshape(len(film), -1)))
        return np.asarray(heard).reshape(len(film), -1)

    asked = phase_modulation(watch, side, frequencies=FREQUENCIES, level=0.5, contrast=0.5)
    slopes = np.asarray(_slopes(brain, stimuli[1][:40])).reshape(-1, layers, cells, side, side)
    return {
        "invariance": invariance(asked.ratio).reshape(layers, cells),
        "complexity": missed.reshape(layers, cells),
        "effective field": effective_side(slopes),
    }


# ---- the pretrained network -------------------------------------------------------------------


@functools.cache
def look_into_pretrained(learned: bool, pictures: int) -> dict[str, np.ndarray]:
    """The same for EfficientNet-lite0, as trained on ImageNet or with first weights, drawn once."""
    rng = np.random.default_rng(0)
    views = np.asarray(whitened(2, "none")[0], float)
    wide = lambda split, count: draw_patches(views, split, WIDE, count, rng)  # noqa: E731
    network = efficientnet_lite0(load("efficientnet-lite0"))
    if not learned:
        network = eqx.filter_jit(untrained)(network, key=jax.random.key(0))
        network, _ = eqx.filter_jit(calibrated)(network, _in_colour(wide("train", 40), WIDE))

    @eqx.filter_jit
    def middle(network: EfficientNetLite0, pictures: Array) -> Array:
        return jnp.stack([_middle(network(pictures), layer) for layer in LAYERS[:-1]], axis=1)

    def answer(pictures: np.ndarray) -> np.ndarray:
        parts = np.split(pictures, len(pictures) // 8)
        said = [middle(network, _in_colour(part, WIDE)) for part in parts]
        return np.concatenate(said).reshape(len(pictures), -1).astype(float)

    coarse = [_coarse(wide(split, pictures)) for split in ("train", "test")]
    shown = [_enlarged(each) for each in coarse]
    missed = nonlinear_share(coarse[0], answer(shown[0]), coarse[1], answer(shown[1]))
    asked = phase_modulation(
        lambda film: answer(film.reshape(len(film), -1)),
        WIDE, frequencies=FREQUENCIES, ways=6, phases=8, level=0.5, contrast=0.5,
    )  # fmt: skip
    found = {"invariance": invariance(asked.ratio), "complexity": missed}
    shares = _gabor_shares(network, views, rng)
    return {name: x.reshape(len(LAYERS) - 1, CELLS) for name, x in found.items()} | {
        "like Gabors": shares
    }


def _gabor_shares(network: EfficientNetLite0, views: np.ndarray, rng: Any) -> np.ndarray:
    """Share of linear filters (mean slopes at photographs) like Gabor functions, block by block.

    Filters of the first layer have 3 x 3 pixels, too few for the eight numbers of such a function.
    """
    patches = _in_colour(draw_patches(views, "train", SMALL, 24, rng), SMALL)

    @eqx.filter_jit
    def slopes(network: EfficientNetLite0, patches: Array) -> dict[str, Array]:
        def cells(patch: Array) -> dict[str, Array]:
            said = network(patch[None])
            return {layer: _middle(said, layer)[0] for layer in EARLY}

        found = jax.lax.map(jax.jacrev(cells), patches)
        return {layer: jnp.mean(each, 0).sum(-1) for layer, each in found.items()}

    shares = []
    for layer, filters in slopes(network, patches).items():
        filters = np.asarray(filters, float)
        there = np.any(filters != 0, axis=0)
        rows, columns = (np.flatnonzero(there.any(axis)) for axis in (1, 0))
        last = SMALL - EARLY[layer]
        top, left = min(rows[0], last), min(columns[0], last)
        window = filters[:, top : top + EARLY[layer], left : left + EARLY[layer]]
        shares.append(receptive_fields(window).gabor_like().mean())
    return np.array(shares)


def _middle(said: Activations, layer: str) -> Float[Array, "picture cell"]:
    """Evenly spaced channels in the middle of a layer, what they do beyond linear output."""
    at = said[layer].shape[1] // 2
    channels = np.linspace(0, said[layer].shape[-1] - 1, CELLS).round().astype(int)
    return said[layer][:, at, at, channels]


def _in_colour(grey: np.ndarray, side: int) -> Float[Array, "picture side side 3"]:
    """Grey pictures, 0 to 1, as the network takes colours."""
    pictures = jnp.asarray(grey.reshape(-1, side, side, 1), jnp.float32)
    return (jnp.tile(pictures, (1, 1, 1, 3)) * 255 - 127) / 128


def _coarse(patches: Float[np.ndarray, "patch pixel"]) -> Float[np.ndarray, "patch number"]:
    """Means over squares: few numbers, from which a picture follows."""
    step = WIDE // COARSE
    blocks = patches.reshape(-1, COARSE, step, COARSE, step)
    return blocks.mean((2, 4)).reshape(len(patches), -1)


def _enlarged(coarse: Float[np.ndarray, "patch number"]) -> Float[np.ndarray, "patch pixel"]:
    """The smooth picture of few numbers; every pixel is linear in them."""
    place = np.clip((np.arange(WIDE) + 0.5) * COARSE / WIDE - 0.5, 0, COARSE - 1)
    rows = np.maximum(1 - np.abs(place[:, None] - np.arange(COARSE)), 0)
    return (rows @ coarse.reshape(-1, COARSE, COARSE) @ rows.T).reshape(len(coarse), -1)
