"""Every cell that sees ink is to name the whole picture: an answer by consensus.

Randazzo, Mordvintsev, Niklasson, Levin & Greydanus (2020), Distill 5:e00027.002.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .digits import Digits

INK = 0.1  # of a pixel, above which its cell is asked


class Everywhere(AbstractTask):
    """The pictures of `task`, whose answer each pixel's cell has to give.

    Outputs are (class, cell) in a row, as an `Automaton` tells them. The error is the
    cross-entropy, in nats, the mean over cells that see ink (more than 0.1) at the last time step.
    Every such cell has one vote, and the score is 1 if most votes are right. `order` names the
    pixel that each cell sees; `None`: its own.
    """

    task: AbstractTask = eqx.field(default_factory=Digits)
    order: Int[Array, " cell"] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        time, cells, classes = self.task.shape
        return time, cells, classes * cells

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self._everywhere(self.task.sample(split, key=key))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return jax.vmap(self._everywhere)(self.task.exam(split, key=key))

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        ink = self.ink(sample).astype(outputs.dtype)
        wanted = jnp.asarray(sample.target)[-1].reshape(-1, len(ink))
        likely = jax.nn.log_softmax(outputs[-1].reshape(-1, len(ink)), axis=0)
        return -jnp.sum(wanted * likely * ink[None]) / jnp.maximum(jnp.sum(ink), 1)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        right = jnp.argmax(self.votes(outputs[-1], sample)) == self.answer(sample)
        return right.astype(outputs.dtype)

    def agreement(self, outputs: Float[Array, " out"], sample: Sample) -> Float[Array, ""]:
        """Share of the cells with ink whose answer is right."""
        votes = self.votes(outputs, sample)
        return votes[self.answer(sample)] / jnp.maximum(jnp.sum(votes), 1)

    def votes(self, outputs: Float[Array, " out"], sample: Sample) -> Float[Array, " class"]:
        """How many cells with ink would say each class."""
        ink = self.ink(sample).astype(outputs.dtype)
        by_class = outputs.reshape(-1, len(ink))
        says = jax.nn.one_hot(jnp.argmax(by_class, 0), len(by_class), axis=0)
        return jnp.sum(says * ink[None], 1)

    def ink(self, sample: Sample) -> Bool[Array, " cell"]:
        """Which cells are asked: those that see ink at the last time step."""
        return sample.stimuli[-1] > INK

    def answer(self, sample: Sample) -> Int[Array, ""]:
        """The class of the picture at the last time step."""
        cells = sample.stimuli.shape[-1]
        return jnp.argmax(jnp.asarray(sample.target)[-1].reshape(-1, cells)[:, 0])

    def _everywhere(self, sample: Sample) -> Sample:
        seen = sample.stimuli if self.order is None else sample.stimuli[:, self.order]
        wanted = jnp.repeat(jnp.asarray(sample.target), sample.stimuli.shape[-1], axis=-1)
        return Sample(seen, wanted, sample.counts, sample.reward)
