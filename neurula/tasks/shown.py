"""A task shown in another way: every input for longer, or together with those before it.

The window is the time-delay network of Waibel et al. (1989), IEEE Trans. ASSP 37:328: what a
network without memory needs to see the past.
"""

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import require
from .wrapped import AbstractWrapped


class Shown(AbstractWrapped):
    """Examples of `task`, each input on for `steps` time steps, the last of which counts.

    With `past` > 1 an input comes with those before it, side by side, the newest last; zeros stand
    where nothing was shown yet.
    """

    task: AbstractTask
    steps: int = 1  # time steps per input
    past: int = 1  # inputs side by side

    def __check_init__(self):
        require(
            self.steps >= 1 and self.past >= 1,
            f"Shown expects steps and past of 1 or more, got {self.steps} and {self.past}",
            "An input lasts a step at least, and a window holds the input of now",
            "Shown(task, steps=5)",
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        time, inputs, outputs = self.task.shape
        return time * self.steps, inputs * self.past, outputs

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return self._show(self.task.sample(split, key=key))

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        return jax.vmap(self._show)(self.task.exam(split, key=key))

    def _show(self, sample: Sample) -> Sample:
        time = len(sample.stimuli)
        padded = jnp.pad(sample.stimuli, ((self.past - 1, 0), (0, 0)))
        window = [padded[start : start + time] for start in range(self.past)]
        last = jnp.tile(jnp.arange(self.steps) == self.steps - 1, time)
        counts = jnp.ones(time) if sample.counts is None else sample.counts
        shown = Sample(jnp.concatenate(window, axis=1), sample.target, counts, sample.reward)
        longer = jax.tree.map(lambda x: jnp.repeat(x, self.steps, axis=0), shown)
        counts = jnp.where(last, jnp.repeat(counts, self.steps), 0.0)
        return Sample(longer.stimuli, longer.target, counts, longer.reward)
