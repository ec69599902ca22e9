"""New examples among old ones, which a memory brings back.

McClelland, McNaughton & O'Reilly (1995), Psychol. Rev. 102:419.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from ..memories import AbstractRehearsal
from .wrapped import AbstractWrapped


class Interleaved(AbstractWrapped):
    """Training examples of `task`, of which a `share` is replaced by what `memory` brings back.

    As long as it knows nothing, all are fresh. Exams, and examples of other splits, are those of
    `task`. `kept` is the memory's state. With `shuffled` the target is that of another example
    brought back: a sham, in which rehearsal keeps its form and loses its content.
    """

    task: AbstractTask
    memory: AbstractRehearsal
    kept: Any
    share: float | Float[Array, ""] = 0.5  # of training examples, 0 to 1
    shuffled: bool = False

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        fresh = self.task.sample(split, key=key)
        if split != "train":
            return fresh
        at_choice, at_old, at_other = jax.random.split(jax.random.fold_in(key, 0), 3)
        old, _ = self.memory.sample(self.kept, key=at_old)
        if self.shuffled:
            other, _ = self.memory.sample(self.kept, key=at_other)
            old = Sample(old.stimuli, other.target, old.counts, old.reward)
        any_known = jnp.any(self.memory.known(self.kept))
        again = any_known & (jax.random.uniform(at_choice) < self.share)
        return jax.tree.map(lambda a, b: jnp.where(again, a, b), old, fresh)
