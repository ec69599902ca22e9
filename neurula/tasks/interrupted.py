"""Digits that go away after some time steps, followed by nothing or by a mask.

Backward masking: Breitmeyer & Ogmen (2006), Visual Masking, Oxford University Press.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..contracts import Sample, Split
from .bubbles import APART, PIECES, Bubbles, debris
from .digits import Digits
from .drawing import below, require
from .wrapped import AbstractWrapped


class Interrupted(AbstractWrapped):
    """Examples of `task` that are on for a number of time steps drawn from `after`.

    From then on there is blank paper, or a pattern mask made of pieces of other digits, one for
    each example. The same key shows the same digits as `task` does. An exam is that of `task` for
    each number of steps in turn: (after x example), all with the same masks.
    """

    task: Digits | Bubbles = eqx.field(default_factory=lambda: Digits(look=4))
    after: tuple[int, ...] = (1, 2)  # time steps; as many as the task has: never
    by: Literal["blank", "mask"] = "blank"

    def __check_init__(self):
        time = self.task.shape[0]
        require(
            len(self.after) >= 1 and min(self.after) >= 1 and max(self.after) <= time,
            f"Interrupted expects one or more numbers of steps from 1 to {time}, got {self.after}",
            f"An example lasts {time} steps, and has to be seen for one at least",
            f"Interrupted(task, after=({time},)) for no interruption",
        )
        require(
            self.by in ("blank", "mask"),
            f'Interrupted expects by "blank" or "mask", got {self.by!r}',
            "A picture is followed by paper or by a pattern",
            'Interrupted(task, by="mask")',
        )

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        chance = jr.uniform(jr.fold_in(key, APART + 1), (PIECES + 1,))
        steps = jnp.array(self.after)[below(len(self.after), chance[-1])]
        return self._interrupt(self.task.sample(split, key=key), steps, chance[:-1])

    @eqx.filter_jit
    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        exam = self.task.exam(split, key=key)
        chance = jr.uniform(jr.fold_in(key, APART + 1), (len(exam.stimuli), PIECES))
        at_each = jax.vmap(jax.vmap(self._interrupt, (0, None, 0)), (None, 0, None))
        cut = at_each(exam, jnp.array(self.after), chance)
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), cut)

    def _interrupt(
        self, sample: Sample, steps: Int[Array, ""], chance: Float[Array, " number"]
    ) -> Sample:
        on = (jnp.arange(len(sample.stimuli)) < steps).astype(sample.stimuli.dtype)[:, None]
        stimuli = on * sample.stimuli
        if self.by == "mask":
            stimuli = stimuli + (1 - on) * debris(chance)[None]
        return eqx.tree_at(lambda s: s.stimuli, sample, stimuli)
