"""Press right at X after A while the last digit was 1, at Y after B while it was 2: 12-AX.

O'Reilly & Frank (2006), Neural Comput. 18:283; Frank, Loughry & O'Reilly (2001), Cogn. Affect.
Behav. Neurosci. 1:137.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, draw_exam, require, require_exam, split_key
from .marking import accuracy, cross_entropy

STIMULI = "12ABCXYZ"  # the order of the lines
LEFT, RIGHT = 0, 1  # the order of the answers


class TwelveAX(AbstractTask):
    """A digit, then 1 to 4 pairs of letters, again and again; one line a stimulus, two answers.

    Half of the pairs are AX or BY, the others one of A, B, C and one of X, Y, Z. Right is the
    answer to the X of AX if the last digit was 1 and to the Y of BY if it was 2, left to all else.
    The error is taken over the second letters of pairs, at which alone right is ever due. The score
    is the share of right answers at the second letters of AX and BY, where the digit decides:
    chance is one half, or half a point for a sequence without such a pair.
    """

    length: int = 24  # stimuli
    exam_size: int = 1000  # examples

    def __check_init__(self):
        require(
            self.length >= 3,
            f"TwelveAX expects a length of 3 or more, got {self.length}",
            "A digit and a pair of letters are three stimuli",
            "TwelveAX(length=24)",
        )
        require_exam(self, self.exam_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.length, len(STIMULI), 2

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        rounds = -(-self.length // 3)  # a round has three stimuli or more
        at_round, at_step = jr.split(split_key(key, split))
        pairs, digit = jr.uniform(at_round, (2, rounds))
        ends = jnp.cumsum(1 + 2 * (1 + below(4, pairs)))
        steps = jnp.arange(self.length)
        now = jnp.sum(steps[:, None] >= ends[None], axis=1)  # the round of a step
        since = steps - jnp.where(now > 0, ends[now - 1], 0)  # steps after its digit
        digit = below(2, digit)[now]
        planned, kind, first, second = jr.uniform(at_step, (4, self.length))
        kind = below(2, kind)
        first = jnp.where(planned < 0.5, kind, below(3, first))
        is_first, is_second = since % 2 == 1, (since % 2 == 0) & (since > 0)
        before = jnp.roll(first, 1)  # the first letter of the pair that now ends
        second = jnp.where(jnp.roll(planned, 1) < 0.5, jnp.roll(kind, 1), below(3, second))
        shown = jnp.where(is_first, 2 + first, jnp.where(is_second, 5 + second, digit))
        right = is_second & (before == second) & (second == digit)
        target = jax.nn.one_hot(right.astype(jnp.int32), 2)
        return Sample(jax.nn.one_hot(shown, 8), target, is_second.astype(jnp.float32))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return draw_exam(self, split, self.exam_size, key=key)

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        before = jnp.roll(sample.stimuli, 1, axis=0)
        pair = sample.stimuli[:, 5:7] * before[:, 2:4]  # X after A, Y after B
        decided = jnp.sum(pair, axis=1)
        weighed = Sample(sample.stimuli, sample.target, decided + 1e-9)
        return jnp.where(jnp.sum(decided) > 0, accuracy(outputs, weighed), 0.5)
