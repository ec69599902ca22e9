"""What drawing examples takes: keys that keep splits apart, and settings that make sense."""

import typing

import equinox as eqx
import jax
from jaxtyping import Array, Float, Integer, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split

SPLITS = typing.get_args(Split)


def split_key(key: PRNGKeyArray, split: Split) -> PRNGKeyArray:
    """A key for one split: the same key gives other examples in every split."""
    return jax.random.fold_in(key, SPLITS.index(split))


def below(end: int, chance: Float[Array, "..."]) -> Integer[Array, "..."]:
    """Integers from 0 to `end` - 1, from uniform numbers; compiles faster than `randint`."""
    return (end * chance).astype("int32")


@eqx.filter_jit
def draw_exam(task: AbstractTask, split: Split, size: int, *, key: PRNGKeyArray) -> Sample:
    """Examples of a generated task, along a leading axis."""
    return jax.vmap(lambda key: task.sample(split, key=key))(jax.random.split(key, size))


def require(holds: bool, expected: str, why: str, mend: str):
    """Refuse a setting: what was expected and what came, why it is wrong, what mends it."""
    if not holds:
        raise ValueError(f"{expected}. {why}. Write {mend}.")


def require_exam(task: AbstractTask, size: int):
    """Refuse an exam without examples."""
    name = type(task).__name__
    require(
        size >= 1,
        f"{name} expects an exam_size of 1 or more, got {size}",
        "It is the number of examples by which a split is judged",
        f"{name}(exam_size=1000)",
    )
