"""Say which digit it is: 1,797 handwritten ones, made harder at will.

Alpaydin & Kaynak 1998, Cascading classifiers, Kybernetika 34(4), 369-374.
"""

import functools
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Integer, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from ..data import load
from .drawing import below, require, split_key
from .marking import cross_entropy, last_accuracy

SIDE, CLASSES = 8, 10
SIZES: dict[Split, int] = {"train": 1000, "tune": 200, "test": 597}


class Digits(AbstractTask):
    """Real handwritten digits, 8 x 8 pixels from 0 (paper) to 1 (ink), shown for a while.

    A picture is hidden in part, then blurred, then gets noise; noise is not clipped. The split
    (1,000 train, 200 tune, 597 test) is fixed and holds every digit in the same proportion. The
    same 13 writers are in all parts: new ones would be harder. An exam shows a split once.
    """

    noise: float = 0.0  # standard deviation of the Gaussian noise of a pixel
    noise_kind: Literal["static", "dynamic"] = "static"  # one noisy picture, or fresh noise a step
    occlusion: float = 0.0  # share of the area behind a square of paper at a random place
    visible: float = 1.0  # share of pixels shown, drawn at random; the others show paper
    blur: float = 0.0  # standard deviation of the Gaussian that blurs, in pixels
    look: int = 1  # time steps for which the picture is shown
    answer: Literal["every", "last"] = "every"  # time steps that count in the error

    def __check_init__(self):
        for name, sd in (("noise", self.noise), ("blur", self.blur)):
            require(
                sd >= 0,
                f"Digits expects {name} of 0 or more, got {sd}",
                "It is the standard deviation of a Gaussian",
                f"Digits({name}=0.5)",
            )
        for name, share in (("occlusion", self.occlusion), ("visible", self.visible)):
            require(
                0 <= share <= 1,
                f"Digits expects {name} from 0 to 1, got {share}",
                "It is a share of the picture",
                f"Digits({name}=0.5) for half",
            )
        require(
            self.noise_kind in ("static", "dynamic"),
            f'Digits expects noise_kind "static" or "dynamic", got {self.noise_kind!r}',
            "Noise either stays with the picture or is fresh in every time step",
            'Digits(noise_kind="dynamic") for fresh noise',
        )
        require(
            self.look >= 1,
            f"Digits expects look of 1 or more, got {self.look}",
            "A picture has to be shown for at least one time step",
            "Digits(look=12) to show it for twelve",
        )
        require(
            self.answer in ("every", "last"),
            f'Digits expects answer "every" or "last", got {self.answer!r}',
            "Either every time step counts in the error, or the last one",
            'Digits(answer="last") to judge the last one',
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.look, SIDE**2, CLASSES

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        images, labels = _digits()[split]
        which, how = jr.split(split_key(key, split))
        index = below(len(images), jr.uniform(which))
        return self._show(jnp.asarray(images)[index], jnp.asarray(labels)[index], how)

    @eqx.filter_jit
    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        images, labels = _digits()[split]
        keys = jr.split(split_key(key, split), len(images))
        return jax.vmap(self._show)(jnp.asarray(images), jnp.asarray(labels), keys)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return last_accuracy(outputs, sample)

    def _show(
        self, image: Float[Array, "row column"], label: Integer[Array, ""], key: PRNGKeyArray
    ) -> Sample:
        patch, pixels, noise = jr.split(key, 3)
        if self.occlusion > 0:
            image = image * (1 - square(self.occlusion, key=patch))
        if self.visible < 1:
            shown = (jnp.arange(SIDE**2) < round(self.visible * SIDE**2)).astype(image.dtype)
            image = image * jr.permutation(pixels, shown).reshape(SIDE, SIDE)
        if self.blur > 0:
            rows = jnp.asarray(_blur(self.blur))
            image = rows @ image @ rows.T
        stimuli = jnp.broadcast_to(image.reshape(1, -1), (self.look, SIDE**2))
        if self.noise > 0:
            steps = 1 if self.noise_kind == "static" else self.look
            stimuli = stimuli + self.noise * jr.normal(noise, (steps, SIDE**2))
        target = jnp.broadcast_to(jax.nn.one_hot(label, CLASSES)[None], (self.look, CLASSES))
        last = jnp.arange(self.look) == self.look - 1
        counts = last.astype(jnp.float32) if self.answer == "last" else jnp.ones(self.look)
        return Sample(stimuli, target, counts)


def square(share: float, *, key: PRNGKeyArray) -> Float[Array, "row column"]:
    """How much of each pixel lies behind a square at a random place, 0 to 1.

    The square may cut through pixels, so that it hides exactly its share of the area.
    """
    width = SIDE * share**0.5
    start = jr.uniform(key, (2, 1)) * (SIDE - width)
    left = jnp.arange(SIDE, dtype=jnp.float32)[None]
    across = jnp.clip(jnp.minimum(left + 1, start + width) - jnp.maximum(left, start), 0, 1)
    return across[0][:, None] * across[1][None]


@functools.cache
def _blur(sd: float) -> np.ndarray:
    """The matrix that blurs along one axis; beyond the border there is paper."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(np.eye(SIDE), sd, axis=0, mode="constant").astype(np.float32)


@functools.cache
def _digits() -> dict[Split, tuple[np.ndarray, np.ndarray]]:
    """Images, 0 to 1, and labels of every split."""
    digits = load("digits")
    images, labels = digits["images"].astype(np.float32) / 16, digits["labels"].astype(np.int32)
    # Shuffled, then dealt out evenly: by how far an example is among those of its class. NumPy
    # keeps RandomState the same for ever, so that the split is.
    order = np.random.RandomState(0).permutation(len(labels))
    depth = np.empty(len(labels))
    for label in range(CLASSES):
        members = order[labels[order] == label]
        depth[members] = (np.arange(len(members)) + 0.5) / len(members)
    order = order[np.argsort(depth[order], kind="stable")]
    parts = np.split(order, np.cumsum(list(SIZES.values()))[:-1])
    return {split: (images[part], labels[part]) for split, part in zip(SIZES, parts, strict=True)}
