"""Say what was shown a few steps ago, while new things keep coming: the n-back task.

Kirchner 1958, Age differences in short-term retention of rapidly changing information, J. Exp.
Psychol. 55(4), 352-358.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, draw_exam, require, require_exam, split_key
from .marking import accuracy, cross_entropy


class Recall(AbstractTask):
    """One of a few symbols a time step, one-hot; the answer is the symbol of `back` steps ago.

    The first `back` steps do not count.
    """

    length: int = 16  # time steps
    back: int = 2  # time steps
    symbols: int = 4
    exam_size: int = 1000  # examples

    def __check_init__(self):
        require(
            0 <= self.back < self.length,
            f"Recall expects back from 0 to {self.length - 1}, got {self.back} "
            f"with a length of {self.length}",
            "No step would count: nothing was shown so long ago",
            f"Recall(length={self.back + 8}, back={self.back})",
        )
        require(
            self.symbols >= 2,
            f"Recall expects 2 symbols or more, got {self.symbols}",
            "With one symbol there is nothing to remember",
            "Recall(symbols=4)",
        )
        require_exam(self, self.exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.length, self.symbols, self.symbols

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        shown = below(self.symbols, jr.uniform(split_key(key, split), (self.length,)))
        stimuli = jax.nn.one_hot(shown, self.symbols)
        target = jnp.pad(stimuli, ((self.back, 0), (0, 0)))[: self.length]
        return Sample(stimuli, target, jnp.sum(target, axis=-1))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return draw_exam(self, split, self.exam_size, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return accuracy(outputs, sample)
