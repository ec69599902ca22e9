"""A network that others trained on photographs, rebuilt in JAX: EfficientNet-lite0.

Tan & Le (2019), ICML, PMLR 97:6105; the "lite" version has ReLU6 and no squeeze-and-excitation.
Inverted bottlenecks: Sandler et al. (2018), CVPR, 4510; He et al. (2015), ICCV, 1026 (first
weights); Ioffe & Szegedy (2015), ICML, PMLR 37:448 (batch normalisation).
"""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

LAYERS = ("stem", *(f"block {k}" for k in range(1, 17)), "logits")  # from first to last
SIDE = 224  # pixels
EPSILON = 1e-3  # added to variances
# How many blocks, kernel, stride of the first, how many times wider inside, channels
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

Images = Float[Array, "image height width channel"]
Convolved = Float[Array, "image rows columns out"]
Activations = dict[str, Float[Array, "image ..."]]  # by layer


class Convolution(eqx.Module):
    """y = gain (kernel * x - mean) / sqrt(variance + 0.001) + shift, at most clipped to [0, 6]."""

    kernel: Float[Array, "height width in out"]  # `in` is 1 where every channel has its own
    gain: Float[Array, " out"]
    shift: Float[Array, " out"]
    mean: Float[Array, " out"]
    variance: Float[Array, " out"]
    stride: int = eqx.field(static=True)
    clipped: bool = eqx.field(static=True)

    def convolve(self, x: Images) -> Convolved:
        """What comes before normalisation."""
        return jax.lax.conv_general_dilated(
            x,
            self.kernel,
            (self.stride, self.stride),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=x.shape[-1] // self.kernel.shape[2],
        )

    def normalise(self, y: Convolved) -> Convolved:
        """What the next layer gets."""
        scale = self.gain / jnp.sqrt(self.variance + EPSILON)
        y = y * scale[None, None, None] + (self.shift - self.mean * scale)[None, None, None]
        return jnp.clip(y, 0.0, 6.0) if self.clipped else y


class EfficientNetLite0(eqx.Module):
    """From prepared images to the activations of every layer. Make one by `efficientnet_lite0`.

    "stem", "block 1" to "block 16" (image, height, width, channel) and "logits" (image, 1000), one
    for each of the 1000 classes of ImageNet. `LAYERS` has them in order, which `jax.jit` forgets.
    """

    stem: Convolution
    blocks: tuple[tuple[Convolution, ...], ...]
    head: Convolution
    weight: Float[Array, "class channel"]
    bias: Float[Array, " class"]

    def __call__(self, images: Float[Array, "image height width 3"]) -> Activations:
        return _flow(self, images, lambda layer, x: (layer, layer.normalise(layer.convolve(x))))[1]


def efficientnet_lite0(weights: Mapping[str, np.ndarray]) -> EfficientNetLite0:
    """The network from its weights, `neurula.data.load("efficientnet-lite0")`.

    Raises `ValueError` that names what is missing or has another shape.
    """

    def array(name: str, *shape: int) -> Array:
        found = weights.get(name)
        if found is None or found.shape != shape:
            raise ValueError(
                f"Expected the weights {name!r} of shape {shape}, and got "
                f"{'none' if found is None else found.shape}: these are not those of "
                'EfficientNet-lite0. Take `neurula.data.load("efficientnet-lite0")`.'
            )
        return jnp.asarray(found, jnp.float32)

    def convolution(name: str, norm: str, shape: tuple[int, ...], stride=1, clipped=True):
        after = ("weight", "bias", "running_mean", "running_var")
        kernel = jnp.transpose(array(f"{name}.weight", *shape), (2, 3, 1, 0))
        others = [array(f"{norm}.{each}", shape[0]) for each in after]
        return Convolution(kernel, *others, stride, clipped)

    blocks, inside = [], 32
    for many, size, stride, wider, out in _STAGES:
        for k in range(many):
            at, wide = f"_blocks.{len(blocks)}", inside * wider
            own, last = (wide, 1, size, size), (out, wide, 1, 1)
            block = [
                convolution(f"{at}._depthwise_conv", f"{at}._bn1", own, 1 if k else stride),
                convolution(f"{at}._project_conv", f"{at}._bn2", last, clipped=False),
            ]
            if wider > 1:
                first = (wide, inside, 1, 1)
                block = [convolution(f"{at}._expand_conv", f"{at}._bn0", first), *block]
            blocks.append(tuple(block))
            inside = out
    return EfficientNetLite0(
        convolution("_conv_stem", "_bn0", (32, 3, 3, 3), 2),
        tuple(blocks),
        convolution("_conv_head", "_bn1", (1280, inside, 1, 1)),
        array("_fc.weight", 1000, 1280),
        array("_fc.bias", 1000),
    )


def prepared(
    images: UInt8[np.ndarray, "image height width 3"], *, keep: float = 0.875
) -> Float[Array, "image 224 224 3"]:
    """Photographs as the network saw them in training: (red, green, blue - 127) / 128.

    The square in the middle, `keep` of the shorter side, is scaled to 224 x 224 pixels, bicubic.
    """
    height, width = images.shape[1:3]
    side = round(keep * min(height, width))
    top, left = (height - side) // 2, (width - side) // 2
    middle = images[:, top : top + side, left : left + side].astype(np.float32)
    shape = (len(images), SIDE, SIDE, 3)
    scaled = jnp.clip(jax.image.resize(jnp.asarray(middle), shape, "cubic"), 0.0, 255.0)
    return (scaled - 127.0) / 128.0


def untrained(model: EfficientNetLite0, *, key: PRNGKeyArray) -> EfficientNetLite0:
    """The same network before learning: normal weights of variance 2 / inputs, no biases.

    Means and variances are 0 and 1; `calibrated` sets them to those of images.
    """

    def weights(model: EfficientNetLite0) -> list[Any]:
        return [*(layer.kernel for layer in _convolutions(model)), model.weight]

    old, new = weights(model), []
    drawn = jax.random.normal(key, (sum(each.size for each in old),))  # at once: compiles faster
    for each, part in zip(old, _split(drawn, old), strict=True):
        inputs = each[0].size if each.ndim == 2 else each[..., 0].size
        new.append(jnp.sqrt(2.0 / inputs) * part)
    model = eqx.tree_at(weights, model, new)
    for name, value in (("gain", 1.0), ("shift", 0.0), ("mean", 0.0), ("variance", 1.0)):
        where = lambda model, name=name: [getattr(e, name) for e in _convolutions(model)]  # noqa: E731
        model = eqx.tree_at(where, model, [jnp.full_like(each, value) for each in where(model)])
    return eqx.tree_at(lambda model: model.bias, model, jnp.zeros_like(model.bias))


def permuted(model: EfficientNetLite0, *, key: PRNGKeyArray) -> EfficientNetLite0:
    """The same numbers in every layer, in random order: kernels, gains, shifts, each by itself.

    Means and variances stay as they were; `calibrated` sets them to those of images.
    """

    def learned(model: EfficientNetLite0) -> list[Any]:
        each = [(layer.kernel, layer.gain, layer.shift) for layer in _convolutions(model)]
        return [*(part for parts in each for part in parts), model.weight, model.bias]

    old = learned(model)
    # One sort for all, by the array and then by chance: 150 small ones take a minute to compile.
    arrays = jnp.concatenate([jnp.full(each.size, k) for k, each in enumerate(old)])
    values = jnp.concatenate([each.ravel() for each in old])
    bits = jax.random.bits(key, values.shape)
    *_, mixed = jax.lax.sort((arrays, bits, values), num_keys=2)
    return eqx.tree_at(learned, model, _split(mixed, old))


def calibrated(
    model: EfficientNetLite0, images: Float[Array, "image height width 3"]
) -> tuple[EfficientNetLite0, Activations]:
    """The network with means and variances of batch normalisation taken from these images.

    Layer after layer, each behind those that are set already; also returns what it then says.
    """

    def settle(layer: Convolution, x: Images) -> tuple[Convolution, Convolved]:
        y = layer.convolve(x)
        mean = jnp.mean(y, axis=(0, 1, 2))
        variance = jnp.mean((y - mean[None, None, None]) ** 2, axis=(0, 1, 2))
        where = lambda layer: (layer.mean, layer.variance)  # noqa: E731
        layer = eqx.tree_at(where, layer, (mean, variance))
        return layer, layer.normalise(y)

    return _flow(model, images, settle)


def _flow(
    model: EfficientNetLite0,
    images: Images,
    step: Callable[[Convolution, Images], tuple[Convolution, Convolved]],
) -> tuple[EfficientNetLite0, Activations]:
    """Through all layers; `step` may change each of them on the way."""
    stem, x = step(model.stem, images)
    said, blocks = {"stem": x}, []
    for k, block in enumerate(model.blocks, 1):
        y, passed = x, []
        for layer in block:
            layer, y = step(layer, y)
            passed.append(layer)
        x = x + y if x.shape == y.shape else y  # a detour around blocks that keep the shape
        said[f"block {k}"] = x
        blocks.append(tuple(passed))
    head, x = step(model.head, x)
    said["logits"] = jnp.mean(x, axis=(1, 2)) @ model.weight.T + model.bias[None]
    return EfficientNetLite0(stem, tuple(blocks), head, model.weight, model.bias), said


def _convolutions(model: EfficientNetLite0) -> list[Convolution]:
    return [model.stem, *(layer for block in model.blocks for layer in block), model.head]


def _split(values: Float[Array, " value"], like: list[Array]) -> list[Array]:
    """One array after the other out of a long one, in the shapes of others."""
    ends = np.cumsum([each.size for each in like])[:-1]
    parts = jnp.split(values, ends.tolist())
    return [part.reshape(each.shape) for part, each in zip(parts, like, strict=True)]
