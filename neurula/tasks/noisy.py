"""Any task behind noise of several strengths, that stays or is new at every step.

Noise that is new at every step can be averaged away, as evidence is accumulated in Ratcliff 1978, A
theory of memory retrieval, Psychological Review 85(2), 59-108; noise that stays cannot.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .digits import Digits
from .drawing import require
from .wrapped import AbstractWrapped


class Noisy(AbstractWrapped):
    """Examples of `task` with Gaussian noise, its strength drawn from `noises` for every example.

    An exam is that of `task` at each strength in turn, weakest listed first: (strength x example).
    The same numbers are drawn for all strengths, so that they pair up.
    """

    task: AbstractTask = eqx.field(default_factory=Digits)
    noises: tuple[float, ...] = (0.1, 0.2, 0.4)  # standard deviations
    fresh: bool | Bool[Array, ""] = False  # new at every time step, or as it was at the first

    def __check_init__(self):
        require(
            len(self.noises) >= 1 and min(self.noises) >= 0,
            f"Noisy expects one or more noises of 0 or more, got {self.noises}",
            "They are standard deviations, one of which an example gets",
            "Noisy(task, noises=(0.1, 0.2))",
        )

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        at_example, at_strength, at_noise = jr.split(key, 3)
        noise = jr.choice(at_strength, jnp.array(self.noises))
        return self._spoil(self.task.sample(split, key=at_example), noise, at_noise)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        at_examples, at_noise = jr.split(key)
        exam = self.task.exam(split, key=at_examples)
        keys = jr.split(at_noise, len(exam.stimuli))
        at_each = jax.vmap(jax.vmap(self._spoil, (0, None, 0)), (None, 0, None))
        strengths = at_each(exam, jnp.array(self.noises), keys)
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), strengths)

    def _spoil(self, sample: Sample, noise: Float[Array, ""], key: PRNGKeyArray) -> Sample:
        drawn = noise * jr.normal(key, sample.stimuli.shape)
        spoilt = sample.stimuli + jnp.where(self.fresh, drawn, drawn[:1])
        return eqx.tree_at(lambda s: s.stimuli, sample, spoilt)
