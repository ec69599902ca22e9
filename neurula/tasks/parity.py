"""Say whether the number of ones so far is odd: nothing may be forgotten, nothing adds up linearly.

Minsky & Papert 1969, Perceptrons; as a sequence: Hochreiter & Schmidhuber 1997, Long short-term
memory, Neural Computation 9(8), 1735-1780.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import draw_exam, require, require_exam, split_key
from .marking import accuracy, cross_entropy


class Parity(AbstractTask):
    """A bit a time step, -1 or 1; at every step, output 1 (odd) or 0 (even) should win.

    With `window` 0 the parity is that of all bits since the start. Otherwise it is that of the
    last `window` bits, and steps before so many were shown do not count.
    """

    length: int = 16  # time steps
    window: int = 0  # bits; 0: all since the start
    exam_size: int = 1000  # examples

    def __check_init__(self):
        require(
            self.length >= 1,
            f"Parity expects a length of 1 or more, got {self.length}",
            "It is the number of bits of a sequence",
            "Parity(length=16)",
        )
        require(
            0 <= self.window <= self.length,
            f"Parity expects a window from 0 to its length {self.length}, got {self.window}",
            "No step would count: so many bits are never shown",
            "Parity(window=0) for the parity of all bits",
        )
        require_exam(self, self.exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.length, 1, 2

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        words = jr.bits(split_key(key, split), (-(-self.length // 32), 1), "uint32")
        bits = (words >> jnp.arange(32, dtype="uint32")[None] & 1).reshape(-1)[: self.length]
        bits = bits.astype(jnp.int32)
        ones = jnp.cumsum(bits)
        if self.window:
            ones = ones - jnp.pad(ones, (self.window, 0))[: self.length]
        stimuli = (2 * bits - 1).astype(jnp.float32)[:, None]
        counts = (jnp.arange(self.length) >= self.window - 1).astype(jnp.float32)
        return Sample(stimuli, jax.nn.one_hot(ones % 2, 2), counts)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return draw_exam(self, split, self.exam_size, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return accuracy(outputs, sample)
