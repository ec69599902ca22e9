"""A small deep convolutional network, whose cells can be listened to layer by layer.

LeCun et al. (1998), Proc. IEEE 86:2278; first weights: He et al. (2015), ICCV, 1026.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .convolutional import AbstractPictureBlock

Maps = Float[Array, "side side channel"]
Smaller = Float[Array, "place place out"]


class Filters(eqx.Module):
    """u = W * x + b at every `stride`-th place where the filters fit."""

    weight: Float[Array, "height width in out"]
    bias: Float[Array, " out"]
    stride: int = eqx.field(static=True)

    def __call__(self, x: Maps) -> Smaller:
        # As one matrix product: on a CPU it takes a sixth of the time of XLA's convolution.
        size, channels = self.weight.shape[0], self.weight.shape[-1]
        first = np.arange(0, x.shape[0] - size + 1, self.stride)
        at = first[:, None] + np.arange(size)[None]
        seen = x[at][:, :, at].transpose(0, 2, 1, 3, 4)  # place, place, row, column, channel
        found = seen.reshape(len(at), len(at), -1) @ self.weight.reshape(-1, channels)
        return found + self.bias[None, None]


class StackedFilters(AbstractPictureBlock):
    """u_l = W_l * max(u_{l-1}, 0) + b_l, y = V mean_places(max(u_L, 0)) + d, for square pictures.

    Filters look only where they fit, so that no cell ever sees a border: a cell of layer l has a
    theoretical receptive field of 1 + sum_k (size_k - 1) prod_{j<k} stride_j pixels.
    """

    side: int = eqx.field(static=True)
    layers: tuple[Filters, ...]
    readout: eqx.nn.Linear

    def __init__(
        self,
        side: int,
        sizes: tuple[int, ...],
        strides: tuple[int, ...],
        channels: int,
        outputs: int,
        *,
        key: PRNGKeyArray,
    ):
        seen, _ = receptive_field(sizes, strides)
        if seen > side:
            raise ValueError(
                f"Expected pictures of at least {seen} pixels a side for filters of the sizes "
                f"{sizes} and strides {strides}, but got {side}: the last layer would fit nowhere. "
                f"Give `StackedFilters(side={seen}, ...)`, smaller filters or strides."
            )
        at_readout, *at_layers = jax.random.split(key, 1 + len(sizes))
        layers, inside = [], 1
        for size, stride, at in zip(sizes, strides, at_layers, strict=True):
            shape = (size, size, inside, channels)
            weight = jax.random.normal(at, shape) * (2 / (size**2 * inside)) ** 0.5
            layers.append(Filters(weight, jnp.zeros(channels), stride))
            inside = channels
        self.side, self.layers = side, tuple(layers)
        self.readout = eqx.nn.Linear(channels, outputs, key=at_readout)

    def step(self, state: None, inputs: Float[Array, " in"]) -> tuple[None, Float[Array, " out"]]:
        last = jax.nn.relu(self.drives(inputs)[-1])
        return None, self.readout(jnp.mean(last, axis=(0, 1)))

    def drives(self, picture: Float[Array, " in"]) -> list[Array]:
        """What all cells of every layer hear, before they rectify it: (row, column, channel)."""
        x, found = picture.reshape(self.side, self.side, 1), []
        for layer in self.layers:
            found.append(layer(x))
            x = jax.nn.relu(found[-1])
        return found

    def middle(self, picture: Float[Array, " in"]) -> Float[Array, "layer channel"]:
        """What the cells in the middle of every layer hear."""
        return jnp.stack([u[u.shape[0] // 2, u.shape[1] // 2] for u in self.drives(picture)])


def receptive_field(sizes: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, int]:
    """Theoretical receptive field of the last layer, and how far apart its cells look, in pixels.

    Araujo, Norris & Sim (2019), Distill 4:e21.
    """
    seen, apart = 1, 1
    for size, stride in zip(sizes, strides, strict=True):
        seen, apart = seen + (size - 1) * apart, apart * stride
    return seen, apart


def permuted(brain: StackedFilters, *, key: PRNGKeyArray) -> StackedFilters:
    """The same numbers in every layer, in random order; what reads them out stays."""
    where = lambda brain: [x for layer in brain.layers for x in (layer.weight, layer.bias)]  # noqa: E731
    old = where(brain)
    keys = jax.random.split(key, len(old))
    new = [
        jax.random.permutation(k, x.ravel()).reshape(x.shape)
        for k, x in zip(keys, old, strict=True)
    ]
    return eqx.tree_at(where, brain, new)
