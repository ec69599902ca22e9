"""A task of which only some classes are taught at a time; exams ask about all.

Class-incremental learning: van de Ven, Tuytelaars & Tolias (2022), Nat. Mach. Intell. 4:1185.
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from ..memories.complementary import one_of
from .digits import Digits
from .drawing import require, split_key
from .wrapped import AbstractWrapped


def classes_of(sample: Sample) -> Float[Array, "*batch out"]:
    """The target of the last time step, in which the largest number tells the class."""
    if sample.target is None:
        raise ValueError(
            "Classes are told by targets, and this task has none. Take one with targets: "
            "SomeClasses(Digits(), [0, 1])."
        )
    return sample.target[..., -1, :]


class SomeClasses(AbstractWrapped):
    """Examples of `task` whose class is among `taught`, all of them equally likely.

    They are drawn from the exam of the split, which for real data is all that there is. The exam
    itself stays that of `task`, so that what was forgotten shows.
    """

    task: AbstractTask = eqx.field(default_factory=Digits)
    taught: Bool[Array, " class"] | Sequence[int] = (0, 1)  # a mask, or a list of classes

    def __check_init__(self):
        count = self.task.shape[2]
        if isinstance(self.taught, jax.Array):
            return
        require(
            len(self.taught) >= 1 and 0 <= min(self.taught) <= max(self.taught) < count,
            f"SomeClasses expects a class or more, from 0 to {count - 1}, got {self.taught}",
            "The others are never shown",
            "SomeClasses(Digits(), taught=(0, 1))",
        )

    @property
    def mask(self) -> Bool[Array, " class"]:
        """Which classes are taught."""
        if isinstance(self.taught, jax.Array):
            return self.taught
        return jnp.zeros(self.task.shape[2], bool).at[jnp.array(self.taught)].set(True)

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        which, how = jax.random.split(split_key(key, split))
        exam = self.task.exam(split, key=how)
        there = self.mask[jnp.argmax(classes_of(exam), -1)]
        index = one_of(there, key=which)
        return jax.tree.map(lambda x: x[index], exam)
