"""Digits of which only windows at random places are seen, and debris of others.

Windows: Gosselin & Schyns (2001), Vision Res. 41:2261 (bubbles), as in Tang et al. (2018), PNAS
115:8835. Debris: Spoerer, McClure & Kriegeskorte (2017), Front. Psychol. 8:1551.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .digits import SIDE, Digits
from .drawing import below, require

HALVINGS = 24  # of the range in which the sharpness of windows is sought
FLAT, SHARP = 1e-6, 1e4  # its ends, per square pixel
APART = 101  # folded into a key: windows and pictures are drawn apart
HALF = SIDE // 2
PIECES = 12  # random numbers that debris takes
Picture = Float[Array, "row column"]


class Bubbles(AbstractTask):
    """Examples of `digits` through Gaussian windows, how much is visible drawn from `visible`.

    Visible is a share of the digit's ink, and exactly that share: windows are as wide as it takes.
    Behind them lies paper (parts of the digit are missing) or debris (something hides them). The
    same key shows the same digits as `digits` does. An exam is that of `digits` at each visibility
    in turn, first listed first: (visibility x example), all through windows at the same places.
    """

    digits: Digits = eqx.field(default_factory=Digits)
    visible: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0)  # shares of the ink
    windows: int = 5
    behind: Literal["paper", "debris"] = "paper"

    def __check_init__(self):
        require(
            len(self.visible) >= 1 and min(self.visible) > 0 and max(self.visible) <= 1,
            f"Bubbles expects one or more shares above 0 and up to 1, got visible={self.visible}",
            "They are shares of a digit's ink, one of which an example shows",
            "Bubbles(visible=(0.25, 1.0))",
        )
        require(
            self.windows >= 1,
            f"Bubbles expects windows of 1 or more, got {self.windows}",
            "Without a window there is nothing to see",
            "Bubbles(windows=5)",
        )
        require(
            self.behind in ("paper", "debris"),
            f'Bubbles expects behind "paper" or "debris", got {self.behind!r}',
            "What is not seen is either missing or hidden by pieces of other digits",
            'Bubbles(behind="debris")',
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.digits.shape

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        chance = jr.uniform(jr.fold_in(key, APART), (self._chances + 1,))
        share = jnp.array(self.visible)[below(len(self.visible), chance[-1])]
        return self._hide(self.digits.sample(split, key=key), share, chance[:-1])

    @eqx.filter_jit
    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        exam = self.digits.exam(split, key=key)
        # One draw for all examples: each draw takes the compiler long.
        chance = jr.uniform(jr.fold_in(key, APART), (len(exam.stimuli), self._chances))
        at_each = jax.vmap(jax.vmap(self._hide, (0, None, 0)), (None, 0, None))
        shares = at_each(exam, jnp.array(self.visible), chance)
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), shares)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self.digits.error(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return self.digits.score(outputs, sample)

    @property
    def _chances(self) -> int:
        """Random numbers that it takes to hide an example."""
        return 2 * self.windows + PIECES

    def _hide(
        self, sample: Sample, share: Float[Array, ""], chance: Float[Array, " number"]
    ) -> Sample:
        ink = jnp.maximum(sample.stimuli[0], 0).reshape(SIDE, SIDE)
        centres = SIDE * chance[: 2 * self.windows].reshape(-1, 2)
        seen = through(ink, share, centres).reshape(1, -1)
        stimuli = seen * sample.stimuli
        if self.behind == "debris":
            stimuli = stimuli + (1 - seen) * debris(chance[2 * self.windows :])[None]
        return eqx.tree_at(lambda s: s.stimuli, sample, stimuli)


def through(ink: Picture, share: Float[Array, ""], centres: Float[Array, "window axis"]) -> Picture:
    """How much of each pixel is seen, 0 to 1, so that this share of the ink is.

    A pixel at distance d from the nearest centre is seen by exp(-sharpness d^2); the sharpness is
    found by bisection. Centres and distances are in pixels.
    """
    pixels = jnp.arange(SIDE, dtype=jnp.float32) + 0.5
    apart = (pixels[None, None] - centres[..., None]) ** 2  # along rows, along columns
    nearest = jnp.min(apart[:, 0, :, None] + apart[:, 1, None, :], axis=0)
    weight = ink / jnp.sum(ink)

    def halve(_, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        too_much = jnp.sum(weight * jnp.exp(-jnp.exp(middle) * nearest)) > share
        return jnp.where(too_much, middle, low), jnp.where(too_much, high, middle)

    ends = jnp.log(jnp.array(FLAT)), jnp.log(jnp.array(SHARP))
    sharpness = jnp.exp(sum(jax.lax.fori_loop(0, HALVINGS, halve, ends)) / 2)
    return jnp.where(share < 1, jnp.exp(-sharpness * nearest), 1.0)


def debris(chance: Float[Array, "12"]) -> Float[Array, " pixel"]:
    """A picture quilted from quarters of four training digits, each cut out at a random place.

    `chance` is uniform in [0, 1): for each quarter, which digit, from which row and column on.
    """
    digits = Digits().exam("train", key=jr.key(0)).stimuli[:, 0].reshape(-1, SIDE, SIDE)
    which, row, column = chance.reshape(-1, 3).T[:, :, None, None]
    rows = below(HALF + 1, row) + jnp.arange(HALF)[None, :, None]
    columns = below(HALF + 1, column) + jnp.arange(HALF)[None, None]
    pieces = digits[below(len(digits), which), rows, columns]
    return pieces.reshape(2, 2, HALF, HALF).transpose(0, 2, 1, 3).reshape(-1)
