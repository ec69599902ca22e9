"""Learn from examples of one's own, or from those of another task with other right answers.

Answers by a random network, the teacher: Gardner & Derrida (1989), J. Phys. A 22:1983.
"""

from typing import get_args

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ..contracts import AbstractTask, Sample, Split
from .drawing import below, require, split_key
from .marking import cross_entropy, last_accuracy

SPLITS: tuple[Split, ...] = get_args(Split)
Labels = dict[Split, Int[Array, " example"]]


class Examples(AbstractTask):
    """A fixed set of examples for every split, each with a leading axis: a class is the target.

    `Examples({split: Sample(stimuli, target) for ...})` with stimuli (example, time, in) and
    targets (example, time, out), 1 for the right class and 0 for the others. Training draws with
    replacement; an exam shows every example of a split once, in the order given.
    """

    by_split: dict[Split, Sample]

    def __check_init__(self):
        require(
            set(self.by_split) == set(SPLITS),
            f"Examples expects the splits {', '.join(SPLITS)}, got {sorted(self.by_split)}",
            "Hyper-parameters are chosen on other examples than those that judge",
            'Examples({"train": ..., "tune": ..., "test": ...})',
        )
        for split, samples in self.by_split.items():
            target = samples.target
            fits = target is not None and target.shape[:2] == samples.stimuli.shape[:2]
            came = None if target is None else target.shape
            require(
                fits and samples.stimuli.ndim == 3,
                "Examples expects stimuli (example, time, in) and as many targets (example, time, "
                f"out), got {samples.stimuli.shape} and {came} to {split}",
                "A class is right at every time step of an example",
                "Sample(stimuli[:, None, :], jax.nn.one_hot(labels, classes)[:, None, :])",
            )

    @classmethod
    def of(cls, task: AbstractTask) -> "Examples":
        """All that another task shows in its exams, always in the same order."""
        with jax.ensure_compile_time_eval():
            return cls({split: task.exam(split, key=jr.key(0)) for split in SPLITS})

    @property
    def labels(self) -> Labels:
        """The class of every example at its last time step."""
        targets = {split: jnp.asarray(each.target) for split, each in self.by_split.items()}
        return {s: jnp.argmax(each[:, -1], 1).astype(jnp.int32) for s, each in targets.items()}

    def renamed(self, labels: Labels) -> "Examples":
        """The same stimuli with other classes, as many as there were."""
        steps, _, classes = self.shape
        found = {}
        for split, each in self.by_split.items():
            target = jnp.tile(jax.nn.one_hot(labels[split], classes)[:, None], (1, steps, 1))
            found[split] = Sample(each.stimuli, target, each.counts)
        return Examples(found)

    @property
    def shape(self) -> tuple[int, int, int]:
        samples = self.by_split["train"]
        assert samples.target is not None  # it was checked
        return samples.stimuli.shape[1], samples.stimuli.shape[2], samples.target.shape[2]

    def sample(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        samples = self.by_split[split]
        index = below(len(samples.stimuli), jr.uniform(split_key(key, split)))
        return jax.tree.map(lambda x: x[index], samples)

    def exam(self, split: Split, *, key: PRNGKeyArray) -> Sample:
        del key
        return self.by_split[split]

    def error(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return cross_entropy(outputs, sample)

    def score(self, outputs: Float[Array, "time out"], sample: Sample) -> Float[Array, ""]:
        return last_accuracy(outputs, sample)


def teacher_labels(examples: Examples, *, gain: float = 0.5, key: PRNGKeyArray) -> Labels:
    """Classes, as many as there were, that a random network of 64 hidden cells makes of stimuli.

    Each of its outputs is compared with its own mean and spread over the stimuli of training, so
    that classes are about equally large. The lower the `gain`, the nearer it is to linear.
    """
    steps, inputs, classes = examples.shape
    at_first, at_second = jr.split(key)
    first = jr.normal(at_first, (steps * inputs, 64)) * gain * (steps * inputs) ** -0.5
    second = jr.normal(at_second, (64, classes))
    flat = {s: x.stimuli.reshape(len(x.stimuli), -1) for s, x in examples.by_split.items()}
    middle, spread = jnp.mean(flat["train"], 0)[None, :], jnp.mean(jnp.std(flat["train"], 0))
    said = {s: jnp.tanh((x - middle) / spread @ first) @ second for s, x in flat.items()}
    usual, scale = jnp.mean(said["train"], 0)[None, :], jnp.std(said["train"], 0)[None, :]
    return {s: jnp.argmax((x - usual) / scale, 1).astype(jnp.int32) for s, x in said.items()}
